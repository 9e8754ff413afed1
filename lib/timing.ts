// Runs a technique over its items and measures it: total, start-up, each iteration, CPU and memory.

import type { EventEmitter } from "node:events";

/** What a technique tells as it runs. */
export interface Hooks {
  onSettled: (report: Report) => void;
  onWorker: (worker: EventEmitter) => void;
}

/** A settled item: by which worker, and its start and end by {@link nowMs}, or NaN. */
interface Report {
  index: number;
  worker: number;
  startMs: number;
  endMs: number;
}

/** One measured run. Times in milliseconds, by {@link nowMs}; one array entry an item. */
export interface Run {
  results: PromiseSettledResult<unknown>[];
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

/** One array entry an iteration that was run, in the order of their starts. */
export interface Timeline {
  /** From 0; a replacement has the number of the worker that died. */
  worker: number[];
  item: number[];
  startMs: number[];
  endMs: number[];
}

/** What a process took, as it says itself at its end. */
export interface Usage {
  from: "the usage of a process";
  /** User + system, in microseconds. */
  cpu: { user: number; system: number };
  rssBytes: number;
}

/** What the practice API's `GET /stats` answers. Counts everything but requests to /stats itself. */
export interface ApiStats {
  requests: number;
  inFlight: number;
  inFlightPeak: number;
  serviceMs: { mean: number; p99: number };
  /** Status -> count; a dropped connection counts as "reset". */
  statuses: Record<string, number>;
}

/** A clock that threads and processes of one machine share: milliseconds since 1970. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * Runs a technique and measures it.
 *
 * @param count How many items, on so many workers.
 * @param onProgress Hears how many iterations have settled.
 */
export async function measure(
  technique: (hooks: Hooks) => Promise<PromiseSettledResult<unknown>[]>,
  count: number,
  workers: number,
  onProgress: (settled: number) => void,
): Promise<Run> {
  const startMs = new Float64Array(count).fill(Number.NaN);
  const endMs = new Float64Array(count).fill(Number.NaN);
  const ranOn = new Int16Array(count);
  const usages: Usage[] = [];
  let settled = 0;
  const cpuBefore = process.cpuUsage();
  const calledMs = nowMs();
  const results = await technique({
    onSettled(report) {
      ranOn[report.index] = report.worker % workers; // of async.ts it is a lane
      startMs[report.index] = report.startMs;
      endMs[report.index] = report.endMs;
      onProgress(++settled);
    },
    onWorker(worker) {
      worker.on("message", (message: Usage | null) => {
        if (message?.from === "the usage of a process") usages.push(message);
      });
    },
  });
  const ms = nowMs() - calledMs;
  const cpus = [process.cpuUsage(cpuBefore), ...usages.map((usage) => usage.cpu)];
  const cpuMs = sum(cpus.map((cpu) => (cpu.user + cpu.system) / 1000));
  // Replaced workers were not there at the same time: the largest of as many as there are count.
  const sizes = usages.map((usage) => usage.rssBytes).sort((a, b) => b - a);
  const ownPeak = process.resourceUsage().maxRSS * 1024;
  const peakRssBytes = ownPeak + sum(sizes.slice(0, workers));
  return { results, calledMs, ms, startMs, endMs, workers: ranOn, cpuMs, peakRssBytes };
}

/**
 * The value below or at which the share `p` of sorted values lies (nearest rank).
 * @throws {RangeError} There are no values.
 */
export function percentile(sorted: ArrayLike<number>, p: number): number {
  const value = sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("Cannot take a percentile of no values");
  return value;
}

/** All values together. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
