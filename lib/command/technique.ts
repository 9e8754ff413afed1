// What a script says of its technique, and how that and a loop body are made ready to be called.

import type { EventEmitter } from "node:events";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { InScript } from "../bodies/in-script.ts";
import { loadable } from "../runtime.ts";
import { partsOf, type Report } from "../timing.ts";
import { type FlagTable, UsageError } from "./flags.ts";
import type { Kind, RunRecord, Work } from "./record.ts";

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
/** The same with what measures the run. */
export interface Options extends CallOptions {
  onSettled: (report: Report) => unknown;
  onWorker: (worker: EventEmitter) => unknown;
}

/** A technique as a script; `Exports` are its own. */
export interface Script<Exports = unknown> {
  /** How many workers by default, for so many cores; the plain loop has none to choose. */
  defaultWorkers?: (cores: number, kind: Kind) => number;
  /** Calls a technique that runs the body in this thread. */
  inThisThread?: (items: Items, body: Body, options: Options) => Promise<Results>;
  /** Calls a technique of `self`, the script's exports, that has workers run the body's module. */
  inWorkers?: (self: Exports, items: unknown[], module: URL, options: Options) => Promise<Results>;
  /** Where the results of the suite's bodies go, see {@link InScript}. */
  result?: InScript["result"];
  /** Whether its workers are processes: each must say what CPU time and memory it took. */
  inProcesses?: boolean;
  /** Whether it can run on processes, its default, as well as on threads. */
  takesWith?: boolean;
  /** What it shows after a run: fields for the record, and text for people. */
  afterRun?: (self: Exports, results: Results, options: CallOptions) => Promise<Shown>;
  /** Flags of its own, and what the help says of them. */
  flags?: FlagTable;
  flagsHelp?: string;
  /**
   * Hears all flags before anything is started.
   *
   * @returns Whether that was all there was to do.
   * @throws {UsageError} They cannot be followed.
   */
  begin?: (flags: Record<string, unknown>, self: Exports) => Promise<boolean>;
  /**
   * Loads more of these properties, only where the script is run. The workers of such a script are
   * processes that load the body's file as it is.
   */
  own?: () => Promise<Partial<Script<Exports>>>;
}

/** A technique with its body, ready to be called. */
export interface Technique {
  /** What a body in this thread does before a run, and after it. */
  setup?: (context: unknown) => unknown;
  teardown?: () => unknown;
  call: (items: unknown[], options: Options) => Promise<Results>;
  afterRun?: (results: Results, options: CallOptions) => Promise<Shown | undefined>;
}

/**
 * Loads a technique and its body, one of the suite's or that of the user's `file`.
 *
 * @param url The script's `import.meta.url`.
 * @throws {UsageError} The body cannot be loaded.
 */
export async function load<Exports>(
  { inThisThread, inWorkers, inProcesses, own, result, afterRun }: Script<Exports>,
  url: string,
  file: string | undefined,
  work: Work,
): Promise<Technique> {
  const suite = (name: string) => new URL(`../bodies/${name}.ts`, import.meta.url);
  const module = file ? pathToFileURL(resolve(file)) : suite(work);
  const loop = file || inThisThread ? await loadBody(module) : undefined;
  if (inThisThread)
    return { ...loop, call: (items, options) => inThisThread(items, loop.default, options) };
  // With a module of the user's, all is loaded as it is, by the flags of this process.
  const files = [new URL(url), suite("in-script"), module];
  const [script, inScript, body] = (file || own ? files : await loadable(files)) as [URL, URL, URL];
  const self: Exports = await import(script.href);
  return {
    call(items, options) {
      if (!inProcesses && !result) return inWorkers!(self, items, body, options);
      const { context } = options;
      const around: InScript = { module: body.href, context, result: file ? undefined : result };
      const onSettled = ({ outcome, ...report }: Report) => {
        const { status, value: entries } = outcome as PromiseFulfilledResult<[[number, unknown]]>;
        const returned = entries && { status, value: entries[0][1] }; // by the body itself
        options.onSettled({ ...report, outcome: returned ?? outcome });
      };
      const hooks = around.result === "as entry" ? { onSettled } : {};
      return inWorkers!(self, items, inScript, { ...options, ...hooks, context: around });
    },
    afterRun: async (results, options) => afterRun?.(self, results, options),
  };
}

/** Loads a body in this process, also where workers are to run it: a bad one is found at once. */
async function loadBody(module: URL) {
  const here = globalThis as { isLoading?: boolean }; // a technique that it calls meanwhile refuses
  const onExit = (code: number) => {
    if (code === 130) return; // Ctrl-C, again
    console.error(`error: --body: "${fileURLToPath(module)}" ended the process as it was loaded`);
    process.exitCode = 2;
  };
  process.once("exit", onExit);
  try {
    here.isLoading = true;
    const loop = await import(module.href);
    if (typeof loop.default !== "function") throw new TypeError("it has no default function");
    return loop;
  } catch (error) {
    const { message } = partsOf(error);
    throw new UsageError(`--body: cannot load "${fileURLToPath(module)}": ${message}`);
  } finally {
    here.isLoading = false;
    process.off("exit", onExit);
  }
}
