// async.ts: run a for loop in one thread with many iterations in flight.
//
// Python: asyncio.gather over coroutines that share a Semaphore(6)
// Node:   await concurrently(items, { workers: 6, task })
//
// For waiting: while one request is out, the event loop sends the next. What Node does best, with
// no start-up and no copying. It does not pay for CPU work, which still has this one thread.
//
// Copy: parts 1 and 2, with your own loop in part 1, which alone uses ../lib.
// Run:  npx tsx scripts/async.ts
//       npx tsx scripts/async.ts --requests 2000 --workers 100

import { once } from "node:events";
import { setImmediate } from "node:timers/promises";

// For this suite's own loop body and part 3 only:

import { isMain } from "../lib/main.ts";
import { loadClient, payload, post } from "../lib/post.ts";
import { countPrimes } from "../lib/primes.ts";
import type { Task as ScriptTask } from "../lib/task.ts";

// 1. The loop body: one iteration, and what it needs once in each worker (Python: initializer).
// It knows nothing of threads or processes. Put yours here, and keep it async.

type Item = number;
type Result = number;
type Task = ScriptTask;

async function prepare(task: Task): Promise<void> {
  if (task.work === "post") await loadClient();
}

async function body(item: Item, task: Task): Promise<Result> {
  if (task.work === "cpu") return countPrimes(1_000_000 + item, 40_000);
  if (task.work === "none") return item;
  const reply = await post(task, payload(task, item));
  return reply.status;
}

// 2. The technique: a few lanes, each a plain loop that takes the next item when it is free.

interface Options {
  /** Lanes, and so the most iterations in flight at once (times `inFlight`, as in a pool). */
  workers: number;
  inFlight?: number;
  task: Task;
  signal?: AbortSignal;
  onSettled?: (report: Report, worker: number) => void;
}

/** One iteration: its start and end in milliseconds since 1970, what came of it. */
interface Report {
  index: number;
  startMs: number;
  endMs: number;
  outcome: PromiseSettledResult<Result>;
}

/**
 * Runs the loop body for all items, never more than workers x inFlight of them at once.
 *
 * @returns One settled result for each item, in order; those not done when `signal` aborted are
 *   rejected with its reason.
 * @throws {RangeError} `workers` or `inFlight` is no whole number from 1.
 */
export async function concurrently(
  items: readonly Item[],
  options: Options,
): Promise<PromiseSettledResult<Result>[]> {
  const { workers, inFlight = 1, task, signal, onSettled } = options;
  if (![workers, inFlight].every((count) => Number.isInteger(count) && count >= 1))
    throw new RangeError("Expected whole numbers of workers and in flight, at least 1");
  const outcomes = new Array<PromiseSettledResult<Result> | undefined>(items.length);
  let next = 0;
  let yieldedMs = performance.now();

  async function lane(number: number) {
    while (next < items.length && !signal?.aborted) {
      const index = next++; // no other lane runs between these two: nothing to lock
      const startMs = performance.timeOrigin + performance.now();
      const [outcome] = await Promise.allSettled([body(items[index]!, task)]);
      if (signal?.aborted) return;
      outcomes[index] = outcome;
      const endMs = performance.timeOrigin + performance.now();
      onSettled?.({ index, startMs, endMs, outcome }, number % workers);
      // A body that never waits would leave no room for Ctrl-C: make some, every 10 ms.
      if (performance.now() - yieldedMs > 10) {
        await setImmediate();
        yieldedMs = performance.now();
      }
    }
  }

  // Aborted, it does not wait for iterations that may never end.
  const over = new AbortController();
  const aborted = signal && once(signal, "abort", { signal: over.signal });
  // A few lanes, not a promise for each item: 10,000 at once would be 10,000 sockets.
  const count = Math.min(workers * inFlight, items.length);
  const lanes = Promise.all(Array.from({ length: count }, (_, number) => lane(number)));
  try {
    await Promise.race([lanes, aborted].filter(Boolean));
  } finally {
    over.abort(); // listens no more
    next = items.length; // if onSettled has thrown, the other lanes end as well
  }
  return Array.from(
    outcomes,
    (outcome) => outcome ?? { status: "rejected", reason: signal?.reason },
  );
}

// 3. Run as a script.

if (isMain(import.meta.url)) {
  const { runScript } = await import("../lib/script.ts");
  await runScript({
    name: "async",
    technique: concurrently,
    prepare,
    defaultWorkers: (cores) => Math.min(32, cores + 4), // as many as threads.ts, to compare
  });
}
