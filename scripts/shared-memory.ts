// shared-memory.ts: share one dictionary of numbers in memory that all threads see.
//
// Python: multiprocessing.shared_memory, and a lock; there is no such dictionary
// Node:   const memory = dictMemory(capacity); await intoSharedMemory(memory, items, module, { ... })
//
// No messages and no waiting: an operation is a few machine instructions, a thousand times as
// fast as one that asks the parent. The price: keys are 32-bit integers, values numbers, the capacity
// is fixed, and processes cannot see it. For strings, objects or processes take merge-dict.ts, or
// shared-dict.ts where workers must see each other's entries.
//
// Copy: this file and threads.ts, untouched, each down to "Run as a script". The body in my-loop.ts is a
//       function of (item, context, dict).
// Run:  npx tsx scripts/shared-memory.ts
//       npx tsx scripts/shared-memory.ts --workers 8 --requests 2000

import { once } from "node:events";
import { parentPort, type Worker } from "node:worker_threads";
import type { AnyLoop, Given, LoopModule, PoolOptions, Result, WithContext } from "./threads.ts";
import { inThreads, loadLoop } from "./threads.ts";

// The technique: a hash table in a SharedArrayBuffer, with open addressing and no locks.
//
// A key, once in its slot, stays there: nothing is ever deleted or moved, which is what makes it
// possible to do without a lock. Only two words are ever fought over, and each is taken by one
// atomic instruction: a slot's key (by the first to put its key into an empty slot) and its value.

/** The memory of a dictionary: what is sent to a thread, which then sees the same entries. */
export interface DictMemory {
  /** Slot -> key; 0 is an empty slot. Key 0 has the last slot to itself. */
  keys: Int32Array<SharedArrayBuffer>;
  /** Slot -> value, as the bits of a double, so that one atomic instruction reads or writes it. */
  values: BigUint64Array<SharedArrayBuffer>;
  /** [how many keys have a value] */
  count: Int32Array<SharedArrayBuffer>;
}

/** Memory for `capacity` keys, and for key 0 beside them. */
export function dictMemory(capacity: number): DictMemory {
  return {
    keys: new Int32Array(new SharedArrayBuffer(4 * (capacity + 1))),
    values: new BigUint64Array(new SharedArrayBuffer(8 * (capacity + 1))),
    count: new Int32Array(new SharedArrayBuffer(4)),
  };
}

/** The dictionary in a memory, for the thread that calls this. All operations are synchronous. */
export function sharedMemoryDict({ keys, values, count }: DictMemory) {
  const capacity = keys.length - 1;
  // A value is stored as its bits XOR those of a NaN that JavaScript never makes: so the 0 of fresh
  // memory stands for no number, and means "no value yet".
  const FLIP = 0x7ff8_dead_dead_deadn;
  const double = new Float64Array(1);
  const bits = new BigUint64Array(double.buffer);
  const encode = (value: number) => {
    double[0] = Number.isNaN(value) ? Number.NaN : value; // one NaN, of the many that there are
    return bits[0]! ^ FLIP;
  };
  const decode = (stored: bigint) => {
    bits[0] = stored ^ FLIP;
    return double[0]!;
  };

  /** The slot of a key; -1 where it has none, and none is `wanted` or left. */
  function slotOf(key: number, wanted: boolean): number {
    if (!Number.isInteger(key) || key !== (key | 0))
      throw new RangeError(`Cannot use key ${key}: expected a 32-bit integer`);
    if (key === 0) return capacity;
    // Knuth's multiplicative hash: the high bits of key x 2^32 / the golden ratio.
    const start = Math.floor(((Math.imul(key, 0x9e3779b1) >>> 0) * capacity) / 2 ** 32);
    for (let step = 0; step < capacity; step++) {
      const slot = start + step < capacity ? start + step : start + step - capacity;
      let there = Atomics.load(keys, slot); // atomic: another thread may put a key there right now
      if (there === 0) {
        if (!wanted) return -1;
        // Empty a moment ago. Takes it if it still is; else `there` is the key that came first,
        // which may be this very key, put there by another thread.
        there = Atomics.compareExchange(keys, slot, 0, key);
        if (there === 0) return slot;
      }
      if (there === key) return slot;
    }
    return -1;
  }

  function slotFor(key: number): number {
    const slot = slotOf(key, true);
    if (slot === -1)
      throw new RangeError(`Cannot add key ${key}: the dictionary is full (${capacity})`);
    return slot;
  }

  function get(key: number): number | undefined {
    const slot = slotOf(key, false);
    // A key has its slot before it has its value: until then it is not there yet.
    const stored = slot === -1 ? 0n : Atomics.load(values, slot);
    return stored === 0n ? undefined : decode(stored);
  }

  return {
    get,
    has: (key: number): boolean => get(key) !== undefined,
    /** @throws {RangeError} The dictionary is full; what is in it stays. */
    set(key: number, value: number): void {
      // exchange, not store: of several threads that set a new key, exactly one sees that it was new.
      if (Atomics.exchange(values, slotFor(key), encode(value)) === 0n) Atomics.add(count, 0, 1);
    },
    /**
     * Adds to a value (0 where there is none) and gives the sum. Loses nothing: where another
     * thread changed the value in between, it adds again to what is there then.
     * @throws {RangeError} The dictionary is full; what is in it stays.
     */
    add(key: number, by: number): number {
      const slot = slotFor(key);
      let before = Atomics.load(values, slot);
      for (;;) {
        const sum = (before === 0n ? 0 : decode(before)) + by;
        const found = Atomics.compareExchange(values, slot, before, encode(sum));
        if (found === before) {
          if (before === 0n) Atomics.add(count, 0, 1);
          return sum;
        }
        before = found;
      }
    },
    size: (): number => Atomics.load(count, 0),
    /** All entries, each as it is when it is reached; in no order. */
    *entries(): Generator<[number, number]> {
      for (let slot = 0; slot <= capacity; slot++) {
        const stored = Atomics.load(values, slot);
        if (stored !== 0n) yield [Atomics.load(keys, slot), decode(stored)];
      }
    },
  };
}

