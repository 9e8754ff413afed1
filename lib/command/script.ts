// What runs a script: flags, the practice API up and down, signals, output, exit status.

import { availableParallelism } from "node:os";
import { basename, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startApi } from "../api/api-process.ts";
import { type InScript, withoutEntry } from "../bodies/in-script.ts";
import { loadable } from "../runtime.ts";
import { formatMs } from "../terminal/format.ts";
import { statusLine } from "../terminal/terminal.ts";
import { type Hooks, measure } from "../timing.ts";
import { confirmRequests } from "./consent.ts";
import { describeRun } from "./describe-run.ts";
import { choice, describeFlags, type Flag, onOff, parseFlags } from "./flags.ts";
import { interruptSignal, isError } from "./interrupt.ts";
import { makeRecord, type RunRecord, type Work, type WorkerKind } from "./record.ts";
import { postOptions, scriptFlags } from "./script-flags.ts";

type Results = PromiseSettledResult<unknown>[];
type Body = (item: number, context: unknown) => unknown;
type Kind = "processes" | "threads";

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
  /** The body that {@link Script.afterRun} lets workers run, by its name in bodies/. */
  study?: string;
  /** Whether its workers are processes, which must say themselves what they took. */
  inProcesses?: boolean;
  /** Whether it can run on processes, its default, as well as on threads. */
  takesWith?: boolean;
  /** What it shows after a run: fields for the record, and text for people. */
  afterRun?: (
    exports: Exports,
    results: Results,
    options: CallOptions,
    study: URL,
  ) => Promise<{ fields: Partial<RunRecord>; text: string }>;
}

/**
 * Runs a script by its command line, from flags to exit status.
 *
 * @param url Its `import.meta.url`.
 */
export async function runScript<Exports>(url: string, script: Script<Exports>): Promise<void> {
  const name = basename(fileURLToPath(url), ".ts");
  const flags = parseFlags(flagsOf(script));
  if (flags.help) return console.log(help(name, script));

  const { defaultWorkers } = script;
  const workers = defaultWorkers
    ? (flags.workers ?? defaultWorkers(availableParallelism(), flags.with))
    : 1;
  const concurrency = defaultWorkers ? flags.concurrency : 1;
  const work: Work = flags.body ? "body" : flags.work;
  const areProcesses = script.inProcesses || flags.with === "processes";
  const workerKind: WorkerKind = script.inThisThread ? "lane" : areProcesses ? "process" : "thread";
  const signal = interruptSignal();
  const requests = flags.requests.reduce((sum, size) => sum + size, 0);
  const target = work === "post" ? flags.url : undefined;
  await confirmRequests(target, requests, flags.retries, flags.yes, signal);
  const practice = work === "post" && !flags.url;
  const starting = practice
    ? unlessInterrupted(signal, () => startApi(["--latency", String(flags.latency)]))
    : undefined;
  starting?.catch(() => {}); // it is awaited later
  const status = statusLine();
  try {
    const technique = await unlessInterrupted(signal, () => load(script, url, flags.body, work));
    const api = await starting;
    const apiUrl = api?.url ?? flags.url;
    const context = apiUrl && postOptions(flags, apiUrl, workers * concurrency);
    const options = { workers, concurrency, context, signal, with: flags.with };

    let failed = false;
    let interrupted = false;
    let running: string | undefined;
    process.once("exit", () => {
      if (!running) return;
      console.error(`error: the loop body ended the process, ${running}`);
      process.exitCode = 1;
    });
    for (const requests of flags.requests) {
      const items = Array.from({ length: requests }, (_, index) => index);
      await unlessInterrupted(signal, async () => technique?.open?.(context));
      const begunMs = performance.now();
      running = `0 of ${requests} done`;
      // Interrupted as it was loaded, there is none; a teardown that throws comes with the results.
      const none = items.map(() => ({ status: "rejected", reason: signal.reason }) as const);
      let thrown: { results?: Results } | undefined;
      const call = async (hooks: Hooks) => {
        try {
          return (await technique?.call(items, { ...options, ...hooks })) ?? none;
        } catch (error) {
          thrown = error as { results?: Results };
          if (!thrown.results) throw error;
          return thrown.results;
        }
      };
      const run = await measure(call, requests, workers, (settled) => {
        running = `${settled} of ${requests} done`;
        const leftMs = ((performance.now() - begunMs) / settled) * (requests - settled);
        status.show(() => `${name}: ${settled} of ${requests}, ${formatMs(leftMs)} left`);
      }).finally(() => {
        running = undefined;
        return technique?.close?.();
      });
      status.clear();
      const stats = await api?.takeStats().catch(() => undefined); // it may have died
      interrupted = signal.aborted;
      const { timeline } = flags;
      const how = { workers, workerKind, concurrency, work, url: apiUrl?.href };
      const seen = { interrupted, stats, timeline };
      const shown = interrupted ? undefined : await technique?.afterRun?.(run.results, options);
      const record = { ...makeRecord(run, { technique: name, ...how, ...seen }), ...shown?.fields };
      console.log(flags.json ? JSON.stringify(record) : describeRun(record, run));
      if (shown && !flags.json) console.log(`${shown.text}\n`);
      if (thrown) throw thrown;
      failed ||= record.failed > 0;
      if (interrupted) break;
    }
    if (isError(signal.reason)) throw signal.reason;
    process.exitCode = signal.aborted ? 130 : failed ? 1 : 0;
  } finally {
    status.clear();
    await (await starting)?.stop();
  }
}

