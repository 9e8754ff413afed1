import assert from "node:assert/strict";
import { test } from "node:test";
import { workerEntry } from "../lib/worker-entry.ts";
import { runPool } from "../lib/workers/pool.ts";
import type { WorkerKind } from "../lib/workers/start.ts";
import { ownDict } from "../scripts/shared-dict.ts";
import { type Job, ROLE, type Step } from "./support/dict-worker.ts";
import { testDictionary } from "./support/dictionary.ts";
import { run } from "./support/process.ts";
import { testWorkers } from "./support/technique.ts";

testDictionary("shared-dict", ["processes", "threads"]);
for (const kind of ["processes", "threads"])
  testWorkers("shared-dict.ts", "intoSharedDict", [new Map()], { with: kind });

const entry = await workerEntry(new URL("./support/dict-worker.ts", import.meta.url).href);

/** Lets workers do jobs on a dictionary. */
function onDict(
  dict: Map<string | number, unknown>,
  jobs: Job[],
  kind: WorkerKind,
  workers: number,
  signal = new AbortController().signal,
) {
  const start = { with: kind, workers, signal, role: ROLE, ...entry };
  return runPool<Job, unknown[]>(jobs, { ...start, setup: undefined, ...ownDict(dict) });
}

/** Set RUNS=20 for a soak: as many runs, and all of the 100,000 locked operations in each. */
const RUNS = Number(process.env.RUNS ?? 1);
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

for (const kind of ["processes", "threads"] as const) {
  test(`shared-dict: every operation does what a Map's does, in order, with ${kind}`, async () => {
    const dict = new Map<string | number, unknown>();
    const steps: Step[] = [
      ["set", "a", 1],
      ["set", "b", { deep: [1, new Date(0)] }],
      ["get", "a"],
      ["get", "b"],
      ["get", "none"],
      ["has", "a"],
      ["has", "none"],
      ["delete", "a"],
      ["delete", "a"],
      ["size"],
      [
        "update",
        [
          ["c", 3],
          ["b", 4],
        ],
      ],
      ["increment", "c", 2],
      ["increment", "new"],
      ["entries"],
    ];
    const expected = [
      undefined,
      undefined,
      1,
      { deep: [1, new Date(0)] },
      undefined,
      true,
      false,
      true,
      false,
      1,
      undefined,
      5,
      1,
      [
        ["b", 4],
        ["c", 5],
        ["new", 1],
      ],
    ];
    for (const pipelined of [false, true]) {
      dict.clear();
      const [result] = await onDict(dict, [{ steps, pipelined }], kind, 1);
      assert.deepEqual(result, { status: "fulfilled", value: expected });
    }
  });

  test(`shared-dict: odd keys come back as from a Map, with ${kind}`, async () => {
    const expected = new Map(ODD_KEYS.map((key, index) => [key, index]));
    const dict = new Map<string | number, unknown>();
    const sets = ODD_KEYS.map((key, index): Step => ["set", key, index]);
    const gets = ODD_KEYS.map((key): Step => ["get", key]);
    const [result] = await onDict(dict, [{ steps: [...sets, ...gets, ["entries"]] }], kind, 1);
    const answers = (result as PromiseFulfilledResult<unknown[]>).value;
    assert.deepEqual([...dict], [...expected]);
    assert.deepEqual(
      answers.slice(ODD_KEYS.length, -1),
      ODD_KEYS.map((_, index) => index),
    );
    assert.deepEqual(answers.at(-1), [...expected]);
    assert.equal(({} as Record<string, unknown>).length, undefined);
  });

  test(`shared-dict: 100,000 keys arrive in order, with ${kind}`, async () => {
    const dict = new Map<string | number, unknown>();
    const steps = Array.from(
      { length: 100_000 },
      (_, index): Step => ["set", `key ${index}`, index],
    );
    const [result] = await onDict(dict, [{ steps, pipelined: true }], kind, 1);
    assert.equal(result!.status, "fulfilled");
    assert.deepEqual(
      [...dict.values()],
      steps.map((_, index) => index),
    );
  });

  test(`shared-dict: increment loses nothing, 8 workers and 100,000 operations on 10 keys, with ${kind}`, async () => {
    for (let run = 0; run < RUNS; run++) {
      const dict = new Map<string | number, unknown>();
      await onDict(dict, hundredThousand("increment"), kind, 8);
      assert.deepEqual([...dict.values()], new Array(10).fill(10_000));
    }
  });

  test(`shared-dict: the lock loses nothing where get, then set does, 8 workers on 10 keys, with ${kind}`, async () => {
    for (let run = 0; run < RUNS; run++) {
      const jobs = (name: string) =>
        hundredThousand(name).map((job) => ({ ...job, times: LOCKED_TIMES }));
      const expected = new Array(10).fill(80 * LOCKED_TIMES);
      const dict = new Map<string | number, unknown>();
      await onDict(dict, jobs("locked"), kind, 8);
      assert.deepEqual([...dict.values()], expected);
      const unsafe = new Map<string | number, unknown>();
      await onDict(unsafe, jobs("get then set"), kind, 8);
      for (const [index, count] of [...unsafe.values()].entries()) {
        assert.ok((count as number) < expected[index], `get, then set kept ${count}`);
      }
    }
  });

  test(`shared-dict: an iteration can wait for the entry of an earlier one, with ${kind}`, async () => {
    const dict = new Map<string | number, unknown>();
    const jobs = Array.from({ length: 600 }, (_, index): Job => {
      if (index <= 400) return { steps: index < 400 ? [] : [["set", "400", true]] }; // short ones
      return {
        steps: [
          ["await", `${index - 1}`],
          ["set", `${index}`, true],
        ],
      };
    });
    const results = await onDict(dict, jobs, kind, 3, AbortSignal.timeout(20_000));
    assert.equal(results.filter((one) => one.status === "fulfilled").length, 600);
  });

  test(`shared-dict: the lock without a key is one for all, with ${kind}`, async () => {
    const dict = new Map<string | number, unknown>();
    const jobs = Array.from(
      { length: 20 },
      (): Job => ({ steps: [["locked without a key", "k"]], times: 25 }),
    );
    await onDict(dict, jobs, kind, 4);
    assert.equal(dict.get("k"), 500);
  });

  test(`shared-dict: an entry of the parent's that cannot be cloned fails who asks for it, with ${kind}`, async () => {
    const dict = new Map<string | number, unknown>([
      ["function", () => {}],
      ["fine", 1],
    ]);
    const jobs: Job[] = [
      { steps: [["get", "function"]] },
      { steps: [["get", "fine"]], times: 50, pipelined: true },
    ];
    const results = await onDict(dict, jobs, kind, 2);
    assert.deepEqual(
      results.map((one) => one.status),
      ["rejected", "fulfilled"],
    );
  });

  test(`shared-dict: an operation that fails rejects for the one who asked, with ${kind}`, async () => {
    const dict = new Map<string | number, unknown>([["text", "x"]]);
    const jobs: Job[] = [
      { steps: [["set a function", "f"]] },
      { steps: [["increment", "text"]] },
      { steps: [["set", "fine", 1]] },
    ];
    const results = await onDict(dict, jobs, kind, 1);
    assert.deepEqual(
      results.map((one) => one.status),
      ["rejected", "rejected", "fulfilled"],
    );
    assert.match((results[0] as PromiseRejectedResult).reason.message, /could not be cloned/);
    assert.match((results[1] as PromiseRejectedResult).reason.message, /Cannot increment "text"/);
    assert.deepEqual(
      [...dict],
      [
        ["text", "x"],
        ["fine", 1],
      ],
    );
  });
}

