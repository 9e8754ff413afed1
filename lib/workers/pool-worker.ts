// The worker's side of pool.ts: works off claim after claim, and says how far it is.

import { type Report, runIteration } from "./report.ts";
import { type Parent, serve } from "./serve.ts";

/** Items that travel together: one, or several where they are short. */
export type Claim<Item> = { index: number; item: Item }[];
export type ToPoolWorker<Item> = { claim: Claim<Item> } | { end: true } | { message: unknown };
/**
 * What a worker says of a claim, by its first index: how many of its items are done, how long each
 * took, how many at its end it gives back. And which claim it begins; neither of them: it is ready.
 */
export type Progress = {
  of?: { id: number; done: number; eachMs: number; notBegun: number };
  begins?: number | undefined;
};
export type FromPoolWorker = Progress | { message: unknown };

/** A claim that a worker is on: what it has not begun, and what it has done and not reported. */
type Run<Item> = { id: number; left: Claim<Item>; reports: Report[] };

/** What a worker does. */
export interface WorkerCode<Item, Result> {
  iterate: (item: Item) => Promise<Result>;
  /** After its last item: what is handed over to the parent. */
  end?: () => unknown;
}

/** The parent, as a worker's own code sees it. */
export interface Port extends Pick<Parent, "check" | "onMessage"> {
  send: (message: unknown) => Promise<void>;
}

/**
 * Runs the code that `begin` makes, for all claims. Await it where `isWorker` is true.
 *
 * @param begin Makes the worker's code from the pool's `setup`, once.
 */
export function servePool<Setup, Item, Result>(
  begin: (setup: Setup, port: Port) => Promise<WorkerCode<Item, Result>>,
): Promise<never> {
  return serve<{ setup: Setup; inFlight: number }>(async ({ setup, inFlight }, parent) => {
    const queue: Claim<Item>[] = [];
    const underWay = new Set<Run<Item>>();
    let idle = inFlight;
    let listener: (message: unknown) => void = () => {};
    const say = (own: FromPoolWorker, reports: Report[] = []) => parent.say({ own, reports });

    /** Announces each claim before it begins it: should this worker die, the parent knows. */
    async function lane(claim: Claim<Item>) {
      let run: Run<Item> | undefined = take(claim);
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

    function take(claim: Claim<Item>): Run<Item> {
      const run = { id: claim[0]!.index, left: claim, reports: [] };
      underWay.add(run);
      return run;
    }

    /**
     * Runs the iterations of a claim. Several are claimed where they are short: if one computes or
     * waits after all, the rest is given back.
     *
     * @returns How long each took, in milliseconds.
     */
    async function workOff(run: Run<Item>): Promise<number> {
      const begunMs = performance.now();
      const waits = run.left.length > 1 ? setImmediate(report, run) : undefined;
      do {
        const { index, item } = run.left.shift()!;
        run.reports.push(await runIteration(index, () => code.iterate(item)));
      } while (run.left.length > 0 && performance.now() - begunMs < 10);
      clearImmediate(waits);
      return (performance.now() - begunMs) / run.reports.length;
    }

    /** Says what is done of a claim, and gives back what is not begun. */
    function report(run: Run<Item>, eachMs = Number.POSITIVE_INFINITY, begins?: number) {
      const notBegun = run.left.splice(0).length;
      const of = { id: run.id, done: run.reports.length, eachMs, notBegun };
      return say({ of, begins }, run.reports.splice(0));
    }

    process.on("exit", () => {
      for (const run of underWay) void report(run); // the loop body ends this worker
    });
    const ended = new Promise<void>((resolve) => {
      parent.onMessage((message) => {
        const told = message as ToPoolWorker<Item>;
        if ("message" in told) return listener(told.message);
        if ("end" in told) return resolve();
        if (idle === 0) return queue.push(told.claim);
        idle--;
        void lane(told.claim);
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
