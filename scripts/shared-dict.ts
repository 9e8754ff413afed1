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
import { parentPort, type Worker } from "node:worker_threads";
import * as processes from "./processes.ts";
import { inThreads } from "./threads.ts";

const { loadLoop, pack, unpack } = processes;
type Key = string | number;
type Question = [id: number, name: string, ...args: unknown[]];
type Answer = [id: number, value: unknown];
/** What both sides send: as many questions, or answers, as have come together. */
type Message<Each> = { role: string; list: Each[] };
const ROLE = `dictionary of ${import.meta.url}`;

type Handle = ChildProcess | Worker;
export type DictOptions<Loop extends processes.LoopModule> = {
  with?: "processes" | "threads"; // processes unless given
  counter?: { operations: number }; // of those that reach the parent
} & processes.PoolOptions<processes.Result<Loop>, Handle> &
  processes.WithContext<processes.Given<Loop>[1]>;

/**
 * Runs a loop on processes or threads, whose body gets `dict` as its third argument.
 *
 * @returns One settled result for each item, as inProcesses and inThreads.
 */
export function intoSharedDict<Value, Loop extends processes.LoopModule = processes.AnyLoop>(
  dict: Map<Key, Value>,
  items: readonly processes.Given<Loop>[0][],
  module: URL,
  options: DictOptions<Loop>,
): Promise<PromiseSettledResult<processes.Result<Loop>>[]> {
  const { with: kind, counter = { operations: 0 }, onWorker, context, ...others } = options;
  const owner = ownDict(dict as Map<Key, unknown>);

  function listen(worker: Handle) {
    let isGone = false;
    const send = (list: Answer[]) => {
      const message: Message<Answer> = { role: ROLE, list };
      if (!("send" in worker)) worker.postMessage(message);
      else if (worker.connected) worker.send(message, () => {});
    };
    worker.on("message", (message: Message<Question> | null) => {
      if (message?.role !== ROLE) return; // of the pool, or of the body
      counter.operations += message.list.length;
      // On Deno, a dead worker's last messages may come now: it gets no lock.
      const list = message.list.filter(([, name]) => !(isGone && name === "acquire"));
      send(list.flatMap((question) => owner.answer(question, send)));
    });
    worker.once("exit", () => {
      isGone = true;
      owner.releaseAll(send);
    });
    return onWorker?.(worker);
  }

  const run = kind === "threads" ? inThreads : processes.inProcesses;
  const given = { module: module.href, context };
  const all = { ...others, onWorker: listen, context: given } as never;
  // What the workers run is this file: the body at its end calls that of `module`.
  return run<Loop>(items, new URL(import.meta.url), all);
}

type Send = (answers: Answer[]) => void;

/** The parent's side: carries out operations, and grants locks in the order of asking. */
function ownDict(dict: Map<Key, unknown>) {
  // Those who want a lock, by its key: the first has it. A worker is known by how to answer it.
  const queues = new Map<Key | undefined, { id: number; send: Send }[]>();

  function passLock(key: Key | undefined, queue: { id: number; send: Send }[]) {
    if (queue.length === 0) return void queues.delete(key);
    queues.set(key, queue);
    queue[0]!.send([[queue[0]!.id, undefined]]);
  }

  function apply(send: Send, id: number, name: string, key: Key, value: unknown): unknown {
    const queue = queues.get(key);
    if (name === "get") return dict.get(key);
    if (name === "set") return void dict.set(key, value);
    if (name === "has") return dict.has(key);
    if (name === "delete") return dict.delete(key);
    if (name === "size") return dict.size;
    if (name === "entries") return [...dict];
    if (name === "update") for (const entry of value as [Key, unknown][]) dict.set(...entry);
    if (name === "increment") {
      const before = dict.get(key) ?? 0;
      if (typeof before !== "number")
        throw new TypeError(`Cannot increment ${JSON.stringify(key)}: its value is no number`);
      dict.set(key, before + (value as number));
      return dict.get(key);
    }
    if (name === "acquire") queue ? queue.push({ id, send }) : passLock(key, [{ id, send }]);
    if (name !== "release") return undefined;
    if (queue?.[0]?.send !== send) throw new Error("Cannot release a lock that is not held");
    return passLock(key, queue.slice(1));
  }

  return {
    answer([id, name, ...args]: Question, send: Send): Answer[] {
      try {
        const [key, value] = args.map(unpack);
        const answer = apply(send, id, name, key as Key, value);
        return name === "acquire" ? [] : [[id, pack(answer)]]; // that is answered when it is granted
      } catch (error) {
        return [[id, pack(error, "error")]];
      }
    },
    /** A worker has ended: it holds no lock, and wants none. */
    releaseAll(send: Send) {
      for (const [key, queue] of queues) {
        const others = queue.filter((other) => other.send !== send);
        if (queue[0]!.send === send) passLock(key, others);
        else queues.set(key, others);
      }
    },
  };
}

