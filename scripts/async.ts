// async.ts: run a for loop in one thread with many iterations in flight.
//
// Python: asyncio.gather over coroutines that share a Semaphore(6)
// Node:   await concurrently(items, body, { concurrency: 6, context })
//
// For waiting: while one request is out, the event loop sends the next. What Node does best, with
// no start-up and no copying. It does not pay for CPU work, which still has this one thread.
//
// Copy: this file, untouched, down to "Run as a script".
// Run:  npx tsx scripts/async.ts
//       npx tsx scripts/async.ts --requests 2000 --workers 100

import { once } from "node:events";
import { setImmediate } from "node:timers/promises";

/** A settled item. Times are milliseconds since 1970, or NaN where it was not done. */
export interface Report<Value> {
  index: number;
  worker: number; // the lane that it was on, from 0
  startMs: number;
  endMs: number;
  outcome: PromiseSettledResult<Value>;
}

export interface ConcurrentOptions<Value, Context> {
  concurrency: number; // lanes, and so the most iterations in flight at once
  context?: Context; // what the body is told beside its item
  signal?: AbortSignal; // aborted, it ends the loop; items not done are rejected with its reason
  onSettled?: (report: Report<Value>) => unknown; // its lane waits for it; if it throws, all end
}

/**
 * Calls `body` for all items, never for more than `concurrency` of them at once.
 * @param items Also a generator or a stream: it is asked for the next item when a lane is free.
 * @returns One settled result for each item (of an aborted stream: each that was taken), in order.
 * @throws {RangeError} `concurrency` is no whole number from 1. Also what `onSettled` or `items` throw.
 */
export async function concurrently<Item, Value, Context = undefined>(
  items: Iterable<Item> | AsyncIterable<Item>,
  body: (item: Item, context: Context) => Value,
  options: ConcurrentOptions<Awaited<Value>, Context>,
): Promise<PromiseSettledResult<Awaited<Value>>[]> {
  const { concurrency, context, signal, onSettled } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new RangeError(`Expected a whole number as concurrency, from 1, found ${concurrency}`);
  const source = (async function* () {
    yield* items;
  })();
  const outcomes: PromiseSettledResult<Awaited<Value>>[] = [];
  const over = new AbortController();
  const nowMs = () => performance.timeOrigin + performance.now();
  const isOver = () => over.signal.aborted || signal?.aborted;
  let [asked, taken] = [0, Array.isArray(items) ? items.length : 0];
  let yieldedMs = performance.now();

  /** A plain loop; only that all lanes take their items from one and the same iterator. */
  async function lane(worker: number) {
    while (!isOver()) {
      const index = asked++; // no other lane runs between this and the next line: nothing to lock
      const { done, value: item } = await source.next();
      if (done === true || isOver()) return;
      taken = Math.max(taken, index + 1);
      const startMs = nowMs();
      const [outcome] = await Promise.allSettled([(async () => body(item, context as Context))()]);
      if (isOver()) return;
      outcomes[index] = outcome;
      await onSettled?.({ index, worker, startMs, endMs: nowMs(), outcome });
      // A body that never waits would leave no room for Ctrl-C: make some, every 10 ms.
      if (performance.now() - yieldedMs > 10) yieldedMs = await setImmediate(performance.now());
    }
  }

  const aborted = signal && once(signal, "abort", { signal: over.signal });
  // A few lanes, not a promise for each item: 10,000 at once would be 10,000 sockets.
  const length = Array.isArray(items) ? Math.min(concurrency, taken) : concurrency;
  const lanes = Promise.all(Array.from({ length }, (_, number) => lane(number)));
  try {
    await Promise.race(aborted ? [lanes, aborted] : [lanes]); // aborted, it waits for nothing
  } finally {
    over.abort();
    source.return().catch(() => {}); // a generator cleans up behind itself
  }
  for (let index = 0; signal?.aborted && index < taken; index++) {
    if (outcomes[index]) continue;
    const outcome = { status: "rejected", reason: signal.reason } as const;
    outcomes[index] = outcome;
    await onSettled?.({ index, worker: 0, startMs: Number.NaN, endMs: Number.NaN, outcome });
  }
  return outcomes;
}

// Run as a script.

import { runAsScript } from "../lib/main.ts";

runAsScript(import.meta.url, {
  defaultWorkers: (cores) => Math.min(32, cores + 4), // as many as threads.ts, to compare
  inThisThread: (items, body, { workers, concurrency, ...options }) =>
    concurrently(items, body, { ...options, concurrency: workers * concurrency }),
});
