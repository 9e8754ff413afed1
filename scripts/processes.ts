// processes.ts: run a for loop on a pool of child processes.
//
// Python: ProcessPoolExecutor(max_workers=2).map(body, items)
// Node:   await inProcesses(items, { workers: 2, task })
//
// For CPU work that may crash (native code) or must not share a process: what kills one leaves the
// others alone. They do not pay for waiting (async.ts), nor where threads would do (threads.ts): each
// takes 70 to 300 ms to start and 50 MB or more, and every item and result is sent by message.
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

// 2. The technique: the parent sends each process one item to run and one to wait, and each result
// that comes back asks for the next. That is lib/workers/pool.ts on the parent's side, pool-worker.ts
// on the process's; the dictionaries run on it, too.

const ROLE = "--a-worker-of-processes.ts";

/**
 * Runs the loop body for all items in child processes. A process that dies costs the iterations it
 * was on (if it is killed, short ones together with all that were sent with them), and another takes
 * its place.
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
  return runPool(items, {
    ...options,
    with: "processes",
    entry,
    role: ROLE,
    setup: task,
    batches: true,
  });
}

/** The process's side: what it does once, and then for each item. */
async function begin(task: Task): Promise<WorkerCode<Item, Result>> {
  await prepare(task);
  return { iterate: (item) => body(item, task) };
}

// A worker runs this same file; in it this line never returns, and what follows is the parent's.
if (isWorker(ROLE)) await servePool(begin);

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
