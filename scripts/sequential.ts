// sequential.ts: run a for loop one iteration after another, the baseline of all the others.
//
// Python: for item in items: results.append(body(item))
// Node:   await inSequence(items, body, { context })
//
// Nothing to set up, nothing to go wrong: where the whole loop takes less than about a second,
// this is the right technique. Its time is the number of items x the time of one.
//
// Copy: this file, untouched, down to "Run as a script".
// Run:  npx tsx scripts/sequential.ts
//       npx tsx scripts/sequential.ts --requests 100 --work cpu

import { once } from "node:events";
import { setImmediate } from "node:timers/promises";

/** A settled item. Times are milliseconds since 1970, or NaN where it was not done. */
export interface Report<Value> {
  index: number;
  worker: 0;
  startMs: number;
  endMs: number;
  outcome: PromiseSettledResult<Value>;
}

export interface SequenceOptions<Value, Context> {
  context?: Context; // what the body is told beside its item
  signal?: AbortSignal; // aborted, it ends the loop; items not done are rejected with its reason
  onSettled?: (report: Report<Value>) => unknown; // the loop waits for it, and ends if it throws
}

/**
 * Calls `body` for one item after another.
 *
 * @param items An array, or anything that gives items one by one: a generator, a stream.
 * @returns One settled result for each item, in order. (Aborted, it waits for nothing: of what is no
 *   array, for each item taken so far.)
 * @throws What `onSettled` throws, or `items` itself.
 */
export async function inSequence<Item, Value, Context = undefined>(
  items: Iterable<Item> | AsyncIterable<Item>,
  body: (item: Item, context: Context) => Value,
  options: SequenceOptions<Awaited<Value>, Context> = {},
): Promise<PromiseSettledResult<Awaited<Value>>[]> {
  const { context, signal, onSettled } = options;
  const outcomes: PromiseSettledResult<Awaited<Value>>[] = [];
  const over = new AbortController();
  const nowMs = () => performance.timeOrigin + performance.now();
  let taken = Array.isArray(items) ? items.length : 0;
  let yieldedMs = performance.now();

  async function loop() {
    for await (const item of items) {
      if (signal?.aborted) return;
      taken = Math.max(taken, outcomes.length + 1);
      const startMs = nowMs();
      const [outcome] = await Promise.allSettled([(async () => body(item, context as Context))()]);
      if (signal?.aborted) return;
      const index = outcomes.push(outcome) - 1;
      await onSettled?.({ index, worker: 0, startMs, endMs: nowMs(), outcome });
      // A body that never waits would leave no room for Ctrl-C: make some, every 10 ms.
      if (performance.now() - yieldedMs > 10) yieldedMs = await setImmediate(performance.now());
    }
  }

  const aborted = signal && once(signal, "abort", { signal: over.signal });
  try {
    await Promise.race(aborted ? [loop(), aborted] : [loop()]); // aborted, it waits for nothing
  } finally {
    over.abort(); // listens no more
  }
  while (signal?.aborted && outcomes.length < taken) {
    const outcome = { status: "rejected", reason: signal.reason } as const;
    const index = outcomes.push(outcome) - 1;
    await onSettled?.({ index, worker: 0, startMs: Number.NaN, endMs: Number.NaN, outcome });
  }
  return outcomes;
}

// Run as a script.

import { runAsScript } from "../lib/main.ts";

runAsScript(import.meta.url, { inThisThread: inSequence });
