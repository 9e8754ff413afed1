import assert from "node:assert/strict";
import { test } from "node:test";
import { loadable } from "../lib/runtime.ts";
import type { Job, Step } from "./bodies/dict-steps.ts";
import { SAID } from "./bodies/messages.ts";
import { oddValue, UNCLONEABLE, WHOLE } from "./bodies/odd-value.ts";
import {
  answersOf,
  type Dict,
  limit,
  messageOf,
  onDict,
  RUNS,
  testDictionary,
} from "./support/dictionary.ts";
import { bare, body, intoSharedDict } from "./support/load.ts";
import { run } from "./support/process.ts";
import { testWorkers } from "./support/technique.ts";

testDictionary("shared-dict", ["processes", "threads"]);
for (const kind of ["processes", "threads"])
  testWorkers("shared-dict.ts", "intoSharedDict", [new Map()], { with: kind });

const statusesOf = (results: PromiseSettledResult<unknown>[]) =>
  results.map(({ status }) => status);

/** In a soak, all of the 100,000 operations under the lock. */
const LOCKED_TIMES = RUNS > 1 ? 125 : 4;

/** 80 jobs of one operation, 125 times on each of 10 keys, many on their way at once. */
function hundredThousand(name: string): Job[] {
  const steps = Array.from({ length: 10 }, (_, key): Step => [name, key]);
  return Array.from({ length: 80 }, (): Job => ({ steps, times: 125, pipelined: true }));
}

const ODD_KEYS = [
  "__proto__",
  "constructor",
  "toString",
  "",
  "1",
  1,
  Number.NaN,
  -0,
  "x".repeat(100_000),
];

/** A Map's operations, each with what it answers. */
const OPERATIONS: [step: Step, answer: unknown][] = [
  [["set", "a", 1], undefined],
  [["set", "b", { deep: [1, new Date(0)] }], undefined],
  [["get", "a"], 1],
  [["get", "b"], { deep: [1, new Date(0)] }],
  [["get", "none"], undefined],
  [["has", "a"], true],
  [["has", "none"], false],
  [["delete", "a"], true],
  [["delete", "a"], false],
  [["size"], 1],
  [["update", Object.entries({ c: 3, b: 4 })], undefined],
  [["increment", "c", 2], 5],
  [["increment", "new"], 1],
  [["entries"], Object.entries({ b: 4, c: 5, new: 1 })],
];

