// The record: one run as one JSON object on one line, the same for every technique.

import { type ApiStats, percentile, type Report, type Run, type Timeline } from "../timing.ts";

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
  doneBefore?: number;
}

/** What has become of a run's items, counted as they settle. */
export interface Tally {
  settled: number;
  ok: number;
  statuses: Map<string, number>;
  errors: Map<string, number>;
  /** The first few by their index, and what each came to. */
  failures: { index: number; what: string }[];
}
const FAILURES_KEPT = 3;

export function newTally(): Tally {
  return { settled: 0, ok: 0, statuses: new Map(), errors: new Map(), failures: [] };
}

/**
 * Counts a settled item.
 *
 * @returns Whether it is ok: a POST that was answered 2xx, anything else that did not throw.
 */
export function countSettled(tally: Tally, work: Work, { index, outcome }: Report): boolean {
  tally.settled++;
  const okBefore = tally.ok;
  if (outcome.status === "fulfilled") {
    const status = `${work === "post" ? outcome.value : 200}`;
    if (work === "post") countKey(tally.statuses, status);
    if (/^2\d\d$/.test(status)) tally.ok++;
    else keepFailure(tally, index, `answered ${status}`);
  } else {
    const { message = String(outcome.reason) } = (outcome.reason ?? {}) as Partial<Error>;
    const key = errorKey(outcome.reason);
    countKey(tally.errors, key);
    if (key !== INTERRUPTED) keepFailure(tally, index, message);
  }
  return tally.ok > okBefore;
}

function countKey(counts: Map<string, number>, key: string, more = 1) {
  counts.set(key, (counts.get(key) ?? 0) + more);
}

function keepFailure({ failures }: Tally, index: number, what: string) {
  failures.push({ index, what });
  failures.sort((a, b) => a.index - b.index).splice(FAILURES_KEPT);
}

/** What an error counts as: its code ("ECONNRESET"), or else its name ("TimeoutError"). */
function errorKey(reason: unknown): string {
  const { code, name } = (reason ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === "string" ? code : typeof name === "string" ? name : "Error";
}
/** What an item counts as that was not done before an interrupt. */
export const INTERRUPTED = "AbortError";

type What = "technique" | "workers" | "workerKind" | "concurrency" | "requests" | "work";
/** What {@link makeRecord} needs to know beside the run itself. */
export type RunContext = Pick<RunRecord, What | "interrupted" | "doneBefore"> & {
  tally: Tally;
  url?: string | undefined;
  /** The practice API's counts for this run, where it is one. */
  stats?: ApiStats | undefined;
  /** Whether to keep each iteration's times. */
  timeline?: boolean;
};

/** Sums up a run. */
export function makeRecord(run: Run, context: RunContext): RunRecord {
  const { tally, url, stats, timeline, ...what } = context;
  const { workers, concurrency, requests, work } = what;
  const { calledMs, firstMs, ms, iterations, cpuMs, peakRssBytes } = run;
  const { statuses, errors, ok, settled } = tally;
  if (requests > settled) countKey(errors, INTERRUPTED, requests - settled); // it never began
  const record: RunRecord = {
    ...what,
    ...(work === "post" && url && { url: shownUrl(url) }),
    ...{ ms, ok, failed: requests - ok },
    ...{ statuses: Object.fromEntries(statuses), errors: Object.fromEntries(errors) },
    ...{ cpuMs, peakRssBytes },
  };
  if (iterations.length > 0) record.startupMs = firstMs - calledMs;
  const done = iterations.filter(({ isOk }) => isOk);
  if (done.length > 0) {
    const durations = Float64Array.from(done, ({ startMs, endMs }) => endMs - startMs).sort();
    record.p50Ms = percentile(durations, 0.5);
    record.p95Ms = percentile(durations, 0.95);
    record.p99Ms = percentile(durations, 0.99);
  }
  if (stats && stats.requests > 0) {
    record.serviceMs = stats.serviceMs.mean;
    record.apiInFlightPeak = stats.inFlightPeak;
    record.idealMs = record.serviceMs * Math.ceil(requests / (workers * concurrency));
  }
  if (timeline) record.timeline = timelineOf(run);
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

function shownUrl(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return origin + pathname + (search && "?...");
}
