// Measures a run of a technique: in all, start-up, each iteration, CPU and memory; counts its outcomes.

import { EventEmitter } from "node:events";
import { inspect } from "node:util";
import { parentPort } from "node:worker_threads";

/** A settled item: which, by which worker, from when to when by {@link nowMs}. */
export interface Report {
  index: number;
  /** From 0; a replacement has the number of the worker that died. */
  worker: number;
  /** NaN where no worker reported it. */
  startMs: number;
  endMs: number;
  outcome: PromiseSettledResult<unknown>;
}

/** One measured run. Times in milliseconds, by {@link nowMs}. */
export type Run = ReturnType<ReturnType<typeof startMeasuring>["end"]>;

/** A run with more iterations keeps the times of so many, so that memory stays within bounds. */
const MOST_KEPT = 100_000;
const FAILURES_KEPT = 3;
/** The kind of error that an item counts as if an interrupt came before it was done. */
export const INTERRUPTED = "AbortError";

/** Each array has an entry for each iteration that was run, in the order of their starts. */
export type Timeline = Record<"worker" | "item" | "startMs" | "endMs", number[]>;

/** What a process took, as it says itself at its end. */
export interface Usage {
  from: "the usage of a process";
  cpu: NodeJS.CpuUsage; // in microseconds
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

/** Measures a run on so many workers, and counts what becomes of its items, until `end`. */
export function startMeasuring(workers: number, isPost: boolean) {
  const usages: Usage[] = [];
  const [statuses, errors] = [new Map<string, number>(), new Map<string, number>()];
  const cpuBefore = process.cpuUsage();
  let [ok, ran] = [0, 0];
  const run = {
    calledMs: nowMs(),
    /** When the first iteration began; infinite where none did. */
    firstMs: Number.POSITIVE_INFINITY,
    /** All that were run, up to 100,000, else so many chosen at random. */
    iterations: [] as (Omit<Report, "outcome"> & { isOk: boolean })[],
    settled: 0,
    /** The first few by their index, and what each came to. */
    failures: [] as { index: number; what: string }[],
    /** Requests that were sent again, see {@link sayRetried}. */
    retried: 0,
  };
  const hear = (message: Usage | typeof RETRIED | null) => {
    if (message?.from === "the usage of a process") usages.push(message);
    if (message?.from === RETRIED.from) run.retried++;
  };
  thisThread.on("message", hear);

  const keepFailure = (index: number, what: string) => {
    run.failures.push({ index, what });
    run.failures.sort((a, b) => a.index - b.index).splice(FAILURES_KEPT);
  };
  /** Counts an outcome. It is ok if a POST was answered 2xx, of other work if it did not throw. */
  function countOk({ index, outcome }: Report): boolean {
    if (outcome.status === "rejected") {
      // An error counts as its code ("ECONNRESET"), or else its name ("TimeoutError").
      const { code, name, message } = partsOf(outcome.reason);
      const [key = "Error"] = [code, name].filter((each) => typeof each === "string");
      errors.set(key, (errors.get(key) ?? 0) + 1);
      if (key !== INTERRUPTED) keepFailure(index, message);
      return false;
    }
    if (!isPost) return true;
    const status = `${outcome.value}`;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const isOk = /^2\d\d$/.test(status);
    if (!isOk) keepFailure(index, `answered ${status}`);
    return isOk;
  }

  return {
    run,
    onWorker: (worker: EventEmitter) => worker.on("message", hear),
    /** Takes a settled item. */
    add(report: Report) {
      const { index, worker, startMs, endMs } = report;
      const isOk = countOk(report);
      run.settled++;
      if (isOk) ok++;
      if (!(endMs >= startMs)) return; // it was not run
      // Reservoir sampling: every iteration is kept with the same probability (algorithm R).
      const place = ran++ < MOST_KEPT ? run.iterations.length : Math.floor(Math.random() * ran);
      const lane = worker % workers; // what async.ts says may be a higher number
      if (place < MOST_KEPT) run.iterations[place] = { index, worker: lane, startMs, endMs, isOk };
      run.firstMs = Math.min(run.firstMs, startMs);
    },
    end() {
      thisThread.off("message", hear);
      const ms = nowMs() - run.calledMs;
      const movedMs = Date.now() - nowMs();
      const cpus = [process.cpuUsage(cpuBefore), ...usages.map((usage) => usage.cpu)];
      // Replaced workers were not there at the same time: the largest of as many as there are count.
      const sizes = usages.map((usage) => usage.rssBytes).sort((a, b) => b - a);
      return {
        ...run,
        /** What stands in a record as it is. */
        figures: {
          ms,
          ok,
          statuses: Object.fromEntries(statuses),
          errors: Object.fromEntries(errors),
          cpuMs: sum(cpus.map((cpu) => (cpu.user + cpu.system) / 1000)),
          peakRssBytes: process.resourceUsage().maxRSS * 1024 + sum(sizes.slice(0, workers)),
        },
        /** How far the wall clock moved since this process began, see {@link nowMs}; 0 if by less than 50. */
        clockMovedMs: Math.abs(movedMs) < 50 ? 0 : movedMs,
      };
    },
  };
}

/** What an error says of itself, or whatever else was thrown, which may have getters that throw. */
export function partsOf(reason: unknown): { name?: unknown; message: string; code?: unknown } {
  try {
    const { name, message = reason, code } = Object(reason);
    return { name, message: String(message), code };
  } catch {
    return { message: inspect(reason) };
  }
}

/** The value below or at which the share `p` of sorted values lies (nearest rank). There are some. */
export function percentile(sorted: ArrayLike<number>, p: number): number {
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!;
}

/** All values together. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
