// What runs a script: flags, the practice API up and down, signals, output, exit status.

import { availableParallelism } from "node:os";
import { basename, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type InScript, withoutEntry } from "../bodies/in-script.ts";
import { loadable } from "../runtime.ts";
import { formatMs } from "../terminal/format.ts";
import { print, statusLine } from "../terminal/terminal.ts";
import { type Hooks, measure, type Report, sum } from "../timing.ts";
import { confirmRequests } from "./consent.ts";
import { describeRun } from "./describe-run.ts";
import { describeFlags, type Flag, parseFlags, UsageError, type Values } from "./flags.ts";
import { interruptSignal, isError } from "./interrupt.ts";
import { itemsToRun, type Todo } from "./items.ts";
import { startApi } from "./practice-api.ts";
import {
  countSettled,
  makeRecord,
  newTally,
  type RunRecord,
  type Work,
  type WorkerKind,
} from "./record.ts";
import { openResults } from "./results.ts";
import { flagsOf, type Kind, postOptions } from "./script-flags.ts";

type Results = PromiseSettledResult<unknown>[];
type Items = Iterable<unknown> | AsyncIterable<unknown>;
type Body = (item: unknown, context: unknown) => unknown;
type Shown = { fields: Partial<RunRecord>; text: string };

/** What a script calls its technique with, beside items and body. */
export interface CallOptions {
  workers: number;
  concurrency: number;
  context: unknown;
  signal: AbortSignal;
  /** What the workers of a dictionary script are. */
  with: Kind;
  itemTimeoutMs?: number;
  execArgv?: string[];
}

/** What a script has of its own that is loaded only where it is run. */
export interface OwnPart<Exports> extends Pick<Script<Exports>, "inWorkers" | "afterRun"> {
  flags: Record<string, Flag<unknown>>;
  /**
   * Hears all flags before anything is started.
   *
   * @returns Whether that was all there was to do.
   * @throws {UsageError} They cannot be followed.
   */
  begin: (flags: Record<string, unknown>, exports: Exports) => Promise<boolean>;
}

/** A technique as a script; `Exports` are its own. */
export interface Script<Exports = unknown> {
  /** How many workers by default, for so many cores; the plain loop has none to choose. */
  defaultWorkers?: (cores: number, kind: Kind) => number;
  /** Calls a technique that runs the body in this thread. */
  inThisThread?: (items: Items, body: Body, options: CallOptions & Hooks) => Promise<Results>;
  /** Calls a technique that has workers run the body's module; it is that of `exports`. */
  inWorkers?: (
    exports: Exports,
    items: unknown[],
    module: URL,
    options: CallOptions & Hooks,
  ) => Promise<Results>;
  /** What becomes of the results of the suite's bodies, see there. */
  result?: InScript["result"];
  /** Whether its workers are processes, which must say themselves what they took. */
  inProcesses?: boolean;
  /** Whether it can run on processes, its default, as well as on threads. */
  takesWith?: boolean;
  /** Its own part. Its workers are processes that load the body as it is, by a command line. */
  own?: () => Promise<OwnPart<Exports>>;
  /** What it shows after a run: fields for the record, and text for people. */
  afterRun?: (exports: Exports, results: Results, options: CallOptions) => Promise<Shown>;
}

/**
 * Runs a script by its command line, from flags to exit status.
 *
 * @param url Its `import.meta.url`.
 */
export async function runScript<Exports>(url: string, common: Script<Exports>): Promise<void> {
  const name = basename(fileURLToPath(url), ".ts");
  const own = await common.own?.();
  const script = { ...common, ...own };
  const { defaultWorkers, inThisThread, inProcesses, takesWith } = script;
  const table = { ...flagsOf(defaultWorkers, takesWith), ...own?.flags };
  const flags = parseFlags(table);
  if (flags.help) {
    const kind = defaultWorkers ? "a for loop in parallel" : "the plain for loop";
    return print(help(name, kind, describeFlags(table)));
  }
  if (await own?.begin(flags, await import(url))) return;

  const usual = defaultWorkers?.(availableParallelism(), flags.with);
  const workers = usual === undefined ? 1 : (flags.workers ?? usual);
  const concurrency = usual === undefined ? 1 : flags.concurrency;
  const work: Work = flags.body ? "body" : flags.work;
  const areProcesses = inProcesses || own || flags.with === "processes";
  const workerKind: WorkerKind = inThisThread ? "lane" : areProcesses ? "process" : "thread";
  const sizes = sizesOf(flags, script);
  const signal = interruptSignal();
  const target = work === "post" ? flags.url : undefined;
  await confirmRequests(target, sum(sizes), flags.retries, flags.yes, signal);
  const results = flags.results === undefined ? undefined : openResults(flags.results, flags.again);
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
    const limit = flags.body && flags.timeout ? { itemTimeoutMs: flags.timeout } : {};
    const options = { workers, concurrency, context, signal, with: flags.with, ...limit };
    const what = {
      ...{ technique: name, workers, workerKind, concurrency },
      ...{ work, url: apiUrl?.href, timeline: flags.timeline },
      retries: work === "post" && flags.retries > 0 && !own,
    };

    let failed = false;
    for (const size of sizes) {
      const asTheyCome = flags.items === "-" && inThisThread !== undefined;
      const todo = await itemsToRun(flags.items, size, results, asTheyCome, signal);
      await unlessInterrupted(signal, async () => technique.open?.(context));
      const { run, tally, thrown } = await runOnce(name, technique, todo, work, options);
      const stats = await api?.takeStats().catch(() => undefined); // it may have died
      const interrupted = signal.aborted;
      const shown = interrupted ? undefined : await technique.afterRun?.(run.results, options);
      const requests = todo.count ?? tally.settled;
      const before = results && {
        doneBefore: todo.doneBefore,
        failedBefore: results.failedBefore,
      };
      const all = { ...what, requests, interrupted, tally, stats, ...before };
      const record = { ...makeRecord(run, all), ...shown?.fields };
      await print(flags.json ? JSON.stringify(record) : describeRun(record, run, tally));
      if (shown && !flags.json) await print(`${shown.text}\n`);
      if (thrown) throw thrown;
      failed ||= record.failed + (before?.failedBefore ?? 0) > 0;
      if (interrupted) break;
    }
    if (isError(signal.reason)) throw signal.reason;
    process.exitCode = signal.aborted ? 130 : failed ? 1 : 0;
  } finally {
    results?.close();
    await (await starting)?.stop();
  }
}