test("shared-dict: an iteration can wait for the entry of one that was to run on a worker that died", async () => {
  const dict = new Map<string | number, unknown>();
  const jobs = Array.from({ length: 40 }, (_, index): Job => ({ steps: [["set", `${index}`, 1]] }));
  // One worker is on 0, with 1 to come; the other on 2, with 3 to come, and dies.
  jobs[0]!.steps = [
    ["await", "begun"],
    ["sleep", 30],
  ];
  jobs[1]!.steps = [["await", "3"]];
  jobs[2]!.steps = [["set", "begun", 1], ["die"]];
  const results = await onDict(dict, jobs, "processes", 2, AbortSignal.timeout(20_000));
  assert.deepEqual(
    results.flatMap((one, index) => (one.status === "fulfilled" ? [] : [index])),
    [2],
  );
});

test("shared-dict: a worker killed while it holds the lock leaves it to the others", async () => {
  const dict = new Map<string | number, unknown>();
  const jobs: Job[] = [{ steps: [["die holding", "k"]] }];
  for (let count = 0; count < 30; count++)
    jobs.push({
      steps: [
        ["await", "held"],
        ["increment", "waiting"],
        ["locked", "k"],
      ],
    });
  const results = await onDict(dict, jobs, "processes", 4);
  assert.equal(results[0]!.status, "rejected");
  assert.match((results[0] as PromiseRejectedResult).reason.message, /SIGKILL \(on item 0\)/);
  assert.ok(results.slice(1).every((one) => one.status === "fulfilled"));
  assert.equal(dict.get("k"), 30);
});

test("shared-dict: a worker killed with operations under way loses those, and nobody else's", async () => {
  const dict = new Map<string | number, unknown>();
  const jobs: Job[] = Array.from(
    { length: 40 },
    (_, index): Job =>
      index === 20
        ? { steps: [...Array(50).fill(["increment", "dying"]), ["die"]], pipelined: true }
        : { steps: [["increment", "living"]] },
  );
  const results = await onDict(dict, jobs, "processes", 3);
  assert.equal(results.filter((one) => one.status === "rejected").length, 1);
  assert.equal(dict.get("living"), 39);
  assert.ok(((dict.get("dying") as number) ?? 0) <= 50);
});

test("shared-dict.ts: prints the dictionary, what an operation costs, and who lost how many updates", async () => {
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

test("shared-dict: of several replies only the one that cannot be cloned fails", () => {
  const sent: unknown[] = [];
  const worker = {
    number: 0,
    send: (message: unknown) => void sent.push(structuredClone(message)),
  };
  const dict = new Map<string | number, unknown>([
    ["function", () => {}],
    ["fine", 1],
  ]);
  const operations = ["fine", "function", "fine"].map((key, id) => [id, "get", key]);
  ownDict(dict).onMessage(worker, operations);
  const replies = sent.flat() as [number, unknown, Error?][];
  assert.deepEqual(
    replies.map(([id, value]) => [id, value]),
    [
      [0, 1],
      [1, undefined],
      [2, 1],
    ],
  );
  assert.match(replies[1]![2]!.message, /could not be cloned/);
});
