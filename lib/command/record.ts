// The record: one run as one JSON object on one line, the same for every technique.

import { type ApiStats, percentile, type Report, type Run, type Timeline } from "../timing.ts";

/** What an iteration does: one of the suite's bodies, or a module of the user's. */
export type Work = "post" | "cpu" | "none" | "body";

/** What the workers are; lanes are all in one thread. */
export type WorkerKind = "lane" | "thread" | "process";

/** One run: the line that --json prints. What is optional is left out where it was not measured. */
export interface RunRecord {
  /** The script's name. */
  technique: string;
  /** Lanes, threads or processes; 1 for the plain loop. */
  workers: number;
  workerKind: WorkerKind;
  /** Iterations in flight inside each worker. */
  concurrency: number;
  /** Iterations; without those that --results had already. */
  requests: number;
  work: Work;
  /** Where POSTs went, without password and query. */
  url?: string;
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
  /** Whether Ctrl-C, or another signal, ended it. */
  interrupted: boolean;
  /** HTTP status -> how often it was the answer. */
  statuses: Record<string, number>;
  /** With --retries: how many requests were sent again, each a POST more; unknown of other machines. */
  retried?: number;
  /** Error's code, or else its name -> how often; AbortError for what an interrupt left undone. */
  errors: Record<string, number>;
  /** The limit, in milliseconds: mean service time x rounds; of the practice API only. */
  idealMs?: number;
  /** Half of the iterations that were ok took at most so many milliseconds. */
  p50Ms?: number;
  /** 95 % of them did. */
  p95Ms?: number;
  /** 99 % of them did. */
  p99Ms?: number;
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
  /** Operations on it that the parent saw; else one for each iteration that was ok. */
  dictOperations?: number;
  /** Microseconds an operation took, each awaited before the next. */
  dictAwaitedUs?: number;
  /** The same, many under way at once (merge-dict.ts: an entry copied and merged). */
  dictPipelinedUs?: number;
  /** Way of counting -> how many of 400 updates were lost. */
  lostUpdates?: Record<string, number>;
  /** Entries whose key was there already. */
  collisions?: number;
  /** Items that the file of --results had, which were not run again. */
  doneBefore?: number;
  /** Of those, how many failed then. */
  failedBefore?: number;
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
export type RunContext = Pick<RunRecord, What | "interrupted" | "doneBefore" | "failedBefore"> & {
  tally: Tally;
  url?: string | undefined;
  /** The practice API's counts for this run, where it is one. */
  stats?: ApiStats | undefined;
  /** Whether to keep each iteration's times. */
  timeline?: boolean;
  /** Whether to say how many requests were sent again. */
  retries?: boolean;
};

/** Sums up a run. */
export function makeRecord(run: Run, context: RunContext): RunRecord {
  const { tally, url, stats, timeline, retries, ...what } = context;
  const { workers, workerKind, concurrency, requests, work } = what;
  const { calledMs, firstMs, ms, iterations, cpuMs, peakRssBytes } = run;
  const { statuses, errors, ok, settled } = tally;
  if (requests > settled) countKey(errors, INTERRUPTED, requests - settled); // it never began
  const record: RunRecord = {
    ...what,
    ...(work === "post" && url && { url: shownUrl(url) }),
    ...{ ms, ok, failed: requests - ok },
    ...{ statuses: Object.fromEntries(statuses), errors: Object.fromEntries(errors) },
    ...(retries && { retried: run.retried }),
    ...{ cpuMs, peakRssBytes },
  };
  if (run.clockMovedMs !== 0 && workerKind === "process") record.clockMovedMs = run.clockMovedMs;
  else if (iterations.length > 0) record.startupMs = firstMs - calledMs;
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

function shownUrl(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return origin + pathname + (search && "?...");
}
