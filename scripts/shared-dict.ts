// shared-dict.ts: share one dictionary between all workers; the parent owns it.
//
// Python: with Manager() as manager: shared = manager.dict()
// Node:   await intoSharedDict(new Map(), items, { workers: 2, task, with: "processes" })
//
// Simple to use, from processes as well as threads, and slow: each operation is a message to the
// parent and one back. Where workers only ever add results, merge-dict.ts does without. One
// operation is atomic. Reading, then writing what was read plus one, is two: another worker comes
// in between, and an update is lost. Use increment() or lock() for that.
//
// Copy: parts 1 and 2, with your own loop in part 1; and the folder ../lib/workers.
// Run:  npx tsx scripts/shared-dict.ts
//       npx tsx scripts/shared-dict.ts --with threads --workers 8

import {
  type Pool,
  type PoolWorker,
  type Port,
  runPool,
  servePool,
  type WorkerCode,
} from "../lib/workers/pool.ts";
import { type PlainError, plainError, toError } from "../lib/workers/report.ts";
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

// 2. The technique: a Map in the parent, and in each worker a proxy that sends it operations.

type Key = string | number;
type Entry<Value> = [Key, Value];
/** One operation as it travels: its number, its name, its arguments. */
type Operation = [id: number, name: string, ...args: unknown[]];
type Reply = [id: number, value: unknown, error?: PlainError];
const BATCH = 500; // operations in one message at most

/** The dictionary as a worker sees it. Every operation is atomic, and they arrive in order. */
export type SharedDict<Value> = ReturnType<typeof sharedDict<Value>>;

/**
 * The worker's side. Operations that are not awaited one by one travel together, one message for
 * all that are made before the worker next waits.
 */
export function sharedDict<Value>(port: Port) {
  const waiting = new Map<
    number,
    { resolve: (value: never) => void; reject: (reason: unknown) => void }
  >();
  let batch: Operation[] = [];
  let nextId = 0;

  function flush() {
    if (batch.length > 0) void port.send(batch);
    batch = [];
  }

  function ask<Answer>(name: string, ...args: unknown[]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      // What cannot be cloned fails here, not together with the others of its message.
      if (!args.every(isPrimitive)) port.check(args);
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      const count = batch.push([id, name, ...args]);
      if (count === 1) queueMicrotask(flush);
      if (count === BATCH) flush(); // while the parent applies these, more are made
    });
  }

  port.onMessage((replies) => {
    for (const reply of replies as Reply[]) {
      const { 0: id, 1: value, 2: error } = reply; // [id, value, error] would run an iterator
      const { resolve, reject } = waiting.get(id)!;
      waiting.delete(id);
      if (error) reject(toError(error));
      else resolve(value as never);
    }
  });

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
    /** Runs `critical` while no other worker holds the same lock: that of a key, or the one without a key. */
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
  // For each key those that want its lock; the first has it.
  const queues = new Map<Key | undefined, { worker: PoolWorker; id: number }[]>();

  function apply(worker: PoolWorker, operation: Operation): Reply | undefined {
    const { 0: id, 1: name, 2: key, 3: value } = operation;
    if (name === "get") return [id, dict.get(key as Key)];
    if (name === "set") return [id, void dict.set(key as Key, value)];
    if (name === "has") return [id, dict.has(key as Key)];
    if (name === "delete") return [id, dict.delete(key as Key)];
    if (name === "size") return [id, dict.size];
    if (name === "entries") return [id, [...dict]];
    if (name === "update") return [id, void merge(dict, key as Entry<unknown>[])];
    if (name === "increment") return [id, increment(dict, key as Key, value as number)];
    if (name === "acquire") return acquire(key as Key | undefined, worker, id);
    if (name === "release") return [id, release(key as Key | undefined, worker)];
    throw new TypeError(`No operation of a dictionary is called "${name}"`);
  }

  function acquire(key: Key | undefined, worker: PoolWorker, id: number): Reply | undefined {
    const queue = queues.get(key) ?? [];
    queues.set(key, queue);
    return queue.push({ worker, id }) === 1 ? [id, undefined] : undefined;
  }

  function release(key: Key | undefined, worker: PoolWorker) {
    const queue = queues.get(key);
    if (queue?.[0]?.worker !== worker) throw new Error("Cannot release a lock that is not held");
    queue.shift();
    const [first] = queue;
    if (first) first.worker.send([[first.id]]);
    else queues.delete(key);
  }

  function reply(worker: PoolWorker, replies: Reply[]) {
    try {
      worker.send(replies);
    } catch (error) {
      // A value that was in `dict` before cannot be cloned: of several, only its own reply fails.
      if (replies.length > 1) for (const one of replies) reply(worker, [one]);
      else worker.send([[replies[0]![0], undefined, plainError(error)]]);
    }
  }

  return {
    onMessage(worker: PoolWorker, message: unknown) {
      counter.operations += (message as Operation[]).length;
      const replies: Reply[] = [];
      for (const operation of message as Operation[]) {
        try {
          const answer = apply(worker, operation);
          if (answer) replies.push(answer);
        } catch (error) {
          replies.push([operation[0], undefined, plainError(error)]);
        }
      }
      if (replies.length > 0) reply(worker, replies);
    },
    /** A worker that ended, perhaps by dying, holds no lock and wants none. */
    onEnd(worker: PoolWorker) {
      for (const [key, queue] of queues) {
        const held = queue[0]?.worker === worker;
        const others = queue.filter((one) => one.worker !== worker);
        queues.set(key, others);
        if (held && others[0]) others[0].worker.send([[others[0].id]]);
        if (others.length === 0) queues.delete(key);
      }
    },
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
  const pool: Pool<Result> = {
    ...options,
    entry,
    role: ROLE,
    setup: task,
    ...ownDict(dict, counter),
  };
  return runPool(items, pool);
}

/** The worker's side: puts what the loop body returns into the dictionary. */
async function work(task: Task, port: Port): Promise<WorkerCode<Item, Result>> {
  const dict = sharedDict<Result>(port);
  await prepare(task);
  return {
    async iterate(item) {
      const result = await body(item, task);
      // Not awaited: it arrives before the report that this iteration is done. (A result that cannot
      // be cloned fails there, too.)
      dict.set(item, result).catch(() => {});
      return result; // for the record of the run alone
    },
  };
}

function isPrimitive(value: unknown): boolean {
  return typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol";
}

function merge(dict: Map<Key, unknown>, entries: Entry<unknown>[]) {
  for (const [key, value] of entries) dict.set(key, value);
}

function increment(dict: Map<Key, unknown>, key: Key, by: number): number {
  const before = dict.get(key) ?? 0;
  if (typeof before !== "number")
    throw new TypeError(`Cannot increment ${JSON.stringify(key)}: its value is no number`);
  dict.set(key, before + by);
  return before + by;
}

if (isWorker(ROLE)) await servePool(work);

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
