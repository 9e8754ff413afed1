// A thread that works on shared memory as a test tells it.

import { servePool } from "../../lib/workers/pool-worker.ts";
import { isWorker } from "../../lib/workers/serve.ts";
import { type DictMemory, sharedMemoryDict } from "../../scripts/shared-memory.ts";

/** The role that {@link runPool} starts this file by. */
export const ROLE = "--a-worker-of-a-memory-test";

/** What all threads are given: dictionaries to fill one after another, and a gate before each. */
export interface Setup {
  memories: DictMemory[];
  /** For each dictionary, how many threads have come to it. */
  gates: Int32Array<SharedArrayBuffer>;
  threads: number;
}

/** What one thread does with each dictionary: adds `by` to keys, in its own order, `times` over. */
export interface Job {
  keys: number[];
  times: number;
}

async function begin({ memories, gates, threads }: Setup) {
  return {
    async iterate({ keys, times }: Job) {
      let refused = 0;
      for (const [number, memory] of memories.entries()) {
        // All begin at the same moment, or they would not meet.
        Atomics.add(gates, number, 1);
        Atomics.notify(gates, number);
        for (let here = 0; here < threads; here = Atomics.load(gates, number)) {
          if (here > 0) Atomics.wait(gates, number, here);
        }
        const dict = sharedMemoryDict(memory);
        for (let time = 0; time < times; time++) {
          for (const key of keys) {
            try {
              dict.add(key, 1);
            } catch (error) {
              if (!(error instanceof RangeError)) throw error;
              refused++;
            }
          }
        }
      }
      return refused;
    },
  };
}

if (isWorker(ROLE)) servePool(begin);
