// shared-dict.ts: share one dictionary between all workers; the parent owns it.
//
// Python: with Manager() as manager: shared = manager.dict()
// Node:   await intoSharedDict(dict, items, new URL("./my-loop.ts", import.meta.url), { workers: 2 })
//
// Simple to use, from processes as well as threads, and slow: each operation is a message to the
// parent and one back. Where workers only ever add results, merge-dict.ts does without. One operation
// is atomic. Reading, then writing what was read plus one, is two: another worker comes in between,
// and an update is lost. Use increment() or lock() for that.
//
// Copy: this file, processes.ts and threads.ts, untouched, each down to "Run as a script". The body in
//       my-loop.ts is a function of (item, context, dict).
// Run:  npx tsx scripts/shared-dict.ts
//       npx tsx scripts/shared-dict.ts --with threads --workers 8

import type { ChildProcess } from "node:child_process";
import { type MessagePort, parentPort, type Worker } from "node:worker_threads";
import type { AnyLoop, Given, LoopModule, PoolOptions, Result, WithContext } from "./processes.ts";
import { inProcesses, loadLoop, pack, unpack } from "./processes.ts";
import { inThreads } from "./threads.ts";

type Key = string | number;
type Question = [id: number, operation: string, ...args: unknown[]];
type Answer = [id: number, value: unknown];
/** What both sides send: as many questions, or answers, as have come together. */
type Message<Each> = { role: string; list: Each[] } | null;
const ROLE = `dictionary of ${import.meta.url}`;

type Handle = ChildProcess | Worker;
export type DictOptions<Loop extends LoopModule> = {
  with?: "processes" | "threads"; // processes unless given
  counter?: { operations: number }; // of those that reach the parent
} & PoolOptions<Result<Loop>, Handle> &
  WithContext<Given<Loop>[1]>;

/**
 * Runs a loop on processes or threads, whose body gets `dict` as its third argument.
 *
 * @returns One settled result for each item, as inProcesses and inThreads.
 */
export function intoSharedDict<Value, Loop extends LoopModule = AnyLoop>(
  dict: Map<Key, Value>,
  items: readonly Given<Loop>[0][],
  module: URL,
  options: DictOptions<Loop>,
): Promise<PromiseSettledResult<Result<Loop>>[]> {
  const { with: kind, counter = { operations: 0 }, onWorker, context, ...others } = options;
  const locks = new Map<Key, Promise<void>>(); // lock -> until the last who asked for it lets go

  /** The parent's side: answers what a worker asks for. */
  function serve(worker: Handle) {
    const held = new Map<Key, (released: unknown) => void>(); // lock of this worker -> what releases it
    let isGone = false;

    /** Grants a lock after all who asked for it before, unless this worker is gone by then. */
    async function grant(key: Key, id: number) {
      await locks.get(key);
      if (isGone) return;
      send(worker, [[id, undefined]]);
      await new Promise((release) => held.set(key, release));
    }

    function release(key: Key) {
      held.get(key)?.(true);
      if (!held.delete(key)) throw new Error("Cannot release a lock that is not held");
    }

    worker.on("message", (message: Message<Question>) => {
      if (message?.role !== ROLE) return; // of the pool, or of the body
      counter.operations += message.list.length;
      const answers: Answer[] = [];
      setImmediate(() => send(worker, answers)); // with its next item, so that it wakes up once
      for (const [id, operation, ...args] of message.list)
        try {
          const [key, value] = args.map(unpack) as [Key, never];
          if (operation === "acquire") locks.set(key, grant(key, id));
          else if (operation === "release") answers.push([id, release(key)]);
          else answers.push([id, pack(operations[operation]!(dict, key, value))]);
        } catch (error) {
          answers.push([id, pack(error, "error")]);
        }
    });
    worker.once("exit", () => {
      isGone = true;
      for (const key of held.keys()) release(key);
    });
    return onWorker?.(worker);
  }

  const run = kind === "threads" ? inThreads : inProcesses;
  const all = { ...others, onWorker: serve, context: { module: module.href, context } } as never;
  // What the workers run is this file: the body at its end calls that of `module`.
  return run<Loop>(items, new URL(import.meta.url), all);
}

