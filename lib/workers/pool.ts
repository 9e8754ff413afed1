// Hands out items by message, to processes or threads: the parent's side. The worker's side is
// pool-worker.ts. (Threads can also take items without messages: scripts/threads.ts.)
//
// A worker has one item to run and one to wait (times `inFlight`). Each result that it sends is the
// request for the next, and it says which item it begins: if it dies, that one is lost, and another
// worker gets the one that was waiting.

import type { Batch, FromPoolWorker, ToPoolWorker } from "./pool-worker.ts";
import { type Supervision, supervise, type WorkerHandle } from "./supervise.ts";

/** One worker of a pool, as the parent sees it. */
export type PoolWorker = Omit<WorkerHandle, "fail">;

/** A pool: its setup, and what it does beside handing out items. */
export interface Pool<Result> extends Omit<Supervision<Result>, "setup" | "isWorkLeft" | "attend"> {
  /** What every worker is given at its start. */
  setup: unknown;
  /**
   * Short items travel in batches: a message for each would cost more than they do. One may then
   * begin long after later ones, and a killed worker loses all of its batch.
   */
  batches?: boolean;
  /** A message of a worker's own. */
  onMessage?: (worker: PoolWorker, message: unknown) => void;
  /** A worker has ended: with what it handed over, or undefined where it died. */
  onEnd?: (worker: PoolWorker, handedOver: unknown) => void;
}

/**
 * Runs `iterate` of the workers' code for all items. A worker that dies costs the items it was on.
 *
 * @returns One settled result for each item, as `supervise` gives it.
 */
export function runPool<Item, Result>(
  given: readonly Item[],
  pool: Pool<Result>,
): Promise<PromiseSettledResult<Result>[]> {
  const items = [...given]; // without holes, and of this length
  const { workers, inFlight = 1, setup, batches, onMessage, onEnd } = pool;
  const lanes = Math.min(workers, items.length) * inFlight;
  const givenBack: Batch<Item> = []; // handed out, and begun by nobody; in order
  const feeds = new Set<() => void>(); // one for each worker that is ready
  let next = 0;

  /** The next item, or where they are short as many as take 0.2 ms; towards the end fewer. */
  function nextBatch(eachMs = Number.POSITIVE_INFINITY): Batch<Item> {
    if (givenBack.length > 0) return givenBack.splice(0, 1);
    const most = batches ? Math.min(0.2 / eachMs, (items.length - next) / (4 * lanes)) : 1;
    const first = next;
    next = Math.min(first + Math.max(1, Math.floor(most)), items.length);
    return items.slice(first, next).map((item, offset) => ({ index: first + offset, item }));
  }

  function giveBack(unbegun: Batch<Item>) {
    if (unbegun.length === 0) return;
    givenBack.push(...unbegun);
    givenBack.sort((a, b) => a.index - b.index);
    for (const feed of feeds) feed(); // some have nothing else to do
  }

  return supervise<Result>(items.length, {
    ...pool,
    setup: () => ({ setup, inFlight }),
    isWorkLeft: () => next < items.length || givenBack.length > 0,
    attend(worker) {
      // By id: the batches that it holds, and which of them it has begun.
      const held = new Map<number, Batch<Item>>();
      const begun = new Set<number>();
      const poolWorker = { ...worker, send: (message: unknown) => worker.send({ message }) };

      function feed(eachMs?: number) {
        // One to wait hides the way there and back. Not at the end, where others are free; nor what
        // was given back: a later item, which it would wait behind, may wait for its entry.
        const ahead = items.length - next > 2 * lanes ? inFlight : 0;
        while (held.size < inFlight + (givenBack.length > 0 ? 0 : ahead)) {
          const batch = nextBatch(eachMs);
          const [first] = batch;
          if (!first) break;
          try {
            worker.send({ batch } satisfies ToPoolWorker<Item>);
            held.set(first.index, batch);
          } catch (reason) {
            // An item cannot be cloned. Of several each is sent again by itself: only that one fails.
            if (batch.length > 1) givenBack.push(...batch);
            else worker.fail(first.index, reason);
          }
        }
      }

      return {
        onMessage(own) {
          const said = own as FromPoolWorker;
          if ("message" in said) return onMessage?.(poolWorker, said.message);
          const { reported, begins } = said;
          if (begins !== undefined) begun.add(begins);
          if (reported) {
            const { id, done, notBegun } = reported;
            // What was left of it is, in this order: now done, still running, not begun.
            const left = held.get(id)!.slice(done);
            const unbegun = left.splice(left.length - notBegun);
            if (left.length > 0) {
              held.set(id, left);
            } else {
              held.delete(id);
              begun.delete(id);
            }
            giveBack(unbegun);
          }
          feed(reported?.eachMs);
          feeds.add(feed);
        },
        onDeath() {
          feeds.delete(feed);
          const lost: number[] = [];
          const unbegun: Batch<Item> = [];
          for (const [id, batch] of held) {
            if (begun.has(id)) lost.push(...batch.map(({ index }) => index));
            else unbegun.push(...batch);
          }
          giveBack(unbegun);
          return lost;
        },
        onAllSettled: () => worker.send({ end: true } satisfies ToPoolWorker<Item>),
        onEnd: (handedOver) => onEnd?.(poolWorker, handedOver),
      };
    },
  });
}
