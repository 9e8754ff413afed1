// What runs a script: flags, the practice API up and down, signals, output, exit status.

import { availableParallelism } from "node:os";
import { basename, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type InScript, withoutEntry } from "../bodies/in-script.ts";
import { loadable } from "../runtime.ts";
import { formatMs } from "../terminal/format.ts";
import { statusLine } from "../terminal/terminal.ts";
import { type Hooks, measure, sum } from "../timing.ts";
import { confirmRequests } from "./consent.ts";
import { describeRun } from "./describe-run.ts";
import { describeFlags, parseFlags } from "./flags.ts";
import { interruptSignal, isError } from "./interrupt.ts";
import { startApi } from "./practice-api.ts";
import { makeRecord, type RunRecord, type Work, type WorkerKind } from "./record.ts";
import { flagsOf, type Kind, postOptions } from "./script-flags.ts";

type Results = PromiseSettledResult<unknown>[];
type Body = (item: number, context: unknown) => unknown;
type Shown = { fields: Partial<RunRecord>; text: string };

/** What a script calls its technique with, beside items and body. */
export interface CallOptions {
  workers: number;
  concurrency: number;
  context: unknown;
  signal: AbortSignal;
  /** What the workers of a dictionary script are. */
  with: Kind;
  execArgv?: string[];
}

/** A technique as a script; `Exports` are its own. */
export interface Script<Exports = unknown> {
  /** How many workers by default, for so many cores; the plain loop has none to choose. */
  defaultWorkers?: (cores: number, kind: Kind) => number;
  /** Calls a technique that runs the body in this thread. */
  inThisThread?: (items: number[], body: Body, options: CallOptions & Hooks) => Promise<Results>;
  /** Calls a technique that has workers run the body's module; it is that of `exports`. */
  inWorkers?: (
    exports: Exports,
    items: number[],
    module: URL,
    options: CallOptions & Hooks,
  ) => Promise<Results>;
  /** What becomes of the results of the suite's bodies, see there. */
  result?: InScript["result"];
  /** Whether its workers are processes, which must say themselves what they took. */
  inProcesses?: boolean;
  /** Whether it can run on processes, its default, as well as on threads. */
  takesWith?: boolean;
  /** What it shows after a run: fields for the record, and text for people. */
  afterRun?: (exports: Exports, results: Results, options: CallOptions) => Promise<Shown>;
}

/**
 * Runs a script by its command line, from flags to exit status.
 *
 * @param url Its `import.meta.url`.
 */
export async function runScript<Exports>(url: string, script: Script<Exports>): Promise<void> {
  const name = basename(fileURLToPath(url), ".ts");
  const { defaultWorkers, inThisThread, inProcesses, takesWith } = script;
  const table = flagsOf(defaultWorkers, takesWith);
  const flags = parseFlags(table);
  if (flags.help) {
    const kind = defaultWorkers ? "a for loop in parallel" : "the plain for loop";
    return console.log(help(name, kind, describeFlags(table)));
  }

  const usual = defaultWorkers?.(availableParallelism(), flags.with);
  const workers = usual === undefined ? 1 : (flags.workers ?? usual);
  const concurrency = usual === undefined ? 1 : flags.concurrency;
  const work: Work = flags.body ? "body" : flags.work;
  const areProcesses = inProcesses || flags.with === "processes";
  const workerKind: WorkerKind = inThisThread ? "lane" : areProcesses ? "process" : "thread";
  const signal = interruptSignal();
  const target = work === "post" ? flags.url : undefined;
  await confirmRequests(target, sum(flags.requests), flags.retries, flags.yes, signal);
  const takesApi = work === "post" && !target;
  const starting = unlessInterrupted(signal, async () =>
    takesApi ? startApi(["--latency", `${flags.latency}`]) : undefined,
  );
  starting.catch(() => {}); // it is awaited later
  try {
    const technique =
      (await unlessInterrupted(signal, () => load(script, url, flags.body, work))) ??
      notLoaded(signal);
    const api = await starting;
    const apiUrl = api?.url ?? flags.url;
    const context = apiUrl && postOptions(flags, apiUrl, workers * concurrency);
    const options = { workers, concurrency, context, signal, with: flags.with };
    const what = {
      ...{ technique: name, workers, workerKind, concurrency },
      ...{ work, url: apiUrl?.href, timeline: flags.timeline },
    };

    let failed = false;
    for (const requests of flags.requests) {
      await unlessInterrupted(signal, async () => technique.open?.(context));
      const { run, thrown } = await runOnce(name, technique, requests, options);
      const stats = await api?.takeStats().catch(() => undefined); // it may have died
      const interrupted = signal.aborted;
      const shown = interrupted ? undefined : await technique.afterRun?.(run.results, options);
      const record = { ...makeRecord(run, { ...what, interrupted, stats }), ...shown?.fields };
      console.log(flags.json ? JSON.stringify(record) : describeRun(record, run));
      if (shown && !flags.json) console.log(`${shown.text}\n`);
      if (thrown) throw thrown;
      failed ||= record.failed > 0;
      if (interrupted) break;
    }
    if (isError(signal.reason)) throw signal.reason;
    process.exitCode = signal.aborted ? 130 : failed ? 1 : 0;
  } finally {
    await (await starting)?.stop();
  }
}