export type SharedMemoryDict = ReturnType<typeof sharedMemoryDict>;

/**
 * Runs a loop on threads, whose body gets the dictionary in `memory` as its third argument.
 *
 * @returns One settled result for each item, as inThreads.
 */
export function intoSharedMemory<Loop extends LoopModule = AnyLoop>(
  memory: DictMemory,
  items: readonly Given<Loop>[0][],
  module: URL,
  options: PoolOptions<Result<Loop>, Worker> & WithContext<Given<Loop>[1]>,
): Promise<PromiseSettledResult<Result<Loop>>[]> {
  const { context, onWorker, ...others } = options;
  function hand(thread: Worker) {
    thread.postMessage(memory); // not cloned: the thread sees the same
    return onWorker?.(thread);
  }
  const all = { ...others, onWorker: hand, context: { module: module.href, context } } as never;
  // What the threads run is this file: the body at its end calls that of `module`.
  return inThreads<Loop>(items, new URL(import.meta.url), all);
}

let loop: Awaited<ReturnType<typeof loadLoop>>;
let dict: SharedMemoryDict;

export async function setup({ module, context }: { module: string; context: unknown }) {
  const [memory] = await once(parentPort!, "message");
  dict = sharedMemoryDict(memory);
  loop = await loadLoop(module);
  await loop.setup?.(context);
}

export default (item: unknown, { context }: { context: unknown }) => loop.body(item, context, dict);
export const teardown = () => loop?.teardown?.();

// Run as a script.

import { runAsScript } from "../lib/main.ts";

let filled = dictMemory(1);

runAsScript(import.meta.url, {
  defaultWorkers: (cores) => Math.min(32, cores + 4),
  result: "into dict",
  inWorkers(self: typeof import("./shared-memory.ts"), items, module, options) {
    filled = dictMemory(2 * items.length); // half empty, so that a free slot is near
    return self.intoSharedMemory(filled, items, module, options);
  },
  async afterRun(_self, results) {
    const { showDict, timeUs } = await import("../lib/command/dictionary.ts");
    const dictOperations = results.filter(({ status }) => status === "fulfilled").length;
    const entries = [...sharedMemoryDict(filled).entries()].sort(([a], [b]) => a - b);
    const fresh = sharedMemoryDict(dictMemory(2000));
    const dictAwaitedUs = await timeUs(100_000, (times) => {
      for (let round = 0; round < times / 2; round++) {
        fresh.set(round % 1000, round);
        fresh.get(round % 1000);
      }
    });
    return showDict(new Map(entries), { dictOperations, dictAwaitedUs }, [
      `one operation: ${dictAwaitedUs.toFixed(3)} us, with nothing to wait for`,
    ]);
  },
});
