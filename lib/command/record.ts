// The record: one run as one JSON object on one line, the same for every technique.

import { type ApiStats, percentile, type Run, type Timeline } from "../timing.ts";

/** What an iteration does: one of the suite's bodies, or a module of the user's. */
export type Work = "post" | "cpu" | "none" | "body";

/** What the workers are; lanes are all in one thread. */
export type WorkerKind = "lane" | "thread" | "process";

/**
 * One run. Times in milliseconds, sizes in bytes; README.md ("The record") says what each field is.
 * What is optional is left out where it was not measured, or not asked for.
 */
export interface RunRecord {
  technique: string;
  workers: number;
  workerKind: WorkerKind;
  concurrency: number;
  requests: number;
  work: Work;
  url?: string;
  ms: number;
  startupMs?: number;
  ok: number;
  failed: number;
  interrupted: boolean;
  statuses: Record<string, number>;
  errors: Record<string, number>;
  idealMs?: number;
  p50Ms?: number;
  p95Ms?: number;
  p99Ms?: number;
  cpuMs: number;
  peakRssBytes: number;
  serviceMs?: number;
  apiInFlightPeak?: number;
  timeline?: Timeline;
  dictSize?: number;
  dictOperations?: number;
  dictAwaitedUs?: number;
  dictPipelinedUs?: number;
  lostUpdates?: Record<string, number>;
  collisions?: number;
}

type What = "technique" | "workers" | "workerKind" | "concurrency" | "work" | "interrupted";
/** What {@link makeRecord} needs to know beside the run itself. */
export type RunContext = Pick<RunRecord, What> & {
  url?: string | undefined;
  /** The practice API's counts for this run, where it is one. */
  stats?: ApiStats | undefined;
  /** Whether to keep each iteration's times. */
  timeline?: boolean;
};

/** Sums up a run. */
export function makeRecord(run: Run, context: RunContext): RunRecord {
  const { technique, workers, workerKind, concurrency, work, url, interrupted, stats } = context;
  const { results, calledMs, ms, startMs, endMs, cpuMs, peakRssBytes } = run;
  const post = work === "post";
  const requests = results.length;
  const ok = results.filter((result) => isOk(result, work)).length;
  const statuses = results.flatMap((r) => (post && r.status === "fulfilled" ? [`${r.value}`] : []));
  const errors = results.flatMap((r) => (r.status === "rejected" ? [errorKey(r.reason)] : []));
  const record: RunRecord = {
    ...{ technique, workers, workerKind, concurrency, requests, work },
    ...(post && url && { url: shownUrl(url) }),
    ...{ ms, ok, failed: requests - ok, interrupted },
    ...{ statuses: tally(statuses), errors: tally(errors), cpuMs, peakRssBytes },
  };

  const durations = endMs.map((end, index) => end - startMs[index]!).filter((each) => each >= 0);
  if (durations.length > 0) {
    durations.sort();
    const began = startMs.filter((start) => start >= 0);
    record.startupMs = began.reduce((first, start) => Math.min(first, start)) - calledMs;
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

function shownUrl(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return origin + pathname + (search && "?...");
}

/** How often each key comes. */
function tally(keys: string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return Object.fromEntries(counts);
}
