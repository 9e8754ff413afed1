// Hands out items by message, one at a time: what the dictionary scripts run on, both sides of it.
// (scripts/processes.ts does the same, with several short ones in one message.)

import { type Report, runIteration } from "./report.ts";
import { type Parent, serve } from "./serve.ts";
import { type Supervision, supervise, type WorkerHandle } from "./supervise.ts";

/** One worker of a pool, as the parent sees it. */
export type PoolWorker = Omit<WorkerHandle, "fail">;

/** A pool: its setup, and what it does beside handing out items. */
export interface Pool<Result> extends Omit<Supervision<Result>, "setup" | "isWorkLeft" | "attend"> {
  /** What every worker is given at its start. */
  setup: unknown;
  /** A message of a worker's own. */
  onMessage?: (worker: PoolWorker, message: unknown) => void;
  /** A worker has ended: with what it handed over, or undefined where it died. */
  onEnd?: (worker: PoolWorker, handedOver: unknown) => void;
}

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

type Claim<Item> = { index: number; item: Item };
type ToWorker<Item> = { claim: Claim<Item> } | { end: true } | { message: unknown };
/**
 * Which item it has done, which it begins, which it had announced and does not begin, since it
 * ends; none of them: it is ready.
 */
type Progress = { done?: number; begins?: number | undefined; notBegun?: number[] };
type ToParent = Progress | { message: unknown };

/**
 * Runs `iterate` of the workers' code for all items.
 *
 * @returns One settled result for each item, as `supervise` gives it.
 */
export function runPool<Item, Result>(
  items: readonly Item[],
  pool: Pool<Result>,
): Promise<PromiseSettledResult<Result>[]> {
  const { workers, inFlight = 1, setup, onMessage, onEnd } = pool;
  const handedBack: number[] = []; // by workers that died before they began them
  let next = 0;

  return supervise<Result>(items.length, {
    ...pool,
    setup: () => ({ setup, inFlight }),
    isWorkLeft: () => next < items.length || handedBack.length > 0,
    attend(worker) {
      const claims = new Set<number>(); // what it was handed and has not reported
      const begun = new Set<number>(); // those of them that it is on
      const poolWorker = { ...worker, send: (message: unknown) => worker.send({ message }) };

      function feed() {
        // One ahead hides the way there and back; not at the end, where others are free.
        const ahead = items.length - next > 2 * workers * inFlight ? inFlight : 0;
        while (claims.size < inFlight + ahead) {
          const index = handedBack.shift() ?? (next < items.length ? next++ : undefined);
          if (index === undefined) break;
          try {
            worker.send({ claim: { index, item: items[index]! } } satisfies ToWorker<Item>);
            claims.add(index);
          } catch (reason) {
            worker.fail(index, reason); // it cannot be cloned
          }
        }
        if (claims.size === 0) worker.send({ end: true } satisfies ToWorker<Item>);
      }

      return {
        onMessage(own) {
          const said = own as ToParent;
          if ("message" in said) return onMessage?.(poolWorker, said.message);
          const { done, begins, notBegun = [] } = said;
          if (begins !== undefined) begun.add(begins);
          for (const index of notBegun) begun.delete(index);
          if (done !== undefined) {
            claims.delete(done);
            begun.delete(done);
          }
          feed();
        },
        died() {
          handedBack.push(...[...claims].filter((index) => !begun.has(index)));
          return [...begun];
        },
        onEnd: (handedOver) => onEnd?.(poolWorker, handedOver),
      };
    },
  });
}

/**
 * The worker's side of {@link runPool}: await it where `isWorker` is true.
 *
 * @param begin Makes the worker's code from the pool's `setup`, once.
 */
export function servePool<Setup, Item, Result>(
  begin: (setup: Setup, port: Port) => Promise<WorkerCode<Item, Result>>,
): Promise<never> {
  return serve<{ setup: Setup; inFlight: number }>(async ({ setup, inFlight }, parent) => {
    const say = (own: ToParent, reports?: Report[]) =>
      parent.say({ own, ...(reports && { reports }) });
    const queue: Claim<Item>[] = [];
    const announced = new Set<number>(); // and not begun yet
    let idle = inFlight;
    let listener: (message: unknown) => void = () => {};

    /** Announces each item before it begins it: should this worker die, the parent knows. */
    async function lane(first: Claim<Item>) {
      announced.add(first.index);
      await say({ begins: first.index });
      for (let claim: Claim<Item> | undefined = first; claim; ) {
        const { index, item }: Claim<Item> = claim;
        announced.delete(index);
        const report = await runIteration(index, () => code.iterate(item));
        claim = queue.shift();
        if (claim) announced.add(claim.index);
        else idle++; // before it waits: what arrives meanwhile gets a lane
        await say({ done: index, begins: claim?.index }, [report]);
      }
    }

    process.on("exit", () => announced.size > 0 && say({ notBegun: [...announced] }));
    const ended = new Promise<void>((resolve) => {
      parent.onMessage((message) => {
        const told = message as ToWorker<Item>;
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
