// threads.ts: run a for loop on a pool of worker threads.
//
// Python: ThreadPoolExecutor(max_workers=6).map(body, items)
// Node:   await inThreads(items, { workers: 6, task })
//
// For CPU work: Node's threads compute on all cores at once, there is no GIL. They do not pay for
// waiting (async.ts holds hundreds of requests in one thread), nor for a loop that is over before
// they are up, some 50 to 200 ms.
//
// Copy: parts 1 and 2, with your own loop in part 1; and the folder ../lib/workers.
// Run:  npx tsx scripts/threads.ts
//       npx tsx scripts/threads.ts --work cpu --workers 2

import { type Report, runIteration } from "../lib/workers/report.ts";
import { isWorker, type Parent, serve } from "../lib/workers/serve.ts";
import { supervise, type WorkerOptions } from "../lib/workers/supervise.ts";

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

// 2. The technique: threads that claim the next items from a counter in shared memory.

const ROLE = "--a-worker-of-threads.ts";

/** What every thread is given. */
interface Job {
  worker: number;
  items: readonly Item[];
  task: Task;
  inFlight: number;
  // In memory that all threads see:
  next: Int32Array; // [the next index to claim]
  owners: Int16Array; // index -> 1 + the number of the thread that claimed it
}

/**
 * Runs the loop body for all items on worker threads. A thread that dies costs the iterations it
 * was on (out of memory, also the short ones just before), and another takes its place.
 *
 * @returns One settled result for each item, in order; those not done when `signal` aborted are
 *   rejected with its reason, and all where the task or an item cannot be cloned.
 * @throws {RangeError} `workers` or `inFlight` is no whole number from 1.
 */
export async function inThreads(
  items: readonly Item[],
  options: WorkerOptions<Result> & { task: Task },
): Promise<PromiseSettledResult<Result>[]> {
  const { task, inFlight = 1, entry = new URL(import.meta.url) } = options;
  const next = new Int32Array(new SharedArrayBuffer(4));
  const owners = new Int16Array(new SharedArrayBuffer(2 * items.length));
  return supervise<Result>(items.length, {
    ...options,
    with: "threads",
    entry,
    role: ROLE,
    setup: (worker): Job => ({ worker, items, task, inFlight, next, owners }),
    isWorkLeft: () => Atomics.load(next, 0) < items.length,
    attend: ({ number }) => ({
      // All that it ever claimed; what it has reported of that stays done.
      onDeath: () => [...owners.keys()].filter((index) => owners[index] === number + 1),
    }),
  });
}

/** The thread's side: each lane claims the next item until there are none. */
async function work(job: Job, parent: Parent): Promise<void> {
  const { worker, items, task, inFlight, next, owners } = job;
  const reports: Report[] = [];
  let sentMs = 0;

  function send() {
    void parent.say({ reports: reports.splice(0) });
    sentMs = performance.now();
  }

  async function lane() {
    for (;;) {
      const index = Atomics.add(next, 0, 1);
      if (index >= items.length) return;
      owners[index] = worker + 1;
      reports.push(await runIteration(index, () => body(items[index]!, task)));
      // At once, unless the last message is less than 0.2 ms old: one for each short iteration would
      // cost more than they do. They share one, sent when the thread next waits at the latest.
      if (performance.now() - sentMs > 0.2) send();
      else if (reports.length === 1) setImmediate(() => reports.length > 0 && send());
    }
  }

  process.on("exit", () => reports.length > 0 && send()); // if the loop body calls exit()
  await prepare(task);
  await Promise.all(Array.from({ length: inFlight }, lane));
  if (reports.length > 0) send();
}

// A worker runs this same file; in it this line never returns, and what follows is the parent's.
if (isWorker(ROLE)) await serve(work);

// 3. Run as a script.

if (isMain(import.meta.url)) {
  const { runScript } = await import("../lib/script.ts");
  await runScript({
    name: "threads",
    technique: inThreads,
    defaultWorkers: (cores) => Math.min(32, cores + 4), // as Python's ThreadPoolExecutor
    startsWorkersFrom: import.meta.url,
  });
}
