// Measures a run of a technique: total, start-up, each iteration, CPU and memory.

import { EventEmitter } from "node:events";
import { parentPort } from "node:worker_threads";

/** What a technique tells as it runs. */
export interface Hooks {
  onSettled: (report: Report) => unknown;
  onWorker: (worker: EventEmitter) => unknown;
}

/** One iteration: of which item, by which worker, from when to when by {@link nowMs}. */
export interface Iteration {
  index: number;
  /** From 0; a replacement has the number of the worker that died. */
  worker: number;
  /** NaN where no worker reported it. */
  startMs: number;
  endMs: number;
  isOk: boolean;
}

/** A settled item. */
export interface Report extends Omit<Iteration, "isOk"> {
  outcome: PromiseSettledResult<unknown>;
}

/** One measured run. Times in milliseconds, by {@link nowMs}. */
export interface Run {
  calledMs: number;
  /** When the first iteration began; infinite where none did. */
  firstMs: number;
  ms: number;
  /** Those that were run: all up to 100,000 of them, else so many chosen at random. */
  iterations: Iteration[];
  cpuMs: number;
  peakRssBytes: number;
  /** Requests that were sent again, see {@link sayRetried}. */
  retried: number;
  /** How far the wall clock moved since this process began: see {@link nowMs}. 0 if by less than 50. */
  clockMovedMs: number;
}

/** A run with more iterations keeps the times of so many, so that memory stays within bounds. */
const MOST_KEPT = 100_000;

/** One array entry an iteration that was run, in the order of their starts. */
export type Timeline = Record<"worker" | "item" | "startMs" | "endMs", number[]>;

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

/**
 * Milliseconds since 1970, by a clock that does not step. A process takes the wall clock's time when it
 * begins: those that began before and after a step of that have different ones.
 */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

const RETRIED = { from: "a request sent again" } as const;
const thisThread = new EventEmitter();

/** Tells {@link startMeasuring} that a request is sent again: from a worker by message. */
export function sayRetried(): void {
  if (parentPort) parentPort.postMessage(RETRIED);
  else if (process.argv[2]?.startsWith("--worker-of=")) process.send!(RETRIED);
  else thisThread.emit("message", RETRIED);
}

/** Measures a run on so many workers, from this call until `end`. */
export function startMeasuring(workers: number) {
  const iterations: Iteration[] = [];
  const usages: Usage[] = [];
  let firstMs = Number.POSITIVE_INFINITY;
  let ran = 0;
  let retried = 0;
  const hear = (message: Usage | typeof RETRIED | null) => {
    if (message?.from === "the usage of a process") usages.push(message);
    if (message?.from === RETRIED.from) retried++;
  };
  thisThread.on("message", hear);
  const cpuBefore = process.cpuUsage();
  const calledMs = nowMs();
  return {
    onWorker: (worker: EventEmitter) => worker.on("message", hear),
    /** Takes a settled item, if it was run. */
    add({ index, worker, startMs, endMs }: Report, isOk: boolean) {
      if (!(endMs >= startMs)) return;
      // Beyond those that are kept, each takes the place of another as often as is fair.
      const place = ran++ < MOST_KEPT ? iterations.length : Math.floor(Math.random() * ran);
      const lane = worker % workers; // what async.ts says may be a higher number
      if (place < MOST_KEPT) iterations[place] = { index, worker: lane, startMs, endMs, isOk };
      firstMs = Math.min(firstMs, startMs);
    },
    end(): Run {
      thisThread.off("message", hear);
      const ms = nowMs() - calledMs;
      const movedMs = Date.now() - nowMs();
      const clockMovedMs = Math.abs(movedMs) < 50 ? 0 : movedMs;
      const cpus = [process.cpuUsage(cpuBefore), ...usages.map((usage) => usage.cpu)];
      const cpuMs = sum(cpus.map((cpu) => (cpu.user + cpu.system) / 1000));
      // Replaced workers were not there at the same time: the largest of as many as there are count.
      const sizes = usages.map((usage) => usage.rssBytes).sort((a, b) => b - a);
      const ownPeak = process.resourceUsage().maxRSS * 1024;
      const peakRssBytes = ownPeak + sum(sizes.slice(0, workers));
      return { calledMs, firstMs, ms, iterations, cpuMs, peakRssBytes, retried, clockMovedMs };
    },
  };
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