/** A technique with its body, ready to be called. */
interface Loaded {
  /** What the body does in this thread before a run, and after it. */
  open?: (context: unknown) => unknown;
  close?: () => unknown;
  call: (items: number[], options: CallOptions & Hooks) => Promise<Results>;
  afterRun?: (
    results: Results,
    options: CallOptions,
  ) => Promise<{ fields: Partial<RunRecord>; text: string }>;
}

async function load<Exports>(
  script: Script<Exports>,
  url: string,
  file: string | undefined,
  work: Work,
): Promise<Loaded> {
  const { inThisThread, inWorkers, afterRun } = script;
  const own = (name: string) => new URL(`../bodies/${name}.ts`, import.meta.url);
  const module = file ? pathToFileURL(resolve(file)) : own(work);
  if (inThisThread) {
    const { default: body, setup, teardown } = await import(module.href);
    return {
      open: setup,
      close: teardown,
      call: (items, options) => inThisThread(items, body, options),
    };
  }
  const ours = [new URL(url), own("in-script"), ...(script.study ? [own(script.study)] : [])];
  // With a module of the user's, all is loaded as it is, by the flags of this process.
  const ready = file ? ours : await loadable([...ours, module]);
  const [self, inScript, study] = ready as [URL, URL, URL];
  const exports: Exports = await import(self.href);
  const flags = file ? {} : { execArgv: [] };
  const inner = file ? module : ready.at(-1)!;
  const result = file ? undefined : script.result;
  return {
    async call(items, { context, ...options }) {
      const call = { ...options, ...flags };
      if (!script.inProcesses && !script.result)
        return inWorkers!(exports, items, inner, { ...call, context });
      const around: InScript = { module: inner.href, context, result };
      const results = await inWorkers!(exports, items, inScript, { ...call, context: around });
      return results.map((outcome) => withoutEntry(outcome, result));
    },
    ...(afterRun && {
      afterRun: (results, options) => afterRun(exports, results, { ...options, ...flags }, study),
    }),
  };
}

/** Ctrl-C also reaches esbuild, which loads and bundles TypeScript; the error that this causes is not reported. */
async function unlessInterrupted<T>(signal: AbortSignal, work: () => Promise<T>) {
  try {
    return await work();
  } catch (error) {
    await sleep(100); // the signal may be heard after its consequences
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** The flags of a script, --with for those that take it. */
function flagsOf<Exports>({ defaultWorkers, takesWith }: Script<Exports>) {
  const cores = availableParallelism();
  const [few, many] = [defaultWorkers?.(cores, "processes"), defaultWorkers?.(cores, "threads")];
  const kind: Flag<Kind> = choice(["processes", "threads"], {
    initial: "processes",
    help: "what the workers are",
  });
  const flags = scriptFlags(few === many ? few?.toString() : `${few} processes or ${many} threads`);
  const { json, help, ...others } = flags;
  const timeline = onOff("draws what each worker did when; with --json, puts it into the record");
  const all = { with: kind, ...others, timeline, json, help };
  if (!takesWith) delete (all as Partial<typeof all>).with; // unknown to the others
  return all;
}

function help<Exports>(name: string, script: Script<Exports>): string {
  return `${name}.ts: ${script.defaultWorkers ? "a for loop in parallel" : "the plain for loop"}

Usage: npx tsx scripts/${name}.ts [flags]

Flags:
${describeFlags(flagsOf(script))}

Exit status: 0 all iterations ok, 1 some failed or another error, 2 bad usage, 130 interrupted.

Examples:
  npx tsx scripts/${name}.ts --requests 100 --latency 50
  npx tsx scripts/${name}.ts --work cpu --json
  npx tsx scripts/${name}.ts --url https://api.example.com/items --requests 20`;
}
