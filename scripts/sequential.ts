// sequential.ts: run a for loop one iteration after another, the baseline of all the others.
//
// Python: for item in items: results.append(body(item))
// Node:   for (const item of items) results.push(await body(item))
//
// Nothing to set up, nothing to go wrong: where the whole loop takes less than about a second,
// this is the right technique. Its time is the number of items x the time of one.
//
// Copy: parts 1 and 2, with your own loop in part 1, which alone uses ../lib.
// Run:  npx tsx scripts/sequential.ts
//       npx tsx scripts/sequential.ts --requests 100 --work cpu

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

// 2. The technique: the plain loop.

interface Options {
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
 * Runs the loop body for one item after another.
 *
 * @returns One settled result for each item, in order; those not done when `signal` aborted are
 *   rejected with its reason.
 */
export async function inSequence(
  items: readonly Item[],
  options: Options,
): Promise<PromiseSettledResult<Result>[]> {
  const { task, signal, onSettled } = options;
  const outcomes: PromiseSettledResult<Result>[] = [];
  let yieldedMs = performance.now();

  async function loop() {
    for (const [index, item] of items.entries()) {
      if (signal?.aborted) return;
      const startMs = performance.timeOrigin + performance.now();
      const [outcome] = await Promise.allSettled([body(item, task)]);
      if (signal?.aborted) return;
      outcomes.push(outcome);
      const endMs = performance.timeOrigin + performance.now();
      onSettled?.({ index, startMs, endMs, outcome }, 0);
      // A body that never waits would leave no room for Ctrl-C: make some, every 10 ms.
      if (performance.now() - yieldedMs > 10) {
        await setImmediate();
        yieldedMs = performance.now();
      }
    }
  }

  // Aborted, it does not wait for an iteration that may never end.
  const over = new AbortController();
  const aborted = signal && once(signal, "abort", { signal: over.signal });
  try {
    await Promise.race([loop(), aborted].filter(Boolean));
  } finally {
    over.abort(); // listens no more
  }
  while (outcomes.length < items.length) {
    outcomes.push({ status: "rejected", reason: signal?.reason });
  }
  return outcomes;
}

// 3. Run as a script.

if (isMain(import.meta.url)) {
  const { runScript } = await import("../lib/script.ts");
  await runScript({ name: "sequential", technique: inSequence, prepare });
}
