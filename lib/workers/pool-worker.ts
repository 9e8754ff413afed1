// The worker's side of pool.ts: works off batch after batch, and says how far it is.

import { type Report, runIteration } from "./report.ts";
import { type Parent, serve } from "./serve.ts";

/** Items that travel together: one, or several where they are short. The first index is its id. */
export type Batch<Item> = { index: number; item: Item }[];
export type ToPoolWorker<Item> = { batch: Batch<Item> } | { end: true } | { message: unknown };
export type FromPoolWorker = Progress | { message: unknown };

/** What a worker says of its batches; of none: it is ready. */
export interface Progress {
  /** The batch that is reported with this message, or a part of it. */
  reported?: {
    id: number;
    /** How many of its items are done, since it was last reported. */
    done: number;
    /** How many at its end are not begun, and given back. */
    notBegun: number;
    /** How long one took, in milliseconds, where that is known. */
    eachMs?: number | undefined;
  };
  /** The id of the batch that it begins. */
  begins?: number | undefined;
}

/** A batch under way: what is not begun of it, and what is done and not reported. */
type Run<Item> = { id: number; left: Batch<Item>; reports: Report[] };

/** What a worker does. */
export interface WorkerCode<Item, Result> {
  iterate: (item: Item) => Promise<Result>;
  /** Once all items of the pool are settled: what is handed over to the parent. */
  end?: () => unknown;
}

/** The parent, as a worker's own code sees it. */
export interface Port extends Pick<Parent, "check" | "onMessage"> {
  send: (message: unknown) => Promise<void>;
}

/**
 * Runs the code that `begin` makes, for all batches. Await it where `isWorker` is true.
 *
 * @param begin Makes the worker's code from the pool's `setup`, once.
 */
export function servePool<Setup, Item, Result>(
  begin: (setup: Setup, port: Port) => Promise<WorkerCode<Item, Result>>,
): Promise<never> {
  return serve<{ setup: Setup; inFlight: number }>(async ({ setup, inFlight }, parent) => {
    const queue: Batch<Item>[] = [];
    const underWay = new Set<Run<Item>>();
    let idle = inFlight;
    let listener: (message: unknown) => void = () => {};
    const say = (own: FromPoolWorker, reports: Report[] = []) => parent.say({ own, reports });

    /** Announces each batch before it begins it: should this worker die, the parent knows. */
    async function lane(batch: Batch<Item>) {
      let run: Run<Item> | undefined = take(batch);
      await say({ begins: run.id });
      while (run) {
        const eachMs = await workOff(run);
        underWay.delete(run);
        const following = queue.shift();
        const next: Run<Item> | undefined = following && take(following);
        if (!next) idle++; // before it waits: what arrives meanwhile gets a lane
        await report(run, eachMs, next?.id);
        run = next;
      }
    }

    function take(batch: Batch<Item>): Run<Item> {
      const run = { id: batch[0]!.index, left: batch, reports: [] };
      underWay.add(run);
      return run;
    }

    /**
     * Runs the iterations of a batch. Several are a batch where they are short: if one computes or
     * waits after all, what is done is reported and the rest given back.
     *
     * @returns How long each took, in milliseconds.
     */
    async function workOff(run: Run<Item>): Promise<number> {
      const begunMs = performance.now();
      const ifItWaits = run.left.length > 1 ? setImmediate(report, run) : undefined;
      do {
        const { index, item } = run.left.shift()!;
        run.reports.push(await runIteration(index, () => code.iterate(item)));
      } while (run.left.length > 0 && performance.now() - begunMs < 10);
      clearImmediate(ifItWaits);
      return (performance.now() - begunMs) / run.reports.length;
    }

    /** Says what is done of a batch, and gives back what is not begun. */
    function report(run: Run<Item>, eachMs?: number, begins?: number) {
      const notBegun = run.left.splice(0).length;
      const reported = { id: run.id, done: run.reports.length, notBegun, eachMs };
      return say({ reported, begins }, run.reports.splice(0));
    }

    process.on("exit", () => {
      for (const run of underWay) void report(run); // it was the loop body that called exit()
    });
    const ended = new Promise<void>((resolve) => {
      parent.onMessage((message) => {
        const told = message as ToPoolWorker<Item>;
        if ("message" in told) return listener(told.message);
        if ("end" in told) return resolve();
        if (idle === 0) return queue.push(told.batch);
        idle--;
        void lane(told.batch);
      });
    });
    const code = await begin(setup, {
      check: parent.check,
      send: (message) => say({ message }),
      onMessage: (heard) => {
        listener = heard;
      },
    });
    await say({}); // it is ready
    await ended;
    return code.end?.();
  });
}
