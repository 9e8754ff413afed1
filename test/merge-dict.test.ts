import assert from "node:assert/strict";
import { test } from "node:test";
import type { MergeOptions } from "../scripts/merge-dict.ts";
import type { Report } from "../scripts/processes.ts";
import type { Job } from "./bodies/entries.ts";
import { type OddValue, oddValue, UNCLONEABLE, WHOLE } from "./bodies/odd-value.ts";
import { type Kind, limit, testDictionary } from "./support/dictionary.ts";
import { bare, body, intoMergedDict, mergeInto } from "./support/load.ts";
import { run, withBody } from "./support/process.ts";
import { testWorkers } from "./support/technique.ts";

testDictionary("merge-dict", ["processes", "threads"]);
for (const kind of ["processes", "threads"])
  testWorkers("merge-dict.ts", "intoMergedDict", [new Map()], { with: kind });

type Loop = typeof import("./bodies/entries.ts");
type Options<Value> = Partial<MergeOptions<Loop, unknown, Value>>;

/** Merges what two workers return for jobs. */
async function merged<Value>(jobs: Job[], kind: Kind, more: Options<Value> = {}) {
  const dict = new Map<unknown, Value>();
  const options = { ...bare, workers: 2, with: kind, signal: limit(), ...more };
  const results = await intoMergedDict<unknown, Value, Loop>(dict, jobs, body("entries"), options);
  return { dict, results };
}

const failedIn = (results: PromiseSettledResult<unknown>[]) =>
  results.flatMap(({ status }, index) => (status === "rejected" ? [index] : []));
const messageOf = (result: PromiseSettledResult<unknown> | undefined) =>
  (result as PromiseRejectedResult).reason.message;

