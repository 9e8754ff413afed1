// Runs the jobs of a comparison one after another, shows how far it is, and gathers their records.

import { fileURLToPath } from "node:url";
import { $ } from "zx/core";
import type { RunRecord } from "../../lib/command/record.ts";
import { runtimeCommand } from "../../lib/runtime.ts";
import { formatMs, plural } from "../../lib/terminal/format.ts";
import { escapeControl, print, statusLine } from "../../lib/terminal/terminal.ts";
import { sum } from "../../lib/timing.ts";
import { type Comparison, isRecord, type Sample } from "./comparison.ts";
import { type CompareFlags, passedOn } from "./flags.ts";
import type { Job } from "./plan.ts";

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
  let complete = true;
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
    if (done === sizes.length || signal.aborted) continue;
    complete = false;
    const remark = `${technique} failed from ${plural(sizes[done]!, "request")} on: ${end}.`;
    if (flags.json) console.error(remark);
    if (!remarks.includes(remark)) remarks.push(remark);
  }
  status.clear();
  if (signal.aborted) remarks.push("Interrupted: this is what was done until then.");
  return complete && [...samples, ...timelines].every((run) => run.failed === 0);
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
    // By its file's name, which a copied script's own may not be yet.
    if (isRecord(record)) onRecord({ ...record, technique: name });
  }
  const { exitCode, signal: killedBy, stderr } = await running;
  signal.removeEventListener("abort", interrupt);
  const lastWords = escapeControl(stderr.trim().split("\n").at(-1) ?? "");
  return `${killedBy ?? `exit status ${exitCode}`}${lastWords && `, "${lastWords}"`}`;
}
