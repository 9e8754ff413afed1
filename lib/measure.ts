// Runs a technique over its items and measures it: total, start-up, each iteration, CPU and memory.

import { sum } from "./statistics.ts";
import type { Task } from "./task.ts";
import type { Usage } from "./workers/serve.ts";
import type { WorkerKind } from "./workers/start.ts";
import type { WorkerOptions } from "./workers/supervise.ts";

/** What every technique takes beside the items. */
export interface TechniqueOptions extends WorkerOptions<number> {
  inFlight: number;
  task: Task;
  signal: AbortSignal;
  /** What the workers of a dictionary script are. */
  with: WorkerKind;
}

/** A technique: one settled result for each item, in the items' order. */
export type Technique = (
  items: readonly number[],
  options: TechniqueOptions,
) => Promise<PromiseSettledResult<number>[]>;

/** One measured run. Times in milliseconds, by {@link nowMs}; one array entry an item. */
export interface Run {
  results: PromiseSettledResult<number>[];
  calledMs: number;
  ms: number;
  /** Start and end of each iteration; NaN for one that never reported. */
  startMs: Float64Array;
  endMs: Float64Array;
  /** The number of the worker that ran it, from 0. */
  workers: Int16Array;
  cpuMs: number;
  peakRssBytes: number;
}

/** A clock that threads and processes of one machine share: milliseconds since 1970. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Calls the technique and measures it. `onProgress` hears how many iterations have settled. */
export async function measure(
  technique: Technique,
  items: readonly number[],
  options: TechniqueOptions,
  onProgress: (settled: number) => void,
): Promise<Run> {
  const startMs = new Float64Array(items.length).fill(Number.NaN);
  const endMs = new Float64Array(items.length).fill(Number.NaN);
  const workers = new Int16Array(items.length);
  const usages: Usage[] = [];
  let settled = 0;
  const cpuBefore = process.cpuUsage();
  const calledMs = nowMs();
  const results = await technique(items, {
    ...options,
    onUsage: (usage) => usages.push(usage),
    onSettled(report, worker) {
      workers[report.index] = worker;
      startMs[report.index] = report.startMs;
      endMs[report.index] = report.endMs;
      onProgress(++settled);
    },
  });
  const ms = nowMs() - calledMs;
  const cpus = [process.cpuUsage(cpuBefore), ...usages.map((usage) => usage.cpu)];
  const cpuMs = sum(cpus.map((cpu) => (cpu.user + cpu.system) / 1000));
  // Replaced workers were not there at the same time: the largest of as many as there are count.
  const sizes = usages.map((usage) => usage.rssBytes).sort((a, b) => b - a);
  const ownPeak = process.resourceUsage().maxRSS * 1024;
  const peakRssBytes = ownPeak + sum(sizes.slice(0, options.workers));
  return { results, calledMs, ms, startMs, endMs, workers, cpuMs, peakRssBytes };
}
