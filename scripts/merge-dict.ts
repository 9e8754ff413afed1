// merge-dict.ts: give each worker a dictionary of its own, and merge them at the end.
//
// Python: for future in as_completed(futures): merged.update(future.result())
// Node:   await intoMergedDict(dict, items, { workers: 2, task, with: "processes" })
//
// Nothing is shared, so nothing can be lost or waited for, and each dictionary travels as a whole.
// It does not pay where entries are item -> result, as in this example: any technique returns those,
// to fill a Map from. Nor where workers must see each other's entries while they work; that takes
// shared-dict.ts or shared-memory.ts.
//
// Copy: parts 1 and 2, with your own loop in part 1; and the folder ../lib/workers.
// Run:  npx tsx scripts/merge-dict.ts
//       npx tsx scripts/merge-dict.ts --with threads --workers 8

import { runPool } from "../lib/workers/pool.ts";
import { servePool, type WorkerCode } from "../lib/workers/pool-worker.ts";
import { isWorker } from "../lib/workers/serve.ts";
import type { WorkerKind } from "../lib/workers/start.ts";
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

// 2. The technique: a Map in each worker, handed over once; the parent merges them. The pool, of
// processes or of threads, is lib/workers/pool.ts.

const ROLE = "--a-worker-of-merge-dict.ts";

/**
 * Runs the loop body for all items; the results end up in `merged`.
 *
 * @returns One settled result for each item, in order, as the other techniques, and how many
 *   entries were there already when a later worker's were merged: those are replaced, as by
 *   Python's dict.update.
 */
export async function intoMergedDict(
  merged: Map<Item, Result>,
  items: readonly Item[],
  options: WorkerOptions<Result> & { task: Task; with: WorkerKind },
) {
  const { task, entry = new URL(import.meta.url) } = options;
  const parts: { worker: number; entries: Map<Item, Result> }[] = [];
  const outcomes = await runPool<Item, Result>(items, {
    ...options,
    entry,
    role: ROLE,
    setup: task,
    onEnd({ number }, entries) {
      if (entries) parts.push({ worker: number, entries: entries as Map<Item, Result> });
    },
  });

  // In the order of the workers' numbers, not in that of their ends, which is another every time.
  parts.sort((a, b) => a.worker - b.worker);
  const handedOver = new Set<Item>();
  let collisions = 0;
  for (const { entries } of parts) {
    for (const [key, value] of entries) {
      if (handedOver.has(key)) collisions++;
      handedOver.add(key);
      merged.set(key, value);
    }
  }
  // A worker that died lost its dictionary. What it had done is in the settled results, which it
  // reported one by one: its entries are restored from those.
  for (const [index, outcome] of outcomes.entries()) {
    const key = items[index]!;
    if (outcome.status === "fulfilled" && !handedOver.has(key)) merged.set(key, outcome.value);
  }
  return { outcomes, collisions };
}

/** The worker's side. */
async function begin(task: Task): Promise<WorkerCode<Item, Result>> {
  const mine = new Map<Item, Result>();
  await prepare(task);
  return {
    async iterate(item) {
      const result = await body(item, task);
      mine.set(item, result);
      return result; // also this item's settled result, from which a lost entry is restored
    },
    end: () => mine,
  };
}

// A worker runs this same file; in it this line never returns, and what follows is the parent's.
if (isWorker(ROLE)) await servePool(begin);

// 3. Run as a script.

if (isMain(import.meta.url)) {
  const { runScript } = await import("../lib/script.ts");
  const { countDone, studyMerge } = await import("../lib/dict-study.ts");
  let merged = new Map<Item, Result>();
  let collisions = 0;
  await runScript({
    name: "merge-dict",
    takesWith: true,
    defaultWorkers: (cores, kind) => (kind === "processes" ? cores : Math.min(32, cores + 4)),
    startsWorkersFrom: import.meta.url,
    async technique(items, options) {
      merged = new Map();
      const done = await intoMergedDict(merged, items, options);
      collisions = done.collisions;
      return done.outcomes;
    },
    afterRun: async (results) => studyMerge(merged, countDone(results), collisions),
  });
}
