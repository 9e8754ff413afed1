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
  shownUrl,
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
  /** Flags of its own. */
  flags?: Record<string, Flag<unknown>>;
  /**
   * Hears all flags before anything is started.
   *
   * @returns Whether that was all there was to do.
   * @throws {UsageError} They cannot be followed.
   */
  begin?: (flags: Record<string, unknown>, exports: Exports) => Promise<boolean>;
  /** What it shows after a run: fields for the record, and text for people. */
  afterRun?: (exports: Exports, results: Results, options: CallOptions) => Promise<Shown>;
  /**
   * More of all this, loaded only where the script is run. Its workers are processes that load the
   * body as it is, by a command line.
   */
  own?: () => Promise<Partial<Script<Exports>>>;
}

/**
 * Runs a script by its command line, from flags to exit status.
 *
 * @param file Its `import.meta.url`.
 */
export async function runScript<Exports>(file: string, common: Script<Exports>): Promise<void> {
  const name = basename(fileURLToPath(file), ".ts");
  const script = { ...common, ...(await common.own?.()) };
  const { defaultWorkers, inThisThread } = script;
  const table = { ...flagsOf(defaultWorkers, script.takesWith), ...script.flags };
  const flags = parseFlags(table);
  if (flags.help) return print(help(name, defaultWorkers !== undefined, describeFlags(table)));
  if (await script.begin?.(flags, await import(file))) return;

  const sizes = sizesOf(flags, script);
  const signal = interruptSignal();
  const work: Work = flags.body ? "body" : flags.work;
  const target = work === "post" ? flags.url : undefined;
  await confirmRequests(target, sum(sizes), flags.retries, flags.yes, signal);
  const results = flags.results === undefined ? undefined : openResults(flags.results, flags.again);
  const starting = unlessInterrupted(signal, async () =>
    work === "post" && !target ? startApi(["--latency", `${flags.latency}`]) : undefined,
  );
  const loading = unlessInterrupted(signal, () => load(script, file, flags.body, work));
  try {
    const [api, technique = NOTHING_LOADED] = await Promise.all([starting, loading]);
    const apiUrl = api?.url ?? flags.url;
    const cores = availableParallelism();
    const [workers, concurrency] = defaultWorkers
      ? [flags.workers ?? defaultWorkers(cores, flags.with), flags.concurrency]
      : [1, 1];
    const areProcesses = script.inProcesses || script.own || flags.with === "processes";
    const workerKind: WorkerKind = inThisThread ? "lane" : areProcesses ? "process" : "thread";
    const url = work === "post" && apiUrl ? { url: shownUrl(apiUrl) } : {};
    const what = { technique: name, workers, workerKind, concurrency, work, ...url };
    const options: CallOptions = {
      workers,
      concurrency,
      signal,
      with: flags.with,
      context: apiUrl && postOptions(flags, apiUrl, workers * concurrency),
      // A module of the user's has a time limit of its own, and the flags of this process.
      ...(flags.body ? flags.timeout && { itemTimeoutMs: flags.timeout } : { execArgv: [] }),
    };

    let failed = false;
    for (const size of sizes) {
      const asTheyCome = flags.items === "-" && inThisThread !== undefined;
      const todo = await itemsToRun(flags.items, size, results, asTheyCome, signal);
      const { run, tally, thrown } = await runOnce(name, work, technique, todo, options);
      const stats = await api?.takeStats().catch(() => undefined); // it may have died
      const interrupted = signal.aborted;
      const shown = interrupted ? undefined : await technique.afterRun?.(run.results, options);
      const requests = todo.count ?? tally.settled;
      const isTold = work === "post" && flags.retries > 0 && !script.own;
      const retried = isTold ? { retried: run.retried } : {};
      const about = { ...what, requests, interrupted, ...retried, ...results?.before };
      const measured = makeRecord(run, tally, about, flags.timeline, stats);
      const record = { ...measured, ...shown?.fields };
      await print(flags.json ? JSON.stringify(record) : describeRun(record, run, tally));
      if (shown && !flags.json) await print(`${shown.text}\n`);
      if (thrown) throw thrown;
      failed ||= record.failed + (record.failedBefore ?? 0) > 0;
      if (interrupted) break;
    }
    if (isError(signal.reason)) throw signal.reason;
    process.exitCode = signal.aborted ? 130 : failed ? 1 : 0;
  } finally {
    await (await starting)?.stop();
  }
}