/** What the parent does for workers, one operation after another. */
const operations: Record<string, (dict: Map<Key, unknown>, key: Key, value: never) => unknown> = {
  get: (dict, key) => dict.get(key),
  set: (dict, key, value) => void dict.set(key, value),
  has: (dict, key) => dict.has(key),
  delete: (dict, key) => dict.delete(key),
  size: (dict) => dict.size,
  entries: (dict) => [...dict],
  update: (dict, _, list: [Key, unknown][]) => list.forEach((entry) => void dict.set(...entry)),
  increment(dict, key, by: number) {
    const before = dict.get(key) ?? 0;
    if (typeof before !== "number")
      throw new TypeError(`Cannot increment ${JSON.stringify(key)}: its value is no number`);
    return dict.set(key, before + by).get(key);
  },
};

function send(port: Handle | MessagePort | NodeJS.Process, list: Question[] | Answer[]) {
  const message = { role: ROLE, list };
  if (list.length === 0) return;
  if ("postMessage" in port) (port as Worker).postMessage(message);
  else if (port.connected) port.send!(message, undefined, {}, () => {});
}

// The worker's side. Operations that are not awaited one by one travel together.

const asked = new Map<number, (answer: unknown) => void>();
const list: Question[] = [];
const flush = () => send(parentPort ?? process, list.splice(0));
let nextId = 0;

function ask<Reply>(operation: string, ...args: unknown[]): Promise<Reply> {
  const answer = new Promise((resolve) => asked.set(nextId, resolve)).then(unpack);
  answer.catch(() => {}); // where nobody awaits it, its failing ends no worker
  const count = list.push([nextId++, operation, ...args.map((arg) => pack(arg))]);
  if (count === 1) queueMicrotask(flush);
  if (count === 500) flush(); // while the parent answers these, more are asked
  return answer as Promise<Reply>;
}

/** The dictionary as a body sees it. Every operation is atomic, and they arrive in order. */
export type SharedDict<Value> = ReturnType<typeof sharedDict<Value>>;
const sharedDict = <Value>() => ({
  get: (key: Key) => ask<Value | undefined>("get", key),
  set: (key: Key, value: Value) => ask<void>("set", key, value),
  has: (key: Key) => ask<boolean>("has", key),
  delete: (key: Key) => ask<boolean>("delete", key),
  size: () => ask<number>("size"),
  /** A copy of all entries at one moment, in order of insertion. */
  entries: () => ask<[Key, Value][]>("entries"),
  update: (entries: Iterable<[Key, Value]>) => ask<void>("update", undefined, [...entries]),
  /** Adds to a number (0 where there is none) and gives the sum. */
  increment: (key: Key, by = 1) => ask<number>("increment", key, by),
  /**
   * Runs `critical` while no other call, from any worker, holds the lock of this key, or the one
   * lock without a key. Asked for again in it, the same lock would never be granted.
   */
  async lock<Reply>(...args: [() => Promise<Reply>] | [Key, () => Promise<Reply>]) {
    const [key, critical] = args.length === 1 ? [undefined, args[0]] : args;
    await ask("acquire", key);
    try {
      return await critical();
    } finally {
      void ask("release", key);
    }
  },
});

const dict = sharedDict<unknown>();
let loop: Awaited<ReturnType<typeof loadLoop>>;

export async function setup({ module, context }: { module: string; context: unknown }) {
  process.on("exit", flush); // the body may call exit()
  (parentPort ?? process).on("message", (message: Message<Answer>) => {
    for (const [id, answer] of message?.role === ROLE ? message.list : []) {
      asked.get(id)!(answer);
      asked.delete(id);
    }
  });
  loop = await loadLoop(module);
  await loop.setup?.(context);
}

export default (item: unknown, { context }: { context: unknown }) => loop.body(item, context, dict);
export const teardown = () => loop.teardown?.();

// Run as a script.

import { runAsScript } from "../lib/main.ts";

let last: { dict: Map<Key, unknown>; counter: { operations: number } };

runAsScript(import.meta.url, {
  takesWith: true,
  defaultWorkers: (cores, kind) => (kind === "processes" ? cores : Math.min(32, cores + 4)),
  result: "into dict",
  inWorkers(self: typeof import("./shared-dict.ts"), items, module, options) {
    last = { dict: new Map(), counter: { operations: 0 } };
    return self.intoSharedDict(last.dict, items, module, { ...options, counter: last.counter });
  },
  async afterRun(self, _results, options) {
    const { study } = await import("./shared-dict/study.ts");
    return study(self, last.dict, last.counter.operations, options);
  },
});
