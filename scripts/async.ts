// async.ts: run a for loop in one thread with many iterations in flight.
//
// Python: asyncio.gather over coroutines that share a Semaphore(6)
// Node:   await concurrently(items, { workers: 6, task })
//
// For waiting: while one request is out, the event loop sends the next. What Node does best, with
// no start-up and no copying. It does not pay for CPU work, which still has this one thread.
//
// Run: npx tsx scripts/async.ts
//      npx tsx scripts/async.ts --requests 2000 --workers 100

import { setImmediate } from "node:timers/promises";
import { isMain } from "../lib/main.ts";
import { loadClient, post } from "../lib/post.ts";
import { countPrimes } from "../lib/primes.ts";
import type { Task as ScriptTask } from "../lib/task.ts";

// 1. The loop body: one iteration, and what it needs once in each worker (Python: initializer).
// It knows nothing of threads or processes. Put yours here.

type Item = number;
type Result = number;
type Task = ScriptTask;

async function prepare(task: Task): Promise<void> {
  if (task.work === "post") await loadClient();
}

async function body(item: Item, task: Task, signal?: AbortSignal): Promise<Result> {
  if (task.work === "cpu") return countPrimes(1_000_000 + item, 40_000);
  if (task.work === "none") return item;
  const reply = await post(task, { request: item }, signal);
  return reply.status;
}

// 2. The technique: a few lanes, each a plain loop that takes the next item when it is free.

interface Options {
  /** Lanes, and so the most iterations in flight at once (times `inFlight`, as in a pool). */
  workers: number;
  inFlight?: number;
  task: Task;
  signal?: AbortSignal;
  onSettled?: (index: number, worker: number, startMs: number, endMs: number) => void;
}

/**
 * Runs the loop body for all items, never more than workers x inFlight of them at once.
 *
 * @returns One settled result for each item, in order; those not begun when `signal` aborted are
 *   rejected with its reason.
 */
export async function concurrently(items: readonly Item[], options: Options) {
  const { workers, inFlight = 1, task, signal, onSettled } = options;
  const results = new Array<PromiseSettledResult<Result>>(items.length);
  let next = 0;

  async function lane(worker: number) {
    while (next < items.length) {
      const index = next++; // no other lane runs between these two: nothing to lock
      if (signal?.aborted) {
        results[index] = { status: "rejected", reason: signal.reason };
        continue;
      }
      const startMs = performance.timeOrigin + performance.now();
      try {
        results[index] = { status: "fulfilled", value: await body(items[index]!, task, signal) };
      } catch (reason) {
        results[index] = { status: "rejected", reason };
      }
      onSettled?.(index, worker, startMs, performance.timeOrigin + performance.now());
      // A body that never waits would leave no room for Ctrl-C, nor for the other lanes.
      await setImmediate();
    }
  }

  // Not one promise an item: 10,000 at once would be 10,000 sockets.
  const lanes = Math.min(workers * inFlight, items.length);
  await Promise.all(Array.from({ length: lanes }, (_, worker) => lane(worker)));
  return results;
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