/** How many items each run takes at most. @throws {UsageError} Flags that do not go together. */
function sizesOf(
  flags: Values<ReturnType<typeof flagsOf>>,
  { inThisThread, flags: own }: Pick<Script, "inThisThread" | "flags">,
): number[] {
  const { requests, items, results, again, body, work, timeout } = flags;
  if (requests.length > 1 && (items === "-" || results !== undefined))
    throw new UsageError(
      `--requests: expected one number with stdin or --results, found ${requests}`,
    );
  if (again && results === undefined && !own?.again)
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
  /** What a body in this thread does before a run, and after it. */
  setup?: (context: unknown) => unknown;
  teardown?: () => unknown;
  call: (items: unknown[], options: CallOptions & Hooks) => Promise<Results>;
  afterRun?: (results: Results, options: CallOptions) => Promise<Shown | undefined>;
}
/** Stands for a technique that was interrupted while it was loaded. */
const NOTHING_LOADED: Technique = { call: async () => [] };

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
    const { default: body, setup, teardown } = loop!;
    return { setup, teardown, call: (items, options) => inThisThread(items, body, options) };
  }
  // With a module of the user's, all is loaded as it is, by the flags of this process.
  const files = [new URL(url), suite("in-script"), module];
  const [self, inScript, inner] = (file || own ? files : await loadable(files)) as [URL, URL, URL];
  const exports: Exports = await import(self.href);
  return {
    call(items, options) {
      if (!inProcesses && !result) return inWorkers!(exports, items, inner, options);
      const { context } = options;
      const around: InScript = { module: inner.href, context, result: file ? undefined : result };
      const onSettled = (report: Report) =>
        options.onSettled({ ...report, outcome: withoutEntry(report.outcome) });
      const hooks = around.result === "as entry" ? { onSettled } : {};
      return inWorkers!(exports, items, inScript, { ...options, ...hooks, context: around });
    },
    afterRun: async (results, options) => afterRun?.(exports, results, options),
  };
}

/**
 * Runs a technique once, with a line of progress.
 *
 * @returns The run, what became of its items, and what the call threw although every item had
 *   settled: a teardown failed.
 */
async function runOnce(
  name: string,
  work: Work,
  { setup, call, teardown }: Technique,
  todo: Todo,
  options: CallOptions,
) {
  await unlessInterrupted(options.signal, async () => setup?.(options.context));
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
  const technique = ({ onSettled, onWorker }: Hooks) =>
    todo
      .run((items, onSettled) => call(items, { ...options, onSettled, onWorker }), onSettled)
      .catch((error) => {
        thrown = error;
        return error?.results ?? Promise.reject(error);
      });
  try {
    const run = await measure(technique, options.workers, (report) => {
      const isOk = countSettled(tally, work, report);
      const eachMs = (performance.now() - begunMs) / tally.settled;
      const left = () => `, ${formatMs(eachMs * (todo.count! - tally.settled))} left`;
      status.show(() => `${name}: ${tally.settled}${of}${of && left()}`);
      return isOk;
    });
    return { run, tally, thrown };
  } finally {
    status.clear();
    process.off("exit", onExit);
    await teardown?.();
  }
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

function help(name: string, isParallel: boolean, flags: string): string {
  return `${name}.ts: ${isParallel ? "a for loop in parallel" : "the plain for loop"}

Usage: npx tsx scripts/${name}.ts [flags]

Flags:
${flags}

Exit status: 0 all iterations ok, 1 some failed or another error, 2 bad usage, 130 interrupted.

Examples:
  npx tsx scripts/${name}.ts --requests 100 --latency 50
  npx tsx scripts/${name}.ts --work cpu --json
  npx tsx scripts/${name}.ts --url https://api.example.com/items --requests 20`;
}
