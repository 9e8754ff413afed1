// Hands out items by message, each worker one claim ahead: the parent's side. The worker's side is
// pool-worker.ts. (Threads can do without messages: scripts/threads.ts.)

import type { Claim, FromPoolWorker, ToPoolWorker } from "./pool-worker.ts";
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

/**
 * Runs `iterate` of the workers' code for all items. A worker that dies costs the claims it was on:
 * one item each, or where they are short and it is killed, all that travelled together.
 *
 * @returns One settled result for each item, as `supervise` gives it.
 */
export function runPool<Item, Result>(
  items: readonly Item[],
  pool: Pool<Result>,
): Promise<PromiseSettledResult<Result>[]> {
  const { workers, inFlight = 1, setup, onMessage, onEnd } = pool;
  const lanes = Math.min(workers, items.length) * inFlight;
  const handedBack: Claim<Item> = []; // begun by nobody: a worker died, or gave them back
  let next = 0;

  /** The next item, or several where they are so short that a message for each would cost more. */
  function takeClaim(eachMs: number): Claim<Item> {
    if (handedBack.length > 0) return handedBack.splice(0, 1);
    const most = Math.min(0.2 / eachMs, (items.length - next) / (4 * lanes));
    const first = next;
    next = Math.min(first + Math.max(1, Math.floor(most)), items.length);
    return items.slice(first, next).map((item, offset) => ({ index: first + offset, item }));
  }

  return supervise<Result>(items.length, {
    ...pool,
    setup: () => ({ setup, inFlight }),
    isWorkLeft: () => next < items.length || handedBack.length > 0,
    attend(worker) {
      // By a claim's first index: what it was handed and has not reported, and which of it is begun.
      const claims = new Map<number, Claim<Item>>();
      const begun = new Set<number>();
      const poolWorker = { ...worker, send: (message: unknown) => worker.send({ message }) };

      function feed(eachMs: number) {
        // One claim ahead hides the way there and back; not at the end, where others are free.
        const ahead = items.length - next > 2 * lanes ? inFlight : 0;
        while (claims.size < inFlight + ahead) {
          const claim = takeClaim(eachMs);
          const [first] = claim;
          if (!first) break;
          try {
            worker.send({ claim } satisfies ToPoolWorker<Item>);
            claims.set(first.index, claim);
          } catch (reason) {
            // An item cannot be cloned. Of several each is sent again by itself: only that one fails.
            if (claim.length > 1) handedBack.push(...claim);
            else worker.fail(first.index, reason);
          }
        }
        if (claims.size === 0) worker.send({ end: true } satisfies ToPoolWorker<Item>);
      }

      return {
        onMessage(own) {
          const said = own as FromPoolWorker;
          if ("message" in said) return onMessage?.(poolWorker, said.message);
          const { of, begins } = said;
          if (begins !== undefined) begun.add(begins);
          if (of) {
            const left = claims.get(of.id)!.slice(of.done);
            handedBack.push(...left.splice(left.length - of.notBegun));
            if (left.length > 0) claims.set(of.id, left);
            else for (const those of [claims, begun]) those.delete(of.id);
          }
          feed(of?.eachMs ?? Number.POSITIVE_INFINITY);
        },
        died() {
          const lost: number[] = [];
          for (const [id, claim] of claims) {
            if (begun.has(id)) lost.push(...claim.map(({ index }) => index));
            else handedBack.push(...claim);
          }
          return lost;
        },
        onEnd: (handedOver) => onEnd?.(poolWorker, handedOver),
      };
    },
  });
}