for (const kind of ["processes", "threads"] as const) {
  test(`merge-dict: what a teardown throws comes after all is merged, with ${kind}`, async () => {
    const dict = new Map<number, number>();
    process.env.TEARDOWN = "throws";
    const options = { ...bare, workers: 2, with: kind, signal: limit() };
    const call = intoMergedDict(dict, [0, 1, 2], body("teardowns"), options);
    await assert.rejects(call, (thrown: Error & { results: unknown[] }) => {
      assert.equal(thrown.message, "still open");
      assert.equal(thrown.results.length, 3);
      return true;
    });
    assert.deepEqual([...dict.keys()], [0, 1, 2]);
  });

  test(`merge-dict: of a key that comes again the later item's value stays, with ${kind}`, async () => {
    // The first to end is the last item; the keys stay in the order in which the items have them.
    const jobs = Array.from({ length: 8 }, (_, index): Job => {
      const entries: Job["entries"] = [
        [index % 2 ? "odd" : "even", index],
        ["all", index],
      ];
      return { entries, ...(index % 4 === 1 && { as: "a Map" }), afterMs: 80 - 10 * index };
    });
    const order: number[] = [];
    const onSettled = ({ index }: Report) => order.push(index);
    const { dict, results } = await merged<number>(jobs, kind, {
      workers: 1,
      concurrency: 8,
      onSettled,
    });
    assert.notDeepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual([...dict], Object.entries({ even: 6, all: 7, odd: 7 }));
    assert.deepEqual(results[1], {
      status: "fulfilled",
      value: new Map(Object.entries({ odd: 1, all: 1 })),
    });
  });

  test(`merge-dict: merge gets the values in the order of the items, and the key, with ${kind}`, async () => {
    const jobs = Array.from(
      { length: 8 },
      (_, index): Job => ({
        entries: [
          [`k${index % 2}`, [index]],
          ["twice", [index, "first"]],
          ["twice", [index, "second"]],
        ],
        afterMs: 80 - 10 * index,
      }),
    );
    const keys = new Set<unknown>();
    const merge = (before: unknown[], value: unknown[], key: unknown) => {
      keys.add(key);
      return [...before, ...value];
    };
    const { dict } = await merged<unknown[]>(jobs, kind, { workers: 4, merge });
    assert.deepEqual(dict.get("k0"), [0, 2, 4, 6]);
    assert.deepEqual(dict.get("k1"), [1, 3, 5, 7]);
    assert.deepEqual(
      dict.get("twice"),
      jobs.flatMap((_, index) => [index, "first", index, "second"]),
    );
    assert.deepEqual([...keys], ["twice", "k0", "k1"]);
  });

  test(`merge-dict: merge counts without a lock, 100 items on 4 workers, with ${kind}`, async () => {
    const jobs = Array.from({ length: 100 }, (_, index): Job => {
      return { entries: [[`k${index % 10}`, 1], ...Array(3).fill(["all", 1])] };
    });
    const { dict } = await merged<number>(jobs, kind, { workers: 4, merge: (a, b) => a + b });
    for (let key = 0; key < 10; key++) assert.equal(dict.get(`k${key}`), 10);
    assert.equal(dict.get("all"), 300);
    assert.equal(dict.size, 11);
  });

  test(`merge-dict: what returned no entries fails alone, with ${kind}`, async () => {
    const others: unknown[] = [
      undefined,
      null,
      5,
      "text",
      { a: 1 },
      [1],
      [["k"]],
      [["k", 1, 2]],
      [["k", 1], 5],
      new Set([["k", 1]]),
      ["ab"],
    ];
    const good: Job[] = [{ entries: [] }, { entries: [], as: "a Map" }, { entries: [["a", 1]] }];
    const jobs = [...others.map((value): Job => ({ value })), ...good];
    const heard: Report[] = [];
    const onSettled = (report: Report) => heard.push(report);
    const { dict, results } = await merged<unknown>(jobs, kind, { onSettled });
    assert.deepEqual(failedIn(results), [...others.keys()]);
    for (const [index] of others.entries()) {
      assert.equal((results[index] as PromiseRejectedResult).reason.name, "TypeError");
      assert.match(messageOf(results[index]), /Expected entries \[key, value\], found ./);
    }
    assert.match(messageOf(results[4]), /found \{ a: 1 \}/);
    assert.deepEqual([...dict], [["a", 1]]);
    // What is heard of an item is what becomes of it.
    heard.sort((a, b) => a.index - b.index);
    assert.deepEqual(
      heard.map(({ outcome }) => outcome.status),
      results.map(({ status }) => status),
    );
  });

  test(`merge-dict: odd keys and any values arrive as they are, with ${kind}`, async () => {
    const keys = ["__proto__", "constructor", "", "1", 1, Number.NaN, -0, "x".repeat(100_000)];
    const names = Object.keys(WHOLE) as OddValue[];
    const jobs: Job[] = [{ entries: keys.map((key, index) => [key, index]) }];
    for (const odd of names) jobs.push({ odd });
    const { dict } = await merged<unknown>(jobs, kind);
    const expected = new Map<unknown, unknown>(keys.map((key, index) => [key, index]));
    for (const name of names) expected.set(name, oddValue(name));
    assert.deepEqual([...dict], [...expected]);
    assert.equal((dict.get("a Buffer") as Buffer).toString("utf8"), "some text");
  });

  test(`merge-dict: a value that cannot cross fails its own item, not its worker, with ${kind}`, async () => {
    const odd = [...Object.keys(UNCLONEABLE), "deep JSON"] as OddValue[];
    const jobs: Job[] = [];
    for (const name of odd) jobs.push({ entries: [[`before ${name}`, 1]] }, { odd: name });
    jobs.push({ entries: [["last", 1]] });
    let started = 0;
    const { dict, results } = await merged<unknown>(jobs, kind, {
      workers: 1,
      onWorker: () => started++,
    });
    const expected = [...odd.map((name) => `before ${name}`), "last"];
    dict.delete("deep JSON"); // some runtimes read it back
    assert.deepEqual([...dict.keys()], expected);
    for (const [index, name] of odd.entries())
      if (name !== "deep JSON")
        assert.match(messageOf(results[2 * index + 1]), /could not be cloned/, name);
    assert.equal(started, 1);
  });

  test(`merge-dict: a worker that dies takes nothing along that was reported, with ${kind}`, async () => {
    const jobs = Array.from({ length: 40 }, (_, index): Job => {
      if (index % 10 === 9) return { ends: true, afterMs: 3 };
      return { entries: [[index, index]], afterMs: 3 };
    });
    const { dict, results } = await merged<number>(jobs, kind);
    assert.deepEqual(failedIn(results), [9, 19, 29, 39]);
    for (const index of failedIn(results))
      assert.equal((results[index] as PromiseRejectedResult).reason.name, "WorkerDied");
    const rest = [...jobs.keys()].filter((index) => index % 10 !== 9);
    assert.deepEqual([...dict.keys()], rest);
  });

  test(`merge-dict: aborted, it has merged what was done, with ${kind}`, async () => {
    const stop = new AbortController();
    const jobs: Job[] = [0, 1, 2, 3].map((index) => ({ entries: [["done", index]] }));
    for (let index = 4; index < 20; index++)
      jobs.push({ entries: [["late", index]], afterMs: 10_000 });
    let settled = 0;
    const onSettled = () => ++settled === 4 && stop.abort(new Error("enough"));
    const { signal } = stop;
    const { dict, results } = await merged<number>(jobs, kind, { signal, onSettled });
    assert.deepEqual([...dict], [["done", 3]]);
    assert.equal(failedIn(results).length, 16);
    assert.equal(messageOf(results[19]), "enough");
  });

  test(`merge-dict: what is in the dictionary beforehand is merged with, too, with ${kind}`, async () => {
    const dict = new Map([
      ["a", 10],
      ["b", 20],
    ]);
    const jobs: Job[] = [{ entries: [["a", 1]] }, { entries: [["c", 2]] }];
    const options = { ...bare, workers: 1, with: kind, merge: (a: number, b: number) => a + b };
    await intoMergedDict<string, number>(dict, jobs, body("entries"), options);
    assert.deepEqual([...dict], Object.entries({ a: 11, b: 20, c: 2 }));
  });
}

