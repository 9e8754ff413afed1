// sequential.ts: run a for loop one iteration after another, the baseline of all the others.
//
// Python: for item in items: results.append(body(item))
// Node:   for (const item of items) results.push(await body(item))
//
// Nothing to set up, nothing to go wrong: where the whole loop takes less than about a second,
// this is the right technique. Its time is the number of items x the time of one.
//
// Run: npx tsx scripts/sequential.ts
//      npx tsx scripts/sequential.ts --requests 100 --work cpu

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

// 2. The technique: the plain loop.

interface Options {
  task: Task;
  signal?: AbortSignal;
  onSettled?: (index: number, worker: number, startMs: number, endMs: number) => void;
}

/**
 * Runs the loop body for one item after another.
 *
 * @returns One settled result for each item, in order; those not begun when `signal` aborted are
 *   rejected with its reason.
 */
export async function inSequence(items: readonly Item[], options: Options) {
  const { task, signal, onSettled } = options;
  const results: PromiseSettledResult<Result>[] = [];
  for (const [index, item] of items.entries()) {
    if (signal?.aborted) {
      results.push({ status: "rejected", reason: signal.reason });
      continue;
    }
    const startMs = performance.timeOrigin + performance.now();
    try {
      results.push({ status: "fulfilled", value: await body(item, task, signal) });
    } catch (reason) {
      results.push({ status: "rejected", reason });
    }
    onSettled?.(index, 0, startMs, performance.timeOrigin + performance.now());
    // A body that never waits would leave no room for Ctrl-C.
    await setImmediate();
  }
  return results;
}

// 3. Run as a script.

if (isMain(import.meta.url)) {
  const { runScript } = await import("../lib/script.ts");
  await runScript({ name: "sequential", technique: inSequence, prepare });
}
