import assert from "node:assert/strict";
import { test } from "node:test";
import { workerEntry } from "../lib/worker-entry.ts";
import { runPool } from "../lib/workers/pool.ts";
import { dictMemory, sharedMemoryDict } from "../scripts/shared-memory.ts";
import { testDictionary } from "./support/dictionary.ts";
import { type Job, ROLE } from "./support/memory-worker.ts";
import { run } from "./support/process.ts";

testDictionary("shared-memory", ["threads"]);

const entry = await workerEntry(new URL("./support/memory-worker.ts", import.meta.url).href);

/** Lets threads, each with its own keys, work on the dictionaries at the same moment. */
async function together(memories: ReturnType<typeof dictMemory>[], jobs: Job[]): Promise<number[]> {
  const gates = new Int32Array(new SharedArrayBuffer(4 * memories.length));
  const threads = jobs.length;
  const setup = { memories, gates, threads };
  const start = { with: "threads", workers: threads, role: ROLE, ...entry } as const;
  const results = await runPool<Job, number>(jobs, { ...start, setup });
  return results.map((one) => (one as PromiseFulfilledResult<number>).value);
}

const ODD_NUMBERS = [
  0,
  -0,
  -1,
  1,
  0.5,
  1e300,
  -1e-300,
  Number.NaN,
  Infinity,
  -Infinity,
  2 ** 53,
  Number.MIN_VALUE,
];

test("shared-memory: no key and no value is special", () => {
  const dict = sharedMemoryDict(dictMemory(100));
  const keys = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 201, 1000];
  for (const key of keys) {
    assert.equal(dict.has(key), false);
    assert.equal(dict.get(key), undefined);
    for (const value of ODD_NUMBERS) {
      dict.set(key, value);
      assert.ok(Object.is(dict.get(key), value), `${key}: ${value} came back as ${dict.get(key)}`);
      assert.equal(dict.has(key), true);
    }
  }
  assert.equal(dict.size(), keys.length);
  assert.deepEqual([...dict.entries()].map(([key]) => key).sort(), [...keys].sort());
});

test("shared-memory: a key that is no 32-bit integer is refused, not rounded", () => {
  const dict = sharedMemoryDict(dictMemory(4));
  for (const key of [
    0.5,
    Number.NaN,
    Infinity,
    2 ** 31,
    -(2 ** 31) - 1,
    "1" as unknown as number,
  ]) {
    for (const operate of [
      () => dict.set(key, 1),
      () => dict.get(key),
      () => dict.add(key, 1),
      () => dict.has(key),
    ]) {
      assert.throws(operate, { name: "RangeError", message: /expected a 32-bit integer/ });
    }
  }
  assert.equal(dict.size(), 0);
});

test("shared-memory: full is a clear error, and nothing is lost", () => {
  const dict = sharedMemoryDict(dictMemory(50));
  for (let key = 1; key <= 50; key++) dict.set(key, key * 10);
  assert.throws(() => dict.set(51, 1), {
    name: "RangeError",
    message: "Cannot add key 51: the dictionary is full (50)",
  });
  assert.throws(() => dict.add(99, 1), RangeError);
  assert.equal(dict.get(51), undefined);
  dict.set(7, 7);
  dict.add(8, 1);
  assert.equal(dict.size(), 50);
  for (let key = 1; key <= 50; key++) assert.equal(dict.get(key), { 7: 7, 8: 81 }[key] ?? key * 10);
});

test("shared-memory: add loses nothing, 8 threads and 100,000 additions on 10 keys", async () => {
  const memories = Array.from({ length: 20 }, () => dictMemory(10));
  const keys = [0, -1, 2, 3, 4, 5, 6, 7, 8, 9];
  const jobs = Array.from({ length: 8 }, (): Job => ({ keys, times: 1250 }));
  assert.deepEqual(await together(memories, jobs), new Array(8).fill(0));
  for (const memory of memories) {
    const entries = [...sharedMemoryDict(memory).entries()].sort(([a], [b]) => a - b);
    assert.deepEqual(
      entries,
      [...keys].sort((a, b) => a - b).map((key) => [key, 10_000]),
    );
  }
});

test("shared-memory: 4 threads insert overlapping keys up to the last slot, 100 times over", async () => {
  const CAPACITY = 300;
  const memories = Array.from({ length: 100 }, () => dictMemory(CAPACITY));
  // Each thread has 150 of the 300 keys, every key belongs to two threads, each in an order of its own.
  const jobs = [0, 1, 2, 3].map((thread): Job => {
    const keys = Array.from(
      { length: CAPACITY / 2 },
      (_, index) => 1 + ((thread * 75 + index) % CAPACITY),
    );
    return { keys: thread % 2 ? keys.reverse() : keys, times: 1 };
  });
  assert.deepEqual(await together(memories, jobs), [0, 0, 0, 0]);
  for (const memory of memories) {
    const dict = sharedMemoryDict(memory);
    assert.equal(dict.size(), CAPACITY);
    assert.deepEqual(new Map(dict.entries()).size, CAPACITY);
    for (let key = 1; key <= CAPACITY; key++) assert.equal(dict.get(key), 2, `key ${key}`);
    assert.throws(() => dict.set(CAPACITY + 1, 1), RangeError);
  }
});

test("shared-memory: threads that fill it too far are told, and each key is there once", async () => {
  const memories = Array.from({ length: 20 }, () => dictMemory(100));
  const jobs = [0, 1, 2, 3].map((thread): Job => {
    return { keys: Array.from({ length: 50 }, (_, index) => 1 + thread * 50 + index), times: 1 };
  });
  const refused = await together(memories, jobs);
  assert.equal(
    refused.reduce((sum, one) => sum + one),
    20 * 100,
  );
  for (const memory of memories) {
    const entries = [...sharedMemoryDict(memory).entries()];
    assert.equal(entries.length, 100);
    assert.ok(entries.every(([, value]) => value === 1));
  }
});

test("shared-memory.ts: prints the dictionary and what an operation costs", async () => {
  const { code, stdout, stderr } = await run("scripts/shared-memory.ts", [
    "-n",
    "20",
    "-w",
    "2",
    "--latency",
    "1",
  ]);
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /dictionary with 20 entries: { 0: 201, 1: 201, 2: 201, \.\.\., 17: 201, 18: 201, 19: 201 }/,
  );
  assert.match(stdout, /one operation: 0\.\d+ us/);
});