/** How many items each run takes at most. @throws {UsageError} Flags that do not go together. */
function sizesOf(
  flags: Values<ReturnType<typeof flagsOf>>,
  { inThisThread, own }: Pick<Script, "inThisThread"> & { own?: unknown },
): number[] {
  const { requests, items, results, again, body, work, timeout } = flags;
  if (requests.length > 1 && (items === "-" || results !== undefined))
    throw new UsageError(
      `--requests: expected one number with stdin or --results, found ${requests}`,
    );
  if (again && results === undefined && !own)
    throw new UsageError("--again: expected --results with it");
  if (items !== undefined && !body && work === "cpu")
    throw new UsageError("--items: expected --body or other --work than cpu with it");
  if (timeout !== undefined && body && inThisThread)
    throw new UsageError(
      "--timeout: expected workers with --body, which can be ended: here are none",
    );
  if (requests.length > 0) return requests;
  return [items === undefined ? 500 : Number.POSITIVE_INFINITY];
}

/** A technique with its body, ready to be called. */
interface Technique {
  /** What the body does in this thread before a run, and after it. */
  open?: (context: unknown) => unknown;
  close?: () => unknown;
  call: (items: unknown[], options: CallOptions & Hooks) => Promise<Results>;
  afterRun?: (results: Results, options: CallOptions) => Promise<Shown | undefined>;
}

/**
 * Runs a technique once, with a line of progress.
 *
 * @returns The run, what became of its items, and what the call threw although every item had
 *   settled: a teardown failed.
 */
async function runOnce(
  name: string,
  technique: Technique,
  todo: Todo,
  work: Work,
  options: CallOptions,
) {
  const tally = newTally();
  const status = statusLine();
  const begunMs = performance.now();
  const of = todo.count === undefined ? "" : ` of ${todo.count}`;
  let thrown: { results?: Results } | undefined;
  const onExit = () => {
    console.error(`error: the loop body ended the process, ${tally.settled}${of} done`);
    process.exitCode = 1;
  };
  process.once("exit", onExit);
  try {
    const call = (hooks: Hooks) =>
      todo.run(technique.call, { ...options, ...hooks }).catch((error) => {
        thrown = error;
        return error?.results ?? Promise.reject(error);
      });
    const run = await measure(call, options.workers, (report) => {
      const isOk = countSettled(tally, work, report);
      const eachMs = (performance.now() - begunMs) / tally.settled;
      const left = () => `, ${formatMs(eachMs * (todo.count! - tally.settled))} left`;
      status.show(() => `${name}: ${tally.settled}${of}${todo.count === undefined ? "" : left()}`);
      return isOk;
    });
    return { run, tally, thrown };
  } finally {
    status.clear();
    process.off("exit", onExit);
    await technique.close?.();
  }
}

async function load<Exports>(
  { inThisThread, inWorkers, inProcesses, own, result, afterRun }: Script<Exports>,
  url: string,
  file: string | undefined,
  work: Work,
): Promise<Technique> {
  const suite = (name: string) => new URL(`../bodies/${name}.ts`, import.meta.url);
  const module = file ? pathToFileURL(resolve(file)) : suite(work);
  const loop = file || inThisThread ? await loadBody(module) : undefined;
  if (inThisThread) {
    const { default: body, setup: open, teardown: close } = loop!;
    return { open, close, call: (items, options) => inThisThread(items, body, options) };
  }
  // With a module of the user's, all is loaded as it is, by the flags of this process.
  const files = [new URL(url), suite("in-script"), module];
  const [self, inScript, inner] = (file || own ? files : await loadable(files)) as [URL, URL, URL];
  const exports: Exports = await import(self.href);
  const flags = file ? {} : { execArgv: [] };
  const around = { module: inner.href, result: file ? undefined : result };
  return {
    async call(items, options) {
      const all = { ...options, ...flags };
      if (!inProcesses && !result) return inWorkers!(exports, items, inner, all);
      const context: InScript = { ...around, context: options.context };
      if (around.result !== "as entry")
        return inWorkers!(exports, items, inScript, { ...all, context });
      const onSettled = (report: Report) =>
        options.onSettled({ ...report, outcome: withoutEntry(report.outcome) });
      const results = await inWorkers!(exports, items, inScript, { ...all, context, onSettled });
      return results.map(withoutEntry);
    },
    afterRun: async (results, options) => afterRun?.(exports, results, { ...options, ...flags }),
  };
}

/** Loads a body in this process: also where workers are to run it, to know that it is one. */
async function loadBody(module: URL) {
  const here = globalThis as { isLoading?: boolean }; // a technique that it calls meanwhile refuses
  try {
    here.isLoading = true;
    const loop = await import(module.href);
    if (typeof loop.default !== "function") throw new TypeError("it has no default function");
    return loop;
  } catch (error) {
    const { message = String(error) } = (error ?? {}) as Partial<Error>;
    throw new UsageError(`--body: cannot load "${fileURLToPath(module)}": ${message}`);
  } finally {
    here.isLoading = false;
  }
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
