// What a comparison runs, in which order; runs it, shows how far it is, and gathers the records.

import { fileURLToPath } from "node:url";
import { $ } from "zx/core";
import { isInterrupted } from "../../lib/command/interrupt.ts";
import type { RunRecord } from "../../lib/command/record.ts";
import { runtimeCommand } from "../../lib/runtime.ts";
import { formatMs, plural } from "../../lib/terminal/format.ts";
import { escapeControl, print, statusLine } from "../../lib/terminal/terminal.ts";
import { sum } from "../../lib/timing.ts";
import { BASELINE, type Comparison, isRecord, type Sample } from "./comparison.ts";
import { type CompareFlags, passedOn } from "./flags.ts";

/** The plain loop stops here: 10,000 requests one after another would take most of a minute. */
const BASELINE_MOST = 500;

/** One start of a technique's script. */
export interface Job {
  technique: string;
  /** Numbers of requests, run one after another by the same script. */
  sizes: number[];
  /** undefined: as many as Python's executors choose, which is the scripts' default. */
  workers: number | undefined;
  /** Which repeat it is part of, from 0; undefined where it is run to be drawn as a timeline. */
  round: number | undefined;
}

/**
 * The jobs of a comparison. Each round runs everything once, one technique after the other and each
 * time beginning with another, so that a machine that grows slower or faster meanwhile does so for
 * all of them alike.
 */
export function planJobs(flags: CompareFlags): Job[] {
  const { techniques, workers, runs, timeline } = flags;
  const jobs: Job[] = [];
  for (let round = 0; round < runs; round++)
    for (const number of [...workers, ...(flags["python-defaults"] ? [undefined] : [])])
      for (const turn of techniques.keys()) {
        const technique = techniques[(round + turn) % techniques.length]!;
        // The plain loop has one worker, whatever is asked for: once a round is enough.
        if (technique === BASELINE && number !== workers[0]) continue;
        const sizes = sizesOf(technique, flags);
        if (sizes.length > 0) jobs.push({ technique, sizes, workers: number, round });
      }
  if (timeline)
    for (const technique of techniques)
      jobs.push({ technique, sizes: [timeline], workers: workers.at(-1), round: undefined });
  return jobs;
}

function sizesOf(technique: string, { requests, work }: CompareFlags): number[] {
  const isAll = technique !== BASELINE || work === "none";
  return requests.filter((size) => isAll || size <= BASELINE_MOST);
}

/** Says where less is asked of the plain loop than of the others. */
export function remarksOn(flags: CompareFlags): string[] {
  const isAll = (technique: string) => sizesOf(technique, flags).length === flags.requests.length;
  if (flags.techniques.every(isAll)) return [];
  return [`The plain loop is run up to ${BASELINE_MOST} requests only.`];
}

/**
 * Runs everything, and puts samples, timelines and remarks into `comparison` as they come; with
 * `json`, prints each sample as well. When `signal` aborts, what there is by then stays.
 *
 * @returns Whether every script reported every run, and no iteration failed.
 */
export async function runJobs(
  jobs: Job[],
  flags: CompareFlags,
  { samples, timelines, remarks }: Comparison,
  signal: AbortSignal,
): Promise<boolean> {
  const status = statusLine();
  const runs = sum(jobs.map(({ sizes }) => sizes.length));
  if (!process.stderr.isTTY) console.error(plural(runs, "run"));
  let before = 0; // runs of the jobs before
  for (const { technique, sizes, workers, round } of jobs) {
    if (signal.aborted) break;
    const argv = passedOn(flags, sizes, workers);
    if (round === undefined) argv.push("--timeline");
    let done = 0;
    const show = () =>
      `${before + done + 1} of ${runs}: ${technique}, ${plural(sizes[done] ?? 0, "item")}`;
    const ticking = setInterval(() => done < sizes.length && status.show(show), 200).unref();
    const end = await runTechnique(technique, argv, signal, (record) => {
      done++;
      const { ok, requests, ms } = record;
      const all = ok === requests ? ok : `${ok} of ${requests} ok`;
      const ended = `${technique} x${record.workers}, ${all} in ${formatMs(ms)}`;
      if (!process.stderr.isTTY) console.error(`${before + done} of ${runs}: ${ended}`);
      if (round === undefined) return void timelines.push(record);
      const sample: Sample = { ...record, round, asPython: workers === undefined };
      samples.push(sample);
      if (flags.json) print(JSON.stringify(sample));
    });
    clearInterval(ticking);
    before += sizes.length;
    if (done === sizes.length || (await isInterrupted(signal))) continue;
    const remark = `${technique} failed from ${plural(sizes[done]!, "request")} on: ${end}.`;
    if (flags.json) console.error(remark);
    if (!remarks.includes(remark)) remarks.push(remark);
  }
  status.clear();
  if (signal.aborted) remarks.push("Interrupted: this is what was done until then.");
  const all = [...samples, ...timelines];
  const retried = sum(all.map((run) => run.retried ?? 0));
  if (retried > 0) remarks.push(`${plural(retried, "POST")} more were sent, by --retries.`);
  return all.length === runs && all.every(({ failed }) => failed === 0);
}

/**
 * Starts `scripts/NAME.ts --json` with more flags in a process of its own, and calls back with each
 * record. When `signal` aborts, it is asked to stop as by Ctrl-C; what it still reports is taken.
 *
 * @returns How the script ended: its exit status and its last words on stderr.
 */
export async function runTechnique(
  name: string,
  flags: string[],
  signal: AbortSignal,
  onRecord: (record: RunRecord) => void,
): Promise<string> {
  const script = fileURLToPath(new URL(`../${name}.ts`, import.meta.url));
  // exec: the shell becomes the script, so that a signal reaches it and its parent is this process.
  // Any POSIX shell will do: zx's own choice, bash, is not everywhere.
  const shell = $({
    shell: "/bin/sh",
    quote: (text) => `'${text.replaceAll("'", "'\\''")}'`,
    quiet: true,
    nothrow: true,
    prefix: "exec ",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const running = shell`${runtimeCommand} ${script} ${flags} --json`;
  const interrupt = () => running.child?.kill("SIGINT");
  signal.addEventListener("abort", interrupt);
  for await (const line of running) {
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch {} // a loop body may print lines of its own
    // The record counts for the file that was started, whatever name the script gives itself.
    if (isRecord(record)) onRecord({ ...record, technique: name });
  }
  const { exitCode, signal: killedBy, stderr } = await running;
  signal.removeEventListener("abort", interrupt);
  const lastWords = escapeControl(stderr.trim().split("\n").at(-1) ?? "");
  return `${killedBy ?? `exit status ${exitCode}`}${lastWords && `, "${lastWords}"`}`;
}