for (const kind of ["processes", "threads"] as const) {
  test(`shared-dict: every operation does what a Map's does, in order, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const steps = OPERATIONS.map(([step]) => step);
    for (const pipelined of [false, true]) {
      dict.clear();
      const [result] = await onDict(dict, [{ steps, pipelined }], kind, 1);
      assert.deepEqual(
        answersOf(result),
        OPERATIONS.map(([, answer]) => answer),
      );
    }
  });

  test(`shared-dict: odd keys come back as from a Map, with ${kind}`, async () => {
    const expected = new Map(ODD_KEYS.map((key, index) => [key, index]));
    const dict: Dict = new Map();
    const sets = ODD_KEYS.map((key, index): Step => ["set", key, index]);
    const gets = ODD_KEYS.map((key): Step => ["get", key]);
    const [result] = await onDict(dict, [{ steps: [...sets, ...gets, ["entries"]] }], kind, 1);
    const answers = answersOf(result);
    assert.deepEqual([...dict], [...expected]);
    assert.deepEqual(
      answers.slice(ODD_KEYS.length, -1),
      ODD_KEYS.map((_, index) => index),
    );
    assert.deepEqual(answers.at(-1), [...expected]);
    assert.equal(({} as Record<string, unknown>).length, undefined);
  });

  test(`shared-dict: 10,000 keys arrive in order, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const steps = Array.from(
      { length: 10_000 },
      (_, index): Step => ["set", `key ${index}`, index],
    );
    const [result] = await onDict(dict, [{ steps, pipelined: true }], kind, 1);
    answersOf(result);
    assert.deepEqual(
      [...dict.values()],
      steps.map((_, index) => index),
    );
  });

  test(`shared-dict: what is not awaited arrives before the report, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const items = Array.from({ length: 12 }, (_, index) => index);
    const seen: boolean[] = [];
    const onSettled = ({ index }: { index: number }) => seen.push(dict.has(index));
    const all = { ...bare, with: kind, workers: 2, concurrency: 2, signal: limit() };
    await intoSharedDict(dict, items, body("dict-primes"), { ...all, onSettled });
    assert.deepEqual(seen, Array(12).fill(true));
  });

  test(`shared-dict: 8 workers increment 10 keys 100,000 times, none is lost, with ${kind}`, async () => {
    for (let run = 0; run < RUNS; run++) {
      const dict: Dict = new Map();
      await onDict(dict, hundredThousand("increment"), kind, 8);
      assert.deepEqual([...dict.values()], new Array(10).fill(10_000));
    }
  });

  test(`shared-dict: the lock loses nothing where get, then set does, with ${kind}`, async () => {
    for (let run = 0; run < RUNS; run++) {
      const jobs = (name: string) =>
        hundredThousand(name).map((job) => ({ ...job, times: LOCKED_TIMES }));
      const expected = new Array(10).fill(80 * LOCKED_TIMES);
      const dict: Dict = new Map();
      await onDict(dict, jobs("locked"), kind, 4);
      assert.deepEqual([...dict.values()], expected);
      const unsafe: Dict = new Map();
      await onDict(unsafe, jobs("get then set"), kind, 4);
      for (const [index, count] of [...unsafe.values()].entries()) {
        assert.ok((count as number) < expected[index], `get, then set kept ${count}`);
      }
    }
  });

  test(`shared-dict: an iteration can wait for the entry of an earlier one, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const jobs = Array.from({ length: 600 }, (_, index): Job => {
      if (index <= 400) return { steps: index < 400 ? [] : [["set", "400", true]] }; // short ones
      return {
        steps: [
          ["await", `${index - 1}`],
          ["set", `${index}`, true],
        ],
      };
    });
    const results = await onDict(dict, jobs, kind, 3, { signal: AbortSignal.timeout(20_000) });
    assert.equal(results.filter((one) => one.status === "fulfilled").length, 600);
  });

  test(`shared-dict: an operation that fails rejects for the one who asked, with ${kind}`, async () => {
    const dict: Dict = new Map([["text", "x"]]);
    const jobs: Job[] = [
      { steps: [["set odd", "f", "a function"]] },
      { steps: [["increment", "text"]] },
      { steps: [["increment odd", "by", "a function"]] },
      { steps: [["set", "fine", 1]] },
    ];
    const results = await onDict(dict, jobs, kind, 1);
    assert.deepEqual(statusesOf(results), ["rejected", "rejected", "rejected", "fulfilled"]);
    assert.match(messageOf(results[0]), /could not be cloned/);
    assert.equal(messageOf(results[1]), 'Cannot increment "text": its value is no number');
    assert.match(messageOf(results[2]), /could not be cloned/);
    assert.deepEqual([...dict], Object.entries({ text: "x", fine: 1 }));
  });

  test(`shared-dict: a failed operation that nobody awaits costs no other item, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const jobs = Array.from(
      { length: 20 },
      (_, index): Job =>
        index === 5
          ? { steps: [["set odd, not awaited", "f", "a function"]] }
          : { steps: [["set", index, 1]], times: 3 },
    );
    const results = await onDict(dict, jobs, kind, 1);
    const failed = results.flatMap(({ status }, index) => (status === "rejected" ? [index] : []));
    assert.ok(failed.length === 0 || (failed.length === 1 && failed[0] === 5), `${failed} failed`);
  });

  test(`shared-dict: any value that can be cloned comes to the parent and back, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const names = Object.keys(WHOLE);
    const jobs = names.map((name): Job => ({ steps: [["set odd", name, name], ["get", name]] })); // biome-ignore format: one line
    const results = await onDict(dict, jobs, kind, 2);
    for (const [index, name] of names.entries()) {
      const value = oddValue(name as keyof typeof WHOLE);
      assert.deepEqual(answersOf(results[index])[1], value, name);
      assert.deepEqual(dict.get(name), value, name);
      assert.equal(Object.getPrototypeOf(Object(dict.get(name))), Object.getPrototypeOf(Object(value)), name); // biome-ignore format: one line
    }
    const buffer = dict.get("a Buffer") as Buffer;
    assert.equal(buffer.toString("utf8"), "some text");
    assert.ok(buffer.buffer.byteLength < 100, `it brought ${buffer.buffer.byteLength} bytes along`);
  });

  test(`shared-dict: a value that cannot be cloned fails its own operation, with ${kind}`, async () => {
    const names = Object.keys(UNCLONEABLE);
    for (const operation of ["set odd", "update odd"]) {
      const dict: Dict = new Map();
      const jobs = names.map((name): Job => ({ steps: [["set", `with ${name}`, 1], [operation, name, name]] })); // biome-ignore format: one line
      const others = names.map((name): Job => ({ steps: [["set", `after ${name}`, 1]] }));
      const results = await onDict(dict, [...jobs, ...others], kind, 2);
      for (const [index, name] of names.entries()) {
        assert.equal(results[index]!.status, "rejected", name);
        assert.match(messageOf(results[index]), /could not be cloned/, name);
        assert.equal(results[names.length + index]!.status, "fulfilled", name);
      }
      const expected = names.flatMap((name) => [`with ${name}`, `after ${name}`]);
      assert.deepEqual([...dict.keys()].sort(), expected.sort());
    }
  });

  test(`shared-dict: a value that cannot be read back fails its own operation, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const jobs: Job[] = [];
    for (let index = 0; index < 40; index++)
      jobs.push({ steps: [index % 8 === 5 ? ["set odd", index, "deep JSON"] : ["set", index, 1]] });
    const results = await onDict(dict, jobs, kind, 2);
    for (const [index, result] of results.entries()) {
      // It may succeed as well, where the runtime reads so many levels.
      assert.equal(result.status === "fulfilled", dict.has(index), `item ${index}`);
      if (result.status === "rejected") {
        assert.equal(index % 8, 5, `item ${index}`);
        assert.ok(result.reason instanceof Error);
      }
    }
  });

  test(`shared-dict: an entry of the parent's that cannot cross fails who asks, with ${kind}`, async () => {
    const odd = { ...UNCLONEABLE, "deep JSON": () => oddValue("deep JSON") };
    const dict: Dict = new Map([["fine", 1]]);
    for (const [name, make] of Object.entries(odd)) dict.set(name, make());
    const names = Object.keys(odd);
    const jobs = names.map((name): Job => ({ steps: [["get", name]] }));
    jobs.push({ steps: [["entries"]] }, { steps: [["get", "fine"]], times: 50, pipelined: true });
    const steps = ["fine", names[0]!, "fine"].map((name): Step => ["get", name]);
    jobs.push({ steps, pipelined: "settled" });
    const results = await onDict(dict, jobs, kind, 2);
    for (const [index, name] of [...names, "entries"].entries())
      if (name !== "deep JSON") {
        assert.equal(results[index]!.status, "rejected", name);
        assert.match(messageOf(results[index]), /could not be cloned/, name);
      }
    assert.deepEqual(answersOf(results.at(-2)), Array(50).fill(1));
    // Of several answers in one message only that one fails.
    const [before, asked, after] = answersOf(results.at(-1)) as PromiseSettledResult<unknown>[];
    assert.deepEqual([before, after], Array(2).fill({ status: "fulfilled", value: 1 }));
    assert.match(messageOf(asked), /could not be cloned/);
  });

  test(`shared-dict: messages of the program's own disturb nothing, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const items = Array.from({ length: 20 }, (_, index) => index);
    const heard: unknown[] = [];
    const onWorker = (worker: import("node:events").EventEmitter) => {
      worker.on("message", (message) => message?.list || message?.reports || heard.push(message));
      for (const message of SAID)
        if ("send" in worker)
          (worker as import("node:child_process").ChildProcess).send(message as object);
        else (worker as import("node:worker_threads").Worker).postMessage(message);
    };
    const all = { ...bare, with: kind, workers: 2, concurrency: 2, signal: limit() };
    const results = await intoSharedDict(dict, items, body("messages"), { ...all, onWorker });
    assert.deepEqual(statusesOf(results), Array(20).fill("fulfilled"));
    assert.deepEqual(
      [...dict.keys()].map(Number).sort((a, b) => a - b),
      items,
    );
    for (const said of ["text", null, 5]) assert.ok(heard.includes(said), `${said} was not heard`);
  });

  test(`shared-dict: loops in a body, each with a dictionary of its own, with ${kind}`, async () => {
    const files = [
      "../scripts/shared-dict.ts",
      "./bodies/dict-steps.ts",
      "./bodies/dict-nested.ts",
    ];
    const [self, steps, nested] = await loadable(
      files.map((file) => new URL(file, import.meta.url)),
    );
    const dict: Dict = new Map();
    const context = { sharedDict: self!.href, steps: steps!.href, with: kind };
    const options = { ...bare, with: kind, workers: 2, signal: limit(), context };
    const results = await intoSharedDict(dict, [1, 2, 3], nested!, options);
    assert.deepEqual(results, Array(3).fill({ status: "fulfilled", value: 4 }));
    assert.deepEqual(
      [1, 2, 3, "loops"].map((key) => dict.get(key)),
      [10, 20, 30, 3],
    );
  });

  test(`shared-dict: counts the operations that reach the parent, with ${kind}`, async () => {
    const counter = { operations: 0 };
    const options = { ...bare, with: kind, workers: 2, signal: limit(), counter };
    const jobs = Array.from({ length: 5 }, (): Job => ({ steps: [["increment", "k"]], times: 7 }));
    await intoSharedDict(new Map(), jobs, body("dict-steps"), options);
    assert.equal(counter.operations, 35);
  });

  test(`shared-dict: a worker that dies with operations under way loses only those, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const dying: Step[] = [...Array(50).fill(["increment", "dying"]), ["die"]];
    const jobs = Array.from(
      { length: 40 },
      (_, index): Job =>
        index === 20 ? { steps: dying, pipelined: true } : { steps: [["increment", "living"]] },
    );
    const results = await onDict(dict, jobs, kind, 3);
    assert.equal(results.filter((one) => one.status === "rejected").length, 1);
    assert.equal(dict.get("living"), 39);
    assert.ok(((dict.get("dying") as number) ?? 0) <= 50);
  });

  test(`shared-dict: an iteration can wait for one that a dead worker had, with ${kind}`, async () => {
    const dict: Dict = new Map();
    // Short ones, so that in a process one waits; then each waits for the one before it.
    const jobs = Array.from({ length: 40 }, (_, index): Job => {
      if (index < 20)
        return {
          steps: [
            ["sleep", 2],
            ["set", `${index}`, 1],
          ],
        };
      return {
        steps: [
          ["await", `${index - 1}`],
          ["set", `${index}`, 1],
        ],
      };
    });
    jobs[25]!.steps.push(["die"]);
    const results = await onDict(dict, jobs, kind, 2, { signal: AbortSignal.timeout(20_000) });
    assert.deepEqual(
      results.flatMap((one, index) => (one.status === "fulfilled" ? [] : [index])),
      [25],
    );
  });
}

test("shared-dict.ts: prints the dictionary, what an operation costs, and the updates lost", async () => {
  const { code, stdout, stderr } = await run("scripts/shared-dict.ts", [
    "-n",
    "20",
    "-w",
    "4",
    "-c",
    "2", // two lanes of one worker lose updates, too, even if the others should be up late
    "--latency",
    "1",
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /dictionary with 20 entries: { \d+: 201, .*, \.\.\., .* }/);
  assert.match(stdout, /one operation: [\d.]+ us awaited, [\d.]+ us pipelined/);
  assert.match(stdout, /get, then set +\d+ of 400, [1-9]\d* updates lost/);
  assert.match(
    stdout,
    /under the lock +400 of 400, 0 updates lost\n +increment +400 of 400, 0 updates lost/,
  );
});
