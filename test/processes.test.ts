import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Report } from "../lib/workers/report.ts";
import { testTechnique, testWorkers } from "./support/technique.ts";
import { variant } from "./support/variant.ts";

testTechnique("processes", "inProcesses");
testWorkers("processes.ts", "inProcesses");

test("processes: what was reported arrives, however large, though its process dies right after", async () => {
  const inProcesses = await variant(
    "processes.ts",
    "inProcesses",
    `if (item % 2) process.exit(); return "x".repeat(20_000_000);`,
  );
  const results = await inProcesses([0, 1, 2, 3, 4], { workers: 1 });
  assert.deepEqual(
    results.map((one) =>
      one.status === "fulfilled" ? (one.value as string).length : one.reason.name,
    ),
    [20_000_000, "WorkerDied", 20_000_000, "WorkerDied", 20_000_000],
  );
});

test("processes: of many short iterations each is done once, also where some wait after all", async () => {
  const inProcesses = await variant(
    "processes.ts",
    "inProcesses",
    `if (item % 400 > 380) await new Promise((resolve) => setTimeout(resolve, 5)); return item;`,
  );
  const items = Array.from({ length: 4000 }, (_, index) => index);
  const heard: number[] = [];
  const onSettled = ({ index }: { index: number }) => heard.push(index);
  const results = await inProcesses(items, { workers: 3, onSettled });
  assert.deepEqual(
    results,
    items.map((value) => ({ status: "fulfilled", value })),
  );
  assert.deepEqual(
    heard.sort((a, b) => a - b),
    items,
  );
});

for (const [what, long] of [
  ["to compute", "for (const begunMs = performance.now(); performance.now() - begunMs < 20; );"],
  ["to wait", "await new Promise((resolve) => setTimeout(resolve, 20));"],
] as const)
  test(`processes: short iterations that turn out ${what} are reported one by one again`, async () => {
    const here = mkdtempSync(join(tmpdir(), "done-"));
    const done = join(here, "done");
    const inProcesses = await variant(
      "processes.ts",
      "inProcesses",
      `if (item < 2000) return 0;
       ${long}
       process.getBuiltinModule("node:fs").appendFileSync(${JSON.stringify(done)}, ".");
       return 1;`,
    );
    const stop = new AbortController();
    const items = Array.from({ length: 2400 }, (_, index) => index);
    let doneAtFirst = 0;
    const onSettled = ({ index }: { index: number }) => {
      if (index < 2000 || doneAtFirst > 0) return;
      doneAtFirst = statSync(done).size;
      stop.abort();
    };
    await inProcesses(items, { workers: 2, signal: stop.signal, onSettled });
    rmSync(here, { recursive: true });
    assert.ok(doneAtFirst >= 1 && doneAtFirst <= 4, `${doneAtFirst} done when one was reported`);
  });

test("processes: short iterations do not wait behind one that waits after all", async () => {
  const inProcesses = await variant(
    "processes.ts",
    "inProcesses",
    `if (item % 400 === 200) await new Promise((resolve) => setTimeout(resolve, 100)); return item;`,
  );
  const items = Array.from({ length: 4000 }, (_, index) => index);
  const order: number[] = [];
  const onSettled = ({ index }: { index: number }) => order.push(index);
  await inProcesses(items, { workers: 2, onSettled });
  const waited = items.filter((item) => item % 400 === 200);
  // Most of them were handed out together with the item after them, and that was done first.
  const passed = waited.filter((item) => order.indexOf(item + 1) < order.indexOf(item));
  assert.ok(passed.length >= 6, `${passed.length} of ${waited.length}`);
});

test("processes: short iterations that turn out long are shared by all, also by those with nothing left to do", async () => {
  const inProcesses = await variant(
    "processes.ts",
    "inProcesses",
    `const long = item >= 500 && item < 512;
     for (const begunMs = performance.now(); long && performance.now() - begunMs < 150; );
     return item;`,
  );
  const items = Array.from({ length: 2000 }, (_, index) => index);
  const done = [0, 0];
  const onSettled = ({ startMs, endMs }: Report, worker: number) => {
    if (endMs - startMs > 100) done[worker]!++;
  };
  await inProcesses(items, { workers: 2, onSettled });
  assert.ok(Math.min(...done) >= 3, `long ones by worker: ${done}`);
});

test("processes: an array with holes is as many items, also if it is emptied meanwhile", async () => {
  const inProcesses = await variant("processes.ts", "inProcesses", "return item;");
  const items = new Array<unknown>(60);
  items[0] = "not a hole";
  const onSettled = () => items.splice(0);
  const signal = AbortSignal.timeout(20_000);
  const results = await inProcesses(items, { workers: 2, onSettled, signal });
  assert.deepEqual(
    results.map((one) => one.status === "fulfilled" && one.value),
    ["not a hole", ...new Array(59).fill(undefined)],
  );
});

test("processes: a value that cannot be cloned fails its own iteration", async () => {
  const inProcesses = await variant(
    "processes.ts",
    "inProcesses",
    `const values = [() => {}, new SharedArrayBuffer(8)];
     return item % 10 === 5 ? values[item % 4 >> 1] : item;`,
  );
  const results = await inProcesses(
    Array.from({ length: 2000 }, (_, index) => index),
    { workers: 2 },
  );
  for (const [index, result] of results.entries()) {
    assert.equal(result.status, index % 10 === 5 ? "rejected" : "fulfilled", `item ${index}`);
  }
});
