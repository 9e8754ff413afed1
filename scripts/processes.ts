// processes.ts: run a for loop on a pool of child processes.
//
// Python: ProcessPoolExecutor(max_workers=2).map(body, items)
// Node:   await inProcesses(items, { workers: 2, task })
//
// For CPU work that may crash (native code) or must not share a process: what kills one leaves the
// others alone. They do not pay for waiting (async.ts), nor where threads do (threads.ts): each
// takes 100 to 300 ms to start, 50 MB and more of memory, and a message for what it does.
//
// Copy: parts 1 and 2, with your own loop in part 1; and the folder ../lib/workers.
// Run:  npx tsx scripts/processes.ts
//       npx tsx scripts/processes.ts --work cpu --workers 2

import { runPool } from "../lib/workers/pool.ts";
import { servePool, type WorkerCode } from "../lib/workers/pool-worker.ts";
import { isWorker } from "../lib/workers/serve.ts";
import type { WorkerOptions } from "../lib/workers/supervise.ts";

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

// 2. The technique: processes that are handed the next items by message. How, and what becomes of
// those of a process that dies, is lib/workers/pool.ts.

const ROLE = "--a-worker-of-processes.ts";

/**
 * Runs the loop body for all items in child processes. A process that dies costs the iterations it
 * was on (of short ones, killed, all that travelled together), and another takes its place.
 *
 * @returns One settled result for each item, in order; those not done when `signal` aborted are
 *   rejected with its reason, and all where the task cannot be cloned.
 * @throws {RangeError} `workers` or `inFlight` is no whole number from 1.
 */
export async function inProcesses(
  items: readonly Item[],
  options: WorkerOptions<Result> & { task: Task },
): Promise<PromiseSettledResult<Result>[]> {
  const { task, entry = new URL(import.meta.url) } = options;
  return runPool(items, { ...options, with: "processes", entry, role: ROLE, setup: task });
}

/** The process's side. */
async function work(task: Task): Promise<WorkerCode<Item, Result>> {
  await prepare(task);
  return { iterate: (item) => body(item, task) };
}

if (isWorker(ROLE)) await servePool(work);

// 3. Run as a script.

if (isMain(import.meta.url)) {
  const { runScript } = await import("../lib/script.ts");
  await runScript({
    name: "processes",
    technique: inProcesses,
    defaultWorkers: (cores) => cores, // as Python's ProcessPoolExecutor
    startsWorkersFrom: import.meta.url,
  });
}
