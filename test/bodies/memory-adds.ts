// Adds to dictionaries in shared memory, one after another, each at the same moment as all other threads;
// returns how many additions were refused.

import { once } from "node:events";
import { parentPort } from "node:worker_threads";
import { type DictMemory, sharedMemoryDict } from "../../scripts/shared-memory.ts";

/** What each thread is sent at its start: a context would be copied. */
export interface Shared {
  memories: DictMemory[];
  /** For each dictionary, how many threads have come to it. */
  gates: Int32Array<SharedArrayBuffer>;
  threads: number;
}

/** What one thread does with each dictionary: adds 1 to keys, in its own order, `times` over. */
export interface Job {
  keys: number[];
  times: number;
}

let shared: Shared;

export async function setup(): Promise<void> {
  [shared] = await once(parentPort!, "message");
}

export default function body({ keys, times }: Job): number {
  const { memories, gates, threads } = shared;
  let refused = 0;
  for (const [number, memory] of memories.entries()) {
    const dict = sharedMemoryDict(memory);
    // All begin at the same moment, or they would not meet.
    Atomics.add(gates, number, 1);
    Atomics.notify(gates, number);
    // To be woken takes longer than all that they do: who is soon to go on looks again and again.
    for (let look = 0; look < 5000 && Atomics.load(gates, number) < threads; look++);
    for (let here = 0; here < threads; here = Atomics.load(gates, number)) {
      if (here > 0) Atomics.wait(gates, number, here);
    }
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
}
