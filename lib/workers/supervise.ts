// The parent's side: starts workers, replaces those that die, and gives every item its result.
// Which worker takes which item is up to the technique.

import { availableParallelism } from "node:os";
import { type PlainError, type Report, toError } from "./report.ts";
import { FROM_WORKER, type FromWorker, type Usage } from "./serve.ts";
import { type StartedWorker, startProcess, startThread, type WorkerKind } from "./start.ts";

/** What the caller of a technique may choose. */
export interface WorkerOptions<Result> {
  /** Workers at most; there are never more than items. */
  workers: number;
  /** Iterations in flight inside each worker: 1 unless given. */
  inFlight?: number;
  /**
   * Aborted, it ends all workers; items not done are rejected with its reason. (A thread inside a
   * blocking call of the system ends after that.)
   */
  signal?: AbortSignal;
  /**
   * Hears of each item that is done or lost. Its times are NaN where no worker reported it. What it
   * throws ends the loop, and is thrown by the call.
   */
  onSettled?: (report: Report<Result>, worker: number) => void;
  /** Hears what a process took, if it ends in good order. */
  onUsage?: (usage: Usage) => void;
  /** The file to start workers from: the technique's own unless given. */
  entry?: URL;
  /** Flags of the runtime for it: those of this process unless given. */
  execArgv?: string[];
}

/** Workers, and how items get to them. */
export interface Supervision<Result> extends WorkerOptions<Result> {
  with: WorkerKind;
  /** The file that workers run, and by what it knows that it runs as one. */
  entry: URL;
  role: string;
  /** What a worker is given at its start. */
  setup: (number: number) => unknown;
  /** Whether there are items that no worker has taken. */
  isWorkLeft: () => boolean;
  /** Begins to look after one worker. */
  attend: (worker: WorkerHandle) => Attendance;
}

/** One worker, as the parent sees it. */
export interface WorkerHandle {
  /** From 0; a replacement has the number of the one that died. */
  number: number;
  /** @throws {Error} The message cannot be cloned. */
  send: (message: unknown) => void;
  /** Settles an item without its worker. */
  fail: (index: number, reason: unknown) => void;
}

/** What is done for one worker. */
export interface Attendance {
  /** Hears a message of the technique's own, after the reports that travelled with it. */
  onMessage?: (own: unknown) => void;
  /**
   * It has died: takes back what it had not begun, and gives what it had. (That may include items
   * that it has reported.)
   */
  onDeath: () => number[];
  /** Every item is settled: it can end. */
  onAllSettled?: () => void;
  /** It has ended: by itself, with what it handed over, or by dying, with undefined. Not what an abort ended. */
  onEnd?: (handedOver: unknown) => void;
}

/**
 * Keeps workers at work until every item is settled. A worker that dies costs the iterations that
 * it was on, and another takes its place.
 *
 * @param count How many items there are.
 * @returns One settled result for each item, in order. Rejected are, beside those that failed:
 *   where `signal` aborted, those not done, with its reason; where the setup cannot be cloned, all;
 *   where no worker could be started, or they die as they start, those left, with that reason.
 * @throws {RangeError} `workers` or `inFlight` is no whole number from 1.
 */