/** The dictionary as a body sees it. Every operation is atomic, and they arrive in order. */
export type SharedDict<Value> = ReturnType<typeof connect<Value>>;

/** The worker's side. Operations that are not awaited one by one travel together. */
function connect<Value>() {
  const asked = new Map<number, { resolve(value: never): void; reject(reason: unknown): void }>();
  let list: Question[] = [];
  let nextId = 0;

  function flush() {
    const message: Message<Question> = { role: ROLE, list };
    if (list.length > 0 && parentPort) parentPort.postMessage(message);
    else if (list.length > 0) process.send!(message);
    list = [];
  }

  function ask<Reply>(name: string, ...args: unknown[]): Promise<Reply> {
    const answer = new Promise<Reply>((resolve, reject) => {
      asked.set(nextId, { resolve, reject });
    });
    answer.catch(() => {}); // where nobody awaits it, its failing ends no worker
    const count = list.push([nextId++, name, ...args.map((arg) => pack(arg))]);
    if (count === 1) queueMicrotask(flush);
    if (count === 500) flush(); // while the parent answers these, more are asked
    return answer;
  }

  process.on("exit", flush); // the body may call exit()
  (parentPort ?? process).on("message", (message: Message<Answer> | null) => {
    for (const [id, answer] of message?.role === ROLE ? message.list : []) {
      const { resolve, reject } = asked.get(id)!;
      asked.delete(id);
      try {
        resolve(unpack(answer) as never);
      } catch (reason) {
        reject(reason);
      }
    }
  });

  return {
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
  };
}

// What the workers run: a body that calls the one of the module, with the dictionary.

let loop: Awaited<ReturnType<typeof loadLoop>>;
let dict: SharedDict<unknown>;

export async function setup({ module, context }: { module: string; context: unknown }) {
  dict = connect();
  loop = await loadLoop(module);
  await loop.setup?.(context);
}

export default function body(item: unknown, { context }: { context: unknown }): unknown {
  return loop.body(item, context, dict);
}

export function teardown(): unknown {
  return loop.teardown?.();
}

// Run as a script.

import { runAsScript } from "../lib/main.ts";

let shared = new Map<Key, unknown>();
let counter = { operations: 0 };

runAsScript(import.meta.url, {
  takesWith: true,
  defaultWorkers: (cores, kind) => (kind === "processes" ? cores : Math.min(32, cores + 4)),
  result: "into dict",
  inWorkers(self: typeof import("./shared-dict.ts"), items, module, options) {
    shared = new Map();
    counter = { operations: 0 };
    return self.intoSharedDict(shared, items, module, { ...options, counter });
  },
  async afterRun({ intoSharedDict }, _results, options) {
    const { studySharedDict } = await import("../lib/command/dict-study.ts");
    const { fields, text } = await studySharedDict(shared, (dict, items, body, context) =>
      intoSharedDict(dict, items, body, { ...options, context }),
    );
    return { fields: { dictOperations: counter.operations, ...fields }, text };
  },
});
