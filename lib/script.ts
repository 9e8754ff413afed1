// What runs a script: flags, the practice API up and down, signals, output, exit status.

import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { startApi } from "./api-process.ts";
import { confirmRequests } from "./consent.ts";
import { describeRun } from "./describe-run.ts";
import { choice, describeFlags, type Flag, onOff, parseFlags } from "./flags.ts";
import { formatMs } from "./format.ts";
import { startGuard } from "./guard.ts";
import { interruptSignal, isError } from "./interrupt.ts";
import { main } from "./main.ts";
import { measure, type Technique, type TechniqueOptions } from "./measure.ts";
import { closeConnections } from "./post.ts";
import { makeRecord, type RunRecord } from "./record.ts";
import { scriptFlags, taskOf } from "./script-flags.ts";
import type { Task } from "./task.ts";
import { statusLine } from "./terminal.ts";
import { workerEntry } from "./worker-entry.ts";

/** A technique as a script. */
export interface Script {
  name: string;
  technique: Technique;
  /** How many workers by default, for so many cores; the plain loop has none to choose. */
  defaultWorkers?: (cores: number, kind: TechniqueOptions["with"]) => number;
  /** Whether it can run on processes, its default, as well as on threads. */
  takesWith?: boolean;
  /** What the loop body needs once, where it runs in this thread (and can keep it from hearing Ctrl-C). */
  prepare?: (task: Task) => Promise<void>;
  /** Its `import.meta.url`, where it starts threads or processes. */
  startsWorkersFrom?: string;
  /** What it shows after a run: fields for the record, and text for people. */
  afterRun?: (
    results: PromiseSettledResult<number>[],
    options: TechniqueOptions,
  ) => Promise<{ fields: Partial<RunRecord>; text: string }>;
}

/** Runs a script by its command line, from flags to exit status. */
export function runScript(script: Script): Promise<void> {
  return main(async () => {
    const flags = parseFlags(flagsOf(script));
    if (flags.help) return console.log(help(script));

    const { defaultWorkers } = script;
    const workers = defaultWorkers
      ? (flags.workers ?? defaultWorkers(availableParallelism(), flags.with))
      : 1;
    const inFlight = defaultWorkers ? flags["in-flight"] : 1;
    const signal = interruptSignal();
    const requests = flags.requests.reduce((sum, size) => sum + size, 0);
    const target = flags.work === "post" ? flags.url : undefined;
    await confirmRequests(target, requests, flags.retries, flags.yes, signal);
    const practice = flags.work === "post" && !flags.url;
    const starting = practice
      ? unlessInterrupted(signal, () => startApi(["--latency", String(flags.latency)]))
      : undefined;
    const status = statusLine();
    const guarding = script.prepare && startGuard(signal);
    try {
      const from = script.startsWorkersFrom;
      const start = from && (await unlessInterrupted(signal, () => workerEntry(from)));
      const api = await starting;
      await guarding;
      const task = taskOf(flags, api?.url ?? flags.url, workers * inFlight);
      const options = { workers, inFlight, task, signal, with: flags.with, ...(start || {}) };
      await unlessInterrupted(signal, async () => script.prepare?.(task));

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
        const begunMs = performance.now();
        running = `0 of ${requests} done`;
        const run = await measure(script.technique, items, options, (settled) => {
          running = `${settled} of ${requests} done`;
          const leftMs = ((performance.now() - begunMs) / settled) * (requests - settled);
          status.show(() => `${script.name}: ${settled} of ${requests}, ${formatMs(leftMs)} left`);
        }).finally(() => {
          running = undefined;
        });
        status.clear();
        await closeConnections();
        const stats = await api?.takeStats().catch(() => undefined); // it may have died
        interrupted = signal.aborted;
        const { timeline } = flags;
        const how = { workers, inFlight, task, interrupted, stats, timeline };
        const shown = interrupted ? undefined : await script.afterRun?.(run.results, options);
        const record = { ...makeRecord(run, { technique: script.name, ...how }), ...shown?.fields };
        console.log(flags.json ? JSON.stringify(record) : describeRun(record, run));
        if (shown && !flags.json) console.log(`${shown.text}\n`);
        failed ||= record.failed > 0;
        if (interrupted) break;
      }
      if (isError(signal.reason)) throw signal.reason;
      process.exitCode = signal.aborted ? 130 : failed ? 1 : 0;
    } finally {
      (await guarding)?.();
      status.clear();
      await closeConnections();
      await (await starting)?.stop();
    }
  });
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
function flagsOf({ defaultWorkers, takesWith }: Script) {
  const cores = availableParallelism();
  const [few, many] = [defaultWorkers?.(cores, "processes"), defaultWorkers?.(cores, "threads")];
  const kind: Flag<TechniqueOptions["with"]> = choice(["processes", "threads"], {
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

function help(script: Script): string {
  const { name, defaultWorkers } = script;
  return `${name}.ts: ${defaultWorkers ? "a for loop in parallel" : "the plain for loop"}

Usage: npx tsx scripts/${name}.ts [flags]

Flags:
${describeFlags(flagsOf(script))}

Exit status: 0 all iterations ok, 1 some failed or another error, 2 bad usage, 130 interrupted.

Examples:
  npx tsx scripts/${name}.ts --requests 100 --latency 50
  npx tsx scripts/${name}.ts --work cpu --json
  npx tsx scripts/${name}.ts --url https://api.example.com/items --requests 20`;
}