test("merge-dict: mergeInto is dict.update, or merges with a function", () => {
  const dict = new Map([["a", 1]]);
  mergeInto(dict, Object.entries({ a: 2, b: 3 }));
  assert.deepEqual([...dict], Object.entries({ a: 2, b: 3 }));
  mergeInto(dict, new Map(Object.entries({ b: 3, c: 4 })), (a, b) => a * b);
  assert.deepEqual([...dict], Object.entries({ a: 2, b: 9, c: 4 }));
});

test("merge-dict.ts: prints the dictionary, how often each value came, what an entry costs", async () => {
  const flags = ["-n", "20", "-w", "2", "--latency", "1"];
  const { code, stdout, stderr } = await run("scripts/merge-dict.ts", flags);
  assert.equal(code, 0, stderr);
  const inOrder = "{ 0: 201, 1: 201, 2: 201, ..., 17: 201, 18: 201, 19: 201 }";
  assert.ok(stdout.includes(`dictionary with 20 entries: ${inOrder}\n`), stdout);
  assert.match(stdout, /how often each value came, merged by .*: { 201: 20 }/);
  assert.match(stdout, /one entry: [\d.]+ us to copy and merge/);
});

test("merge-dict.ts: counts the entries that a body returns, and those whose key came again", async () => {
  const jobs: Job[] = [];
  for (let index = 0; index < 3; index++) {
    const entries: Job["entries"] = [
      [index, 1],
      [index + 1, 1],
    ];
    jobs.push({ entries, ...(index === 2 && { as: "a Map" }) });
  }
  const flags = [...withBody("entries"), "--items", "-", "-w", "2", "--json"];
  const input = jobs.map((job) => JSON.stringify(job)).join("\n");
  const { code, records, stderr } = await run("scripts/merge-dict.ts", flags, {}, input);
  assert.equal(code, 0, stderr);
  const { dictSize, dictOperations, collisions } = records[0]!;
  assert.deepEqual(
    { dictSize, dictOperations, collisions },
    { dictSize: 4, dictOperations: 6, collisions: 2 },
  );
});
