// The record: one run as one JSON object on one line, the same for every technique.

import type { ApiStats } from "../api/practice-api.ts";
import { percentile, type Run, type Timeline } from "../timing.ts";

/** What an iteration does: one of the suite's bodies, or a module of the user's. */
export type Work = "post" | "cpu" | "none" | "body";

/** What the workers are; lanes are all in one thread. */
export type WorkerKind = "lane" | "thread" | "process";

/** One run. Times in milliseconds, sizes in bytes. */
export interface RunRecord {
  technique: string;
  workers: number;
  workerKind: WorkerKind;
  /** Iterations in flight inside each worker. */
  concurrency: number;
  requests: number;
  work: Work;
  /** Where the POSTs went, without password and query. */
  url?: string;
  /** From the call of the technique to its last result and its workers' end. */
  ms: number;
  /** From the call to the start of the first iteration; left out where none started. */
  startupMs?: number;
  /** Iterations that did their work: 2xx replies for POSTs, else those that did not throw. */
  ok: number;
  failed: number;
  interrupted: boolean;
  /** HTTP status -> replies. */
  statuses: Record<string, number>;
  /** Error code or name -> iterations. */
  errors: Record<string, number>;
  /** requests x mean service time / (workers x concurrency), but one service time at least. */
  idealMs?: number;
  /** Of single iterations; left out where none ended. */
  p50Ms?: number;
  p95Ms?: number;
  p99Ms?: number;
  /** User + system of the script and its workers, the API excluded. */
  cpuMs: number;
  peakRssBytes: number;
  /** Mean service time that the practice API measured, and the most requests that it had at once. */
  serviceMs?: number;
  apiInFlightPeak?: number;
  /** Each iteration, where asked for: who ran it, from when to when after the call of the technique. */
  timeline?: Timeline;
  /** Of a dictionary script: entries, and microseconds an operation. */
  dictSize?: number;
  /** Operations of the run: those that reached the parent, or one for each iteration done. */
  dictOperations?: number;
  dictAwaitedUs?: number;
  dictPipelinedUs?: number;
  /** Way of counting -> updates that it lost; entries whose key had come before. */
  lostUpdates?: Record<string, number>;
  collisions?: number;
}

/** What {@link makeRecord} needs to know beside the run itself. */
export interface RunContext {
  technique: string;
  workers: number;
  workerKind: WorkerKind;
  concurrency: number;
  work: Work;
  url?: string | undefined;
  interrupted: boolean;
  /** The practice API's counts for this run, where it is one. */
  stats?: ApiStats | undefined;
  /** Whether to keep each iteration's times. */
  timeline?: boolean;
}

/** Sums up a run. */
export function makeRecord(run: Run, context: RunContext): RunRecord {
  const { technique, workers, workerKind, concurrency, work, url, interrupted, stats } = context;
  const post = work === "post";
  const requests = run.results.length;
  const ok = run.results.filter((result) => isOk(result, work)).length;
  const record: RunRecord = {
    ...{ technique, workers, workerKind, concurrency, requests, work },
    ...(post && url && { url: shownUrl(url) }),
    ...{ ms: run.ms, ok, failed: requests - ok, interrupted },
    statuses: post ? tally(run.results, statusOf) : {},
    errors: tally(run.results, errorOf),
    ...{ cpuMs: run.cpuMs, peakRssBytes: run.peakRssBytes },
  };

  const durations = run.endMs
    .map((end, index) => end - run.startMs[index]!)
    .filter((ms) => ms >= 0);
  if (durations.length > 0) {
    durations.sort();
    const starts = run.startMs.filter((ms) => ms >= 0);
    record.startupMs = starts.reduce((first, ms) => Math.min(first, ms)) - run.calledMs;
    record.p50Ms = percentile(durations, 0.5);
    record.p95Ms = percentile(durations, 0.95);
    record.p99Ms = percentile(durations, 0.99);
  }
  if (stats && stats.requests > 0) {
    record.serviceMs = stats.serviceMs.mean;
    record.apiInFlightPeak = stats.inFlightPeak;
    record.idealMs = record.serviceMs * Math.max(1, requests / (workers * concurrency));
  }
  if (context.timeline) record.timeline = timelineOf(run);
  return record;
}

function timelineOf({ calledMs, workers, startMs, endMs }: Run): Timeline {
  const ran = [...endMs.keys()].filter((index) => endMs[index]! >= 0);
  ran.sort((a, b) => startMs[a]! - startMs[b]!);
  const after = (times: Float64Array) =>
    ran.map((index) => Math.round((times[index]! - calledMs) * 1000) / 1000);
  const worker = ran.map((index) => workers[index]!);
  return { worker, item: ran, startMs: after(startMs), endMs: after(endMs) };
}

/** Whether an iteration did its work: a POST was answered 2xx, anything else did not throw. */
export function isOk(result: PromiseSettledResult<unknown>, work: Work): boolean {
  if (result.status === "rejected") return false;
  return work !== "post" || /^2\d\d$/.test(`${result.value}`);
}

/** What an error counts as: its code ("ECONNRESET"), or else its name ("TimeoutError"). */
export function errorKey(reason: unknown): string {
  const { code, name } = (reason ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === "string" ? code : typeof name === "string" ? name : "Error";
}

function statusOf(result: PromiseSettledResult<unknown>): string | undefined {
  return result.status === "fulfilled" ? String(result.value) : undefined;
}

function errorOf(result: PromiseSettledResult<unknown>): string | undefined {
  return result.status === "rejected" ? errorKey(result.reason) : undefined;
}

function shownUrl(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return origin + pathname + (search && "?...");
}

/** Counts the results by a key; those without one are left out. */
function tally<T>(results: T[], keyOf: (result: T) => string | undefined): Record<string, number> {
  const counts = new Map<string, number>();
  for (const result of results) {
    const key = keyOf(result);
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}
