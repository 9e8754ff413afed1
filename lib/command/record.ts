// The record: one run as one JSON object on one line, the same for every technique.

import { type ApiStats, INTERRUPTED, percentile, type Run, type Timeline } from "../timing.ts";

/** What an iteration does: one of the suite's bodies, or a module of the user's. */
export type Work = "post" | "cpu" | "none" | "body";

/** What the workers of a dictionary script may be. */
export type Kind = (typeof KINDS)[number];
export const KINDS = ["processes", "threads"] as const;

/** What is known of a run beside its measurement. */
interface About {
  /** The script's name. */
  technique: string;
  /** Lanes, threads or processes; 1 for the plain loop. */
  workers: number;
  /** What they are; lanes are all in one thread. */
  workerKind: "lane" | "thread" | "process";
  /** Iterations in flight inside each worker. */
  concurrency: number;
  /** Iterations; without those that --results had already. */
  requests: number;
  work: Work;
  /** Where POSTs went, without password and query. */
  url?: string;
  /** Whether Ctrl-C, or another signal, ended it. */
  interrupted: boolean;
  /** With --retries: how many requests were sent again, each a POST more; unknown of other machines. */
  retried?: number;
  /** Items that the file of --results had, which were not run again. */
  doneBefore?: number;
  /** Of those, how many failed then. */
  failedBefore?: number;
}

/** So many percent of the iterations that were ok took at most the milliseconds in that field. */
export const PERCENTILES = { p50Ms: 50, p95Ms: 95, p99Ms: 99 };
export type Percentiles = typeof PERCENTILES;

/** One run: the line that --json prints. What is optional is left out where it was not measured. */
export interface RunRecord extends About, Partial<Percentiles> {
  /** Milliseconds from the call of the technique to its last result and its workers' end. */
  ms: number;
  /** Milliseconds from the call to the start of the first iteration; not where the clock moved. */
  startupMs?: number;
  /** How far the machine's clock moved, in milliseconds: processes began by different ones. */
  clockMovedMs?: number;
  /** Iterations that were answered 2xx; of other work, that did not throw. */
  ok: number;
  /** All others, also those not done because of an interrupt. */
  failed: number;
  /** HTTP status -> how often it was the answer. */
  statuses: Record<string, number>;
  /** Error's code, or else its name -> how often; AbortError for what an interrupt left undone. */
  errors: Record<string, number>;
  /** The limit, in milliseconds: mean service time x rounds; of the practice API only. */
  idealMs?: number;
  /** CPU time of script and workers, in milliseconds; without the API and killed processes. */
  cpuMs: number;
  /** Memory, in bytes: the script's peak, and what each process had at its end. */
  peakRssBytes: number;
  /** Mean service time as the practice API measured it, in milliseconds. */
  serviceMs?: number;
  /** Most requests at once, as the practice API saw them. */
  apiInFlightPeak?: number;
  /** With --timeline: each iteration's worker, item, start and end, in milliseconds from the call. */
  timeline?: Timeline;
  /** Entries of the dictionary. */
  dictSize?: number;
  /** Operations on it that the parent saw, entries that it merged; else iterations that were ok. */
  dictOperations?: number;
  /** Microseconds an operation took, each awaited before the next. */
  dictAwaitedUs?: number;
  /** The same, many under way at once (merge-dict.ts: an entry copied and merged). */
  dictPipelinedUs?: number;
  /** Way of counting -> how many of 400 updates were lost. */
  lostUpdates?: Record<string, number>;
  /** Entries whose key was there already. */
  collisions?: number;
}

/**
 * Sums up a run.
 *
 * @param timeline Whether to keep each iteration's times.
 * @param stats The practice API's counts for this run, where it is one.
 */
export function makeRecord(run: Run, about: About, timeline = false, stats?: ApiStats): RunRecord {
  const { calledMs, firstMs, iterations, clockMovedMs, figures } = run;
  const { workers, workerKind, concurrency, requests } = about;
  const record: RunRecord = { ...about, ...figures, failed: requests - figures.ok };
  const notBegun = requests - run.settled;
  if (notBegun > 0) record.errors[INTERRUPTED] = notBegun + (record.errors[INTERRUPTED] ?? 0);
  if (clockMovedMs !== 0 && workerKind === "process") record.clockMovedMs = clockMovedMs;
  else if (iterations.length > 0) record.startupMs = firstMs - calledMs;
  const done = iterations.filter(({ isOk }) => isOk);
  if (done.length > 0) {
    const durations = Float64Array.from(done, ({ startMs, endMs }) => endMs - startMs).sort();
    for (const [field, percent] of Object.entries(PERCENTILES))
      record[field as keyof Percentiles] = percentile(durations, percent / 100);
  }
  if (stats && stats.requests > 0) {
    record.serviceMs = stats.serviceMs.mean;
    record.apiInFlightPeak = stats.inFlightPeak;
    record.idealMs = record.serviceMs * Math.ceil(requests / (workers * concurrency));
  }
  if (timeline && !record.clockMovedMs) record.timeline = timelineOf(run);
  return record;
}

function timelineOf({ calledMs, iterations }: Run): Timeline {
  const inOrder = iterations.toSorted((a, b) => a.startMs - b.startMs);
  const after = (ms: number) => Math.round((ms - calledMs) * 1000) / 1000;
  return {
    worker: inOrder.map(({ worker }) => worker),
    item: inOrder.map(({ index }) => index),
    startMs: inOrder.map(({ startMs }) => after(startMs)),
    endMs: inOrder.map(({ endMs }) => after(endMs)),
  };
}

/** A URL without what may be secret. */
export function shownUrl({ origin, pathname, search }: URL): string {
  return origin + pathname + (search && "?...");
}