export async function supervise<Result>(
  count: number,
  supervision: Supervision<Result>,
): Promise<PromiseSettledResult<Result>[]> {
  const { workers, inFlight = 1, signal, isWorkLeft, onSettled, onUsage } = supervision;
  if (![workers, inFlight].every((number) => Number.isInteger(number) && number >= 1))
    throw new RangeError("Expected whole numbers of workers and in flight, at least 1");
  const most = Math.min(workers, count);
  const outcomes = new Array<PromiseSettledResult<Result> | undefined>(count).fill(undefined);
  const places: Promise<void>[] = [];
  const running = new Set<StartedWorker>();
  const silent = new Set<StartedWorker>(); // not ready yet: nothing but, perhaps, that they are up
  const attendances = new Set<Attendance>();
  let unsettled = count;
  let fruitless = 0; // deaths since work was last done
  let stopped = false;
  let stopReason: unknown;
  let thrown: { error: unknown } | undefined;

  function settle(report: Report<Result>, number: number) {
    outcomes[report.index] = report.outcome;
    try {
      if (!thrown) onSettled?.(report, number);
    } catch (error) {
      thrown = { error };
      stop(error);
    }
    if (--unsettled > 0) return;
    for (const worker of silent) worker.kill();
    for (const attendance of attendances) attendance.onAllSettled?.();
  }

  function stop(reason: unknown) {
    stopped = true;
    stopReason = reason;
    for (const worker of running) worker.kill();
  }

  /** Begins with one more worker, where there may be more. */
  function openPlace() {
    if (places.length < most) places.push(fillPlace(places.length));
  }

  /** Keeps a worker in a place: another where one died and there is work. */
  async function fillPlace(number: number): Promise<void> {
    let goesOn = true;
    while (goesOn && !stopped && isWorkLeft()) goesOn = await employ(number);
  }

  /** Starts a worker, and hears it to its end. Returns whether another may take its place. */
  async function employ(number: number): Promise<boolean> {
    let finished = false;
    const fail = (index: number, reason: unknown) =>
      settle({ index, startMs: NaN, endMs: NaN, outcome: { status: "rejected", reason } }, number);
    const send = (message: unknown) => worker.send(message);
    const attendance = supervision.attend({ number, send, fail });

    function listen(message: FromWorker | null) {
      if (message?.from !== FROM_WORKER) return; // something that the loop body sent
      if ("up" in message) return openPlace();
      silent.delete(worker);
      if ("usage" in message) {
        finished = true;
        if (supervision.with === "processes") onUsage?.(message.usage);
        attendance.onEnd?.(message.handedOver);
        // Its last word. An orderly exit would first finish what V8 compiles, up to 300 ms.
        return worker.kill();
      }
      for (const report of (message.reports ?? []) as Report<Result>[]) {
        const { outcome } = report;
        if (outcome.status === "rejected") outcome.reason = toError(outcome.reason as PlainError);
        settle(report, number);
        fruitless = 0;
      }
      attendance.onMessage?.(message.own);
    }

    const start = supervision.with === "threads" ? startThread : startProcess;
    let worker: StartedWorker;
    try {
      worker = start(supervision, (message) => listen(message as FromWorker));
    } catch (reason) {
      stopReason = reason; // the others do the work, if there are any
      return false;
    }
    running.add(worker);
    silent.add(worker);
    attendances.add(attendance);
    try {
      worker.send({ setup: supervision.setup(number) });
    } catch (reason) {
      stop(reason); // it cannot be cloned
    }
    const { why, cause } = await worker.ended;
    running.delete(worker);
    silent.delete(worker);
    attendances.delete(attendance);
    if (stopped || finished) return true;

    // What it was on is lost, and not tried again: it may have been carried out.
    attendance.onEnd?.(undefined);
    const lost = attendance.onDeath().filter((index) => !outcomes[index]);
    const workerDied = (where: string) => {
      const error = new Error(`${worker.name} died: ${why} (${where})`, cause ? { cause } : {});
      return Object.assign(error, { name: "WorkerDied" });
    };
    for (const index of lost) fail(index, workerDied(`on item ${index}`));
    fruitless = lost.length > 0 ? 0 : fruitless + 1;
    if (fruitless < Math.max(3, most)) return true;
    stopReason = workerDied("at start");
    return false;
  }

  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  // As many at a time as there are cores, each followed by another once it is up: more would only
  // delay the first.
  for (let cores = availableParallelism(); cores > 0; cores--) openPlace();
  for (const place of places) await place; // those that are opened meanwhile, too
  signal?.removeEventListener("abort", onAbort);
  if (thrown) throw thrown.error;
  return outcomes.map((outcome) => outcome ?? { status: "rejected", reason: stopReason });
}
