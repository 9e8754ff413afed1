// shared-dict.ts: share one dictionary between all workers; the parent owns it.
//
// Python: with Manager() as manager: shared = manager.dict()
// Node:   await intoSharedDict(dict, items, { workers: 2, task, with: "processes" })
//
// Simple to use, from processes as well as threads, and slow: each operation is a message to the
// parent and one back. Where workers only ever add results, merge-dict.ts does without. One
// operation is atomic. Reading, then writing what was read plus one, is two: another worker comes
// in between, and an update is lost. Use increment() or lock() for that.
//
// Copy: parts 1 and 2, with your own loop in part 1; and the folder ../lib/workers.
// Run:  npx tsx scripts/shared-dict.ts
//       npx tsx scripts/shared-dict.ts --with threads --workers 8

import { answer, asking, LATER, type Question, sendAnswers } from "../lib/workers/ask.ts";
import { locks } from "../lib/workers/locks.ts";
import { type PoolWorker, runPool } from "../lib/workers/pool.ts";
import { type Port, servePool, type WorkerCode } from "../lib/workers/pool-worker.ts";
import { isWorker } from "../lib/workers/serve.ts";
import type { WorkerKind } from "../lib/workers/start.ts";
import type { WorkerOptions } from "../lib/workers/supervise.ts";

// For this suite's own loop body and part 3 only:

import type { StudyJob } from "../lib/dict-study.ts";
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

// 2. The technique: a Map in the parent, and in each worker a proxy that asks for operations on it.

type Key = string | number;
type Entry<Value> = [Key, Value];

/** The dictionary as a worker sees it. Every operation is atomic, and they arrive in order. */
export type SharedDict<Value> = ReturnType<typeof sharedDict<Value>>;

/** The worker's side: what is not awaited one by one travels together. */
export function sharedDict<Value>(port: Port) {
  const ask = asking(port);
  return {
    get: (key: Key) => ask<Value | undefined>("get", key),
    set: (key: Key, value: Value) => ask<void>("set", key, value),
    has: (key: Key) => ask<boolean>("has", key),
    delete: (key: Key) => ask<boolean>("delete", key),
    size: () => ask<number>("size"),
    /** A copy of all entries at one moment, in order of insertion. */
    entries: () => ask<Entry<Value>[]>("entries"),
    update: (entries: Iterable<Entry<Value>>) => ask<void>("update", [...entries]),
    /** Adds to a number (0 where there is none) and gives the sum. */
    increment: (key: Key, by = 1) => ask<number>("increment", key, by),
    /**
     * Runs `critical` while no other call, from any worker, holds the lock of this key, or the one
     * lock without a key. In it, the same lock would wait for ever. It has the lock until it has
     * settled, even if the iteration is over.
     */
    async lock<Result>(...args: [() => Promise<Result>] | [Key, () => Promise<Result>]) {
      const [key, critical] = args.length === 1 ? [undefined, args[0]] : args;
      await ask("acquire", key);
      try {
        return await critical();
      } finally {
        void ask("release", key);
      }
    },
  };
}

/** The parent's side: applies the operations to `dict`, and grants locks in the order of asking. */
export function ownDict(dict: Map<Key, unknown>, counter = { operations: 0 }) {
  const { acquire, release, releaseAll } = locks<Key | undefined, PoolWorker>();

  function apply(worker: PoolWorker, { 0: id, 1: name, 2: key, 3: value }: Question): unknown {
    if (name === "get") return dict.get(key as Key);
    if (name === "set") return void dict.set(key as Key, value);
    if (name === "has") return dict.has(key as Key);
    if (name === "delete") return dict.delete(key as Key);
    if (name === "size") return dict.size;
    if (name === "entries") return [...dict];
    if (name === "update") return update(dict, key as Entry<unknown>[]);
    if (name === "increment") return increment(dict, key as Key, value as number);
    if (name === "release") return release(key as Key | undefined, worker);
    if (name === "acquire") {
      acquire(key as Key | undefined, worker, () => sendAnswers(worker, [[id, undefined]]));
      return LATER; // when it has the lock
    }
    throw new TypeError(`No operation of a dictionary is called "${name}"`);
  }

  return {
    onMessage(worker: PoolWorker, message: unknown) {
      const questions = message as Question[];
      counter.operations += questions.length;
      answer(worker, questions, (question) => apply(worker, question));
    },
    onEnd: releaseAll,
  };
}

const ROLE = "--a-worker-of-shared-dict.ts";

type Options = WorkerOptions<Result> & {
  task: Task;
  with: WorkerKind;
  counter?: { operations: number }; // of those that reached the parent
};

/**
 * Runs the loop body for all items and puts each result into `dict`, from the worker that got it.
 *
 * @returns One settled result for each item, in order, as the other techniques.
 */
export async function intoSharedDict(
  dict: Map<Key, Result>,
  items: readonly Item[],
  options: Options,
): Promise<PromiseSettledResult<Result>[]> {
  const { task, counter, entry = new URL(import.meta.url) } = options;
  const { onMessage, onEnd } = ownDict(dict, counter);
  return runPool(items, { ...options, entry, role: ROLE, setup: task, onMessage, onEnd });
}

/** The worker's side: puts what the loop body returns into the dictionary. */
async function begin(task: Task, port: Port): Promise<WorkerCode<Item, Result>> {
  const dict = sharedDict<Result>(port);
  await prepare(task);
  return {
    async iterate(item) {
      const result = await body(item, task);
      // Not awaited: it arrives before the report that this iteration is done. (Where the result
      // cannot be cloned, that report says so.)
      dict.set(item, result).catch(() => {});
      return result; // also this item's settled result
    },
  };
}

function update(dict: Map<Key, unknown>, entries: Entry<unknown>[]) {
  for (const [key, value] of entries) dict.set(key, value);
}

function increment(dict: Map<Key, unknown>, key: Key, by: number): number {
  const before = dict.get(key) ?? 0;
  if (typeof before !== "number")
    throw new TypeError(`Cannot increment ${JSON.stringify(key)}: its value is no number`);
  dict.set(key, before + by);
  return before + by;
}

// A worker runs this same file; in it this line never returns, and what follows is the parent's.
if (isWorker(ROLE)) await servePool(begin);

// 3. Run as a script, and study what operations cost and what becomes of counts.

const STUDY = "--a-worker-of-the-study-in-shared-dict.ts";
if (isWorker(STUDY)) {
  const { studyCode } = await import("../lib/dict-study.ts");
  await servePool(async (job: StudyJob, port) => studyCode(job, sharedDict(port)));
}

if (isMain(import.meta.url)) {
  const { runScript } = await import("../lib/script.ts");
  let dict = new Map<Key, Result>();
  let counter = { operations: 0 };
  await runScript({
    name: "shared-dict",
    takesWith: true,
    defaultWorkers: (cores, kind) => (kind === "processes" ? cores : Math.min(32, cores + 4)),
    startsWorkersFrom: import.meta.url,
    technique(items, options) {
      dict = new Map();
      counter = { operations: 0 };
      return intoSharedDict(dict, items, { ...options, counter });
    },
    async afterRun(_, options) {
      const { studySharedDict } = await import("../lib/dict-study.ts");
      const entry = options.entry ?? new URL(import.meta.url);
      const { fields, text } = await studySharedDict(dict, (counts, items, setup) =>
        runPool(items, { ...options, entry, role: STUDY, setup, ...ownDict(counts) }),
      );
      return { fields: { dictOperations: counter.operations, ...fields }, text };
    },
  });
}
