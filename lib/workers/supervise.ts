// The parent's side: starts workers, replaces those that die, and gives every item its result.
// Which worker takes which item is the technique's own business.

import { availableParallelism } from "node:os";
import { type Report, toError } from "./report.ts";
import { FROM_WORKER, type FromWorker, type Usage } from "./serve.ts";
import { type StartedWorker, startProcess, startThread, type WorkerKind } from "./start.ts";

/** What the caller of a technique may choose. */
export interface WorkerOptions<Result> {
  /** Workers at most; there are never more than items. */
  workers: number;
  /** Iterations in flight inside each worker: 1 unless given. */
  inFlight?: number;
  /** Aborted, it ends all workers; items not done are rejected with its reason. */
  signal?: AbortSignal;
  /** Hears of each item as it settles, and who was at it. Times are NaN where that worker died. */
  onSettled?: (report: Report<Result>, worker: number) => void;
  /** Hears what a process took, at its end. */
  onUsage?: (usage: Usage) => void;
  /** The file to start workers from: the technique's own unless given. */
  entry?: URL;
  /** Flags of the runtime for it: those of this process unless given. */
  execArgv?: string[];
}

/** One worker, as a technique sees it. */
export interface Worker {
  /** From 0; a replacement has the number of the one that died. */
  number: number;
  /** @throws {Error} The message cannot be cloned. */
  send: (message: unknown) => void;
  /** Settles an item without its worker. */
  fail: (index: number, reason: unknown) => void;
}

/** What a technique does for one worker. */
export interface Attendance {
  /** Hears its messages, after the reports that came in the same ones. */
  onMessage?: (own: unknown) => void;
  /** Has died: gives the items that it had begun. (Those that were reported are left out.) */
  begun: () => number[];
  /** Has ended: by itself, with what it handed over, or not, with undefined. */
  onEnd?: (handedOver: unknown) => void;
}

/** A technique. */
export interface Technique<Result> extends Omit<WorkerOptions<Result>, "entry"> {
  with: WorkerKind;
  entry: URL;
  role: string;
  /** What a worker is given at its start. */
  setup: (number: number) => unknown;
  /** Whether there are items that no worker has taken. */
  isWorkLeft: () => boolean;
  attend: (worker: Worker) => Attendance;
}

/**
 * Keeps workers at work until every item is settled. A worker that dies costs the iterations that
 * it was on, and another takes its place.
 *
 * @param count How many items there are.
 * @returns One settled result for each item, in order; those not done when `signal` aborted are
 *   rejected with its reason, and all where the setup cannot be cloned.
 * @throws {RangeError} `workers` or `inFlight` is no whole number from 1.
 */
export async function supervise<Result>(
  count: number,
  technique: Technique<Result>,
): Promise<PromiseSettledResult<Result>[]> {
  const { inFlight = 1, signal, isWorkLeft } = technique;
  if (![technique.workers, inFlight].every((number) => Number.isInteger(number) && number >= 1))
    throw new RangeError("Expected whole numbers of workers and in flight, at least 1");
  const most = Math.min(technique.workers, count);
  const outcomes = new Array<PromiseSettledResult<Result> | undefined>(count).fill(undefined);
  const running = new Set<StartedWorker>();
  const silent = new Set<StartedWorker>(); // not ready yet: nothing but, perhaps, that they are up
  let places = 0;
  let unsettled = count;
  let fruitless = 0; // deaths since work was last done
  let stopped = false;
  let stopReason: unknown;

  function settle(report: Report<Result>, number: number) {
    outcomes[report.index] = report.outcome;
    technique.onSettled?.(report, number);
    if (--unsettled === 0) for (const worker of silent) worker.kill();
  }

  function stop(reason: unknown) {
    stopped = true;
    stopReason = reason;
    for (const worker of running) worker.kill();
  }

  /** Fills the next place with one worker after another, and once one is up, the places after it. */
  async function fillPlace(): Promise<void> {
    if (places === most) return;
    const number = places++;
    let others: Promise<void> | undefined;
    const onUp = () => {
      others ??= fillPlace();
    };
    let goesOn = true;
    while (goesOn && !stopped && isWorkLeft()) goesOn = await employ(number, onUp);
    await others;
  }

  /** Starts a worker, and hears it to its end. Returns whether another may take its place. */
  async function employ(number: number, onUp: () => void): Promise<boolean> {
    let finished = false;
    const fail = (index: number, reason: unknown) =>
      settle({ index, startMs: NaN, endMs: NaN, outcome: { status: "rejected", reason } }, number);
    const send = (message: unknown) => worker.send(message);
    const attendance = technique.attend({ number, send, fail });

    function listen(message: FromWorker | null) {
      if (message?.from !== FROM_WORKER) return; // something that the loop body sent
      onUp();
      if ("up" in message) return;
      silent.delete(worker);
      if ("usage" in message) {
        finished = true;
        if (technique.with === "processes") technique.onUsage?.(message.usage);
        attendance.onEnd?.(message.handedOver);
        // Its last word. An orderly exit would first finish what V8 compiles, up to 300 ms.
        return worker.kill();
      }
      for (const report of (message.reports ?? []) as Report<Result>[]) {
        const { outcome } = report;
        if (outcome.status === "rejected") outcome.reason = toError(outcome.reason);
        settle(report, number);
        fruitless = 0;
      }
      attendance.onMessage?.(message.own);
    }

    const start = technique.with === "threads" ? startThread : startProcess;
    let worker: StartedWorker;
    try {
      worker = start(technique, (message) => listen(message as FromWorker));
    } catch (reason) {
      stopReason = reason; // the others do the work, if there are any
      return false;
    }
    running.add(worker);
    silent.add(worker);
    try {
      worker.send({ setup: technique.setup(number) });
    } catch (reason) {
      stop(reason); // it cannot be cloned
    }
    const why = await worker.ended;
    running.delete(worker);
    silent.delete(worker);
    if (stopped || finished) return true;

    // What it was on is lost, and not tried again: it may have been carried out.
    attendance.onEnd?.(undefined);
    const died = (where: string) =>
      toError({ name: "WorkerDied", message: `${worker.name} died: ${why} (${where})` });
    const lost = attendance.begun().filter((index) => !outcomes[index]);
    for (const index of lost) fail(index, died(`on item ${index}`));
    fruitless = lost.length > 0 ? 0 : fruitless + 1;
    if (fruitless < Math.max(3, most)) return true;
    stopReason = died("at start");
    return false;
  }

  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  // As many at a time as there are cores: more would only delay the first.
  await Promise.all(Array.from({ length: availableParallelism() }, fillPlace));
  signal?.removeEventListener("abort", onAbort);
  return outcomes.map((outcome) => outcome ?? { status: "rejected", reason: stopReason });
}