/** A technique with its body, ready to be called. */
interface Technique {
  /** What the body does in this thread before a run, and after it. */
  open?: (context: unknown) => unknown;
  close?: () => unknown;
  call: (items: number[], options: CallOptions & Hooks) => Promise<Results>;
  afterRun?: (results: Results, options: CallOptions) => Promise<Shown | undefined>;
}

/**
 * Runs a technique once over so many items, with a line of progress.
 *
 * @returns The run, and what the call threw although every item had settled: a teardown failed.
 */
async function runOnce(name: string, technique: Technique, count: number, options: CallOptions) {
  const items = Array.from({ length: count }, (_, index) => index);
  const status = statusLine();
  const begunMs = performance.now();
  let settled = 0;
  let thrown: { results?: Results } | undefined;
  const call = (hooks: Hooks) =>
    technique.call(items, { ...options, ...hooks }).catch((error) => {
      thrown = error;
      return error?.results ?? Promise.reject(error);
    });
  const onExit = () => {
    console.error(`error: the loop body ended the process, ${settled} of ${count} done`);
    process.exitCode = 1;
  };
  process.once("exit", onExit);
  try {
    const run = await measure(call, count, options.workers, (done) => {
      settled = done;
      const leftMs = ((performance.now() - begunMs) / settled) * (count - settled);
      status.show(() => `${name}: ${settled} of ${count}, ${formatMs(leftMs)} left`);
    });
    return { run, thrown };
  } finally {
    status.clear();
    process.off("exit", onExit);
    await technique.close?.();
  }
}

async function load<Exports>(
  { inThisThread, inWorkers, inProcesses, result, afterRun }: Script<Exports>,
  url: string,
  file: string | undefined,
  work: Work,
): Promise<Technique> {
  const own = (name: string) => new URL(`../bodies/${name}.ts`, import.meta.url);
  const module = file ? pathToFileURL(resolve(file)) : own(work);
  if (inThisThread) {
    const { default: body, setup: open, teardown: close } = await import(module.href);
    return { open, close, call: (items, options) => inThisThread(items, body, options) };
  }
  // With a module of the user's, all is loaded as it is, by the flags of this process.
  const files = [new URL(url), own("in-script"), module];
  const [self, inScript, inner] = (file ? files : await loadable(files)) as [URL, URL, URL];
  const exports: Exports = await import(self.href);
  const flags = file ? {} : { execArgv: [] };
  const around = { module: inner.href, result: file ? undefined : result };
  return {
    async call(items, options) {
      const all = { ...options, ...flags };
      if (!inProcesses && !result) return inWorkers!(exports, items, inner, all);
      const context: InScript = { ...around, context: options.context };
      const results = await inWorkers!(exports, items, inScript, { ...all, context });
      return results.map((outcome) => withoutEntry(outcome, around.result));
    },
    afterRun: async (results, options) => afterRun?.(exports, results, { ...options, ...flags }),
  };
}

/** Stands for a technique that was interrupted while it was loaded. */
function notLoaded({ reason }: AbortSignal): Technique {
  return { call: async (items) => items.map(() => ({ status: "rejected", reason })) };
}

/** Ctrl-C also reaches esbuild, which loads and bundles TypeScript: that error is not reported. */
async function unlessInterrupted<T>(signal: AbortSignal, work: () => Promise<T>) {
  try {
    return await work();
  } catch (error) {
    await sleep(100); // the signal may be heard after its consequences
    if (signal.aborted) return undefined;
    throw error;
  }
}

function help(name: string, kind: string, flags: string): string {
  return `${name}.ts: ${kind}

Usage: npx tsx scripts/${name}.ts [flags]

Flags:
${flags}

Exit status: 0 all iterations ok, 1 some failed or another error, 2 bad usage, 130 interrupted.

Examples:
  npx tsx scripts/${name}.ts --requests 100 --latency 50
  npx tsx scripts/${name}.ts --work cpu --json
  npx tsx scripts/${name}.ts --url https://api.example.com/items --requests 20`;
}
