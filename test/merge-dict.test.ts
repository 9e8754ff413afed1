import assert from "node:assert/strict";
import { test } from "node:test";
import { countPrimes } from "../lib/primes.ts";
import { workerEntry } from "../lib/worker-entry.ts";
import { intoMergedDict } from "../scripts/merge-dict.ts";
import { testDictionary } from "./support/dictionary.ts";
import { run, start, startApiScript, until, workersOf } from "./support/process.ts";
import { checkRecord, testWorkers } from "./support/technique.ts";
import { variant } from "./support/variant.ts";

testDictionary("merge-dict", ["processes", "threads"]);
for (const kind of ["processes", "threads"])
  testWorkers("merge-dict.ts", "intoMergedDict", [new Map()], { with: kind });

test("merge-dict: a value that cannot be cloned fails its own iteration, not its worker", async () => {
  const work = await variant(
    "merge-dict.ts",
    "intoMergedDict",
    "return item === 5 ? () => {} : item;",
  );
  for (const kind of ["processes", "threads"]) {
    const merged = new Map<number, number>();
    const usages: unknown[] = [];
    const onUsage = (usage: unknown) => usages.push(usage);
    const items = Array.from({ length: 20 }, (_, index) => index);
    await work(merged, items, { workers: 1, with: kind, onUsage });
    assert.deepEqual(
      [...merged.keys()].sort((a, b) => a - b),
      items.filter((item) => item !== 5),
    );
    if (kind === "processes") assert.equal(usages.length, 1, "it came to its orderly end");
  }
});

test("merge-dict: a worker killed in the middle loses what it was on, not what it had done", async () => {
  const slow = await startApiScript(["--latency", "40"]);
  const flags = ["-n", "100", "-w", "2", "--url", slow.url, "--json"];
  const running = start("scripts/merge-dict.ts", flags);
  await until(async () => {
    const { requests, inFlight } = await slow.stats();
    return requests > 10 && inFlight === 2;
  });
  process.kill(workersOf(running)[0]!, "SIGKILL");
  const { code, records, stderr } = await running.ended;
  await slow.stop();
  assert.equal(code, 1, stderr);
  checkRecord(records[0]!, 100);
  assert.deepEqual(records[0]!.errors, { WorkerDied: 1 });
  assert.equal(records[0]!.ok, 99);
  assert.equal(records[0]!.dictSize, 99);
});

test("merge-dict: a key that several workers had is merged once, and counted", async () => {
  const entry = await workerEntry(new URL("../scripts/merge-dict.ts", import.meta.url).href);
  const task = { work: "cpu", url: "", connections: 1, timeoutMs: 1000, retries: 0 } as const;
  const items = new Array(100).fill(7);
  const merged = new Map<number, number>();
  const options = { workers: 2, with: "threads", task, ...entry } as const;
  const { outcomes, collisions } = await intoMergedDict(merged, items, options);
  assert.equal(outcomes.length, 100);
  assert.deepEqual([...merged], [[7, countPrimes(1_000_007, 40_000)]]);
  assert.equal(collisions, 1);
});

test("merge-dict.ts: prints the dictionary, what an entry costs and the collisions", async () => {
  const { code, stdout, stderr } = await run("scripts/merge-dict.ts", [
    "-n",
    "20",
    "-w",
    "2",
    "--latency",
    "1",
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /dictionary with 20 entries: {/);
  assert.match(stdout, /one entry: [\d.]+ us to set, copy and merge/);
  assert.match(stdout, /keys that more than one worker had: 0/);
});

test("compare.ts: says what the dictionaries cost", async () => {
  const flags = [
    "-t",
    "shared-dict,shared-memory,merge-dict",
    "-n",
    "5",
    "-w",
    "2",
    "--latency",
    "1",
  ];
  const { code, stdout } = await run("scripts/compare.ts", flags, { COLUMNS: "400" });
  assert.equal(code, 0);
  assert.match(
    stdout.replace(/\n {2}/g, " "),
    /One operation on the dictionary costs [\d.]+ us awaited or [\d.]+ us pipelined in shared-dict, [\d.]+ us in shared-memory and [\d.]+ us in merge-dict\./,
  );
});
