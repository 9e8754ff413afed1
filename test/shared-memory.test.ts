import assert from "node:assert/strict";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import type { Job, Shared } from "./bodies/memory-adds.ts";
import type { Job as Steps } from "./bodies/memory-steps.ts";
import { SAID } from "./bodies/messages.ts";
import { limit, testDictionary } from "./support/dictionary.ts";
import {
  bare,
  body,
  dictMemory,
  inThreads,
  intoSharedMemory,
  sharedMemoryDict,
} from "./support/load.ts";
import { run } from "./support/process.ts";
import { testWorkers } from "./support/technique.ts";

testDictionary("shared-memory", ["threads"]);
testWorkers("shared-memory.ts", "intoSharedMemory", [dictMemory(100)]);

/** Lets threads, each with its own keys, work on the dictionaries at the same moment. */
async function together(memories: ReturnType<typeof dictMemory>[], jobs: Job[]): Promise<number[]> {
  const gates = new Int32Array(new SharedArrayBuffer(4 * memories.length));
  const shared: Shared = { memories, gates, threads: jobs.length };
  const onWorker = (thread: Worker) => thread.postMessage(shared);
  const results = await inThreads<typeof import("./bodies/memory-adds.ts")>(
    jobs,
    body("memory-adds"),
    { ...bare, workers: jobs.length, signal: limit(), onWorker },
  );
  return results.map((one) => (one as PromiseFulfilledResult<number>).value);
}

/** Lets threads do steps on the dictionary in a memory. */
function onMemory(memory: ReturnType<typeof dictMemory>, jobs: Steps[], more: object = {}) {
  return intoSharedMemory<typeof import("./bodies/memory-steps.ts")>(
    memory,
    jobs,
    body("memory-steps"),
    { ...bare, workers: 2, signal: limit(), ...more },
  );
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

test("shared-memory: 2 threads whose keys want the same slot get one each, 5,000 times over", async () => {
  const memories = Array.from({ length: 5000 }, () => dictMemory(4));
  const jobs: Job[] = [
    { keys: [2, 5], times: 1 }, // of four slots, all of these begin to look at the first
    { keys: [10, 13], times: 1 },
  ];
  assert.deepEqual(await together(memories, jobs), [0, 0]);
  for (const memory of memories) {
    const entries = [...sharedMemoryDict(memory).entries()].sort(([a], [b]) => a - b);
    assert.deepEqual(entries, [
      [2, 1],
      [5, 1],
      [10, 1],
      [13, 1],
    ]);
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

test("shared-memory: the body has the dictionary, and what is in it stays for the next loop", async () => {
  const memory = dictMemory(10);
  sharedMemoryDict(memory).set(7, 70);
  const jobs = Array.from(
    { length: 40 },
    (): Steps => ({
      steps: [
        ["add", 1, 1],
        ["add", 0, 0.5],
      ],
      times: 100,
    }),
  );
  jobs.push({
    steps: [
      ["get", 7],
      ["has", 7],
      ["set", 8, -0],
      ["get", 8],
      ["has", 9],
      ["get", 9],
    ],
  });
  const results = await onMemory(memory, jobs, { workers: 4 });
  const answers = (results.at(-1) as PromiseFulfilledResult<unknown[]>).value;
  assert.deepEqual(answers, [70, true, undefined, -0, false, undefined]);
  await onMemory(memory, jobs.slice(0, 40), { workers: 4 });
  const entries = [...sharedMemoryDict(memory).entries()].sort(([a], [b]) => a - b);
  assert.deepEqual(entries, [
    [0, 4000],
    [1, 8000],
    [7, 70],
    [8, -0],
  ]);
});

test("shared-memory: a key too many fails its own item, and the entries stay", async () => {
  const memory = dictMemory(30);
  const jobs = Array.from(
    { length: 40 },
    (_, index): Steps => ({ steps: [["set", index + 1, 1]] }),
  );
  const results = await onMemory(memory, jobs);
  const dict = sharedMemoryDict(memory);
  assert.equal(dict.size(), 30);
  for (const [index, result] of results.entries()) {
    assert.equal(dict.has(index + 1), result.status === "fulfilled", `item ${index}`);
    if (result.status === "fulfilled") continue;
    assert.equal(result.reason.name, "RangeError");
    assert.match(result.reason.message, /Cannot add key \d+: the dictionary is full \(30\)/);
  }
});

test("shared-memory: a thread that dies leaves its entries, and costs its item alone", async () => {
  const memory = dictMemory(100);
  const jobs = Array.from(
    { length: 40 },
    (_, index): Steps => ({ steps: [["set", index, index]] }),
  );
  for (const index of [5, 20]) jobs[index]!.steps.push(["die"]);
  const results = await onMemory(memory, jobs);
  for (const [index, { status }] of results.entries())
    assert.equal(status, index === 5 || index === 20 ? "rejected" : "fulfilled", `item ${index}`);
  const entries = [...sharedMemoryDict(memory).entries()].sort(([a], [b]) => a - b);
  assert.deepEqual(
    entries,
    jobs.map((_, index) => [index, index]),
  );
});

test("shared-memory: messages of the program's own disturb nothing", async () => {
  const memory = dictMemory(100);
  const items = Array.from({ length: 20 }, (_, index) => index);
  const heard: unknown[] = [];
  const onWorker = (thread: Worker) => {
    thread.on("message", (message) => heard.push(message));
    for (const message of SAID) thread.postMessage(message);
  };
  const options = { ...bare, workers: 2, signal: limit(), onWorker };
  const results = await intoSharedMemory(memory, items, body("messages"), options);
  assert.ok(results.every(({ status }) => status === "fulfilled"));
  const keys = [...sharedMemoryDict(memory).entries()].map(([key]) => key);
  assert.deepEqual(
    keys.sort((a, b) => a - b),
    items,
  );
  for (const said of ["text", null, 5]) assert.ok(heard.includes(said), `${said} was not heard`);
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
