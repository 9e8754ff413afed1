import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Report } from "../scripts/processes.ts";
import { callOf, rules, shown, test, upTo } from "./support/call.ts";
import { testTechnique, testWorkers } from "./support/technique.ts";

testTechnique("processes", "inProcesses");
testWorkers("processes.ts", "inProcesses");

const call = callOf("inProcesses");

test("processes: what was reported arrives, however large, though its process dies next", async () => {
  const context = rules(
    { every: 2, from: 1, exits: 0 },
    { every: 2, from: 0, returns: "a long text" },
  );
  const results = await call("rules", upTo(5), { ...context, workers: 1 });
  assert.deepEqual(
    shown(results).map((text) => (text === "WorkerDied" ? text : (text as string).length)),
    [20_000_000, "WorkerDied", 20_000_000, "WorkerDied", 20_000_000],
  );
});

test("processes: of many short iterations each is done once, also where some wait after all", async () => {
  const context = rules({ every: 400, from: 381, to: 399, waitsMs: 5 });
  const heard: number[] = [];
  const onSettled = ({ index }: Report) => heard.push(index);
  const results = await call("rules", upTo(4000), { ...context, workers: 3, onSettled });
  assert.deepEqual(shown(results), upTo(4000));
  assert.deepEqual(
    heard.sort((a, b) => a - b),
    upTo(4000),
  );
});

for (const [what, long] of [
  ["to compute", { computesMs: 20 }],
  ["to wait", { waitsMs: 20 }],
] as const)
  test(`processes: short iterations that turn out ${what} are reported one by one again`, async () => {
    const here = mkdtempSync(join(tmpdir(), "done-"));
    const done = join(here, "done");
    const span = { from: 2000, to: 2399 };
    const context = rules({ ...span, ...long }, { ...span, writesTo: done });
    const stop = new AbortController();
    let doneAtFirst = 0;
    const onSettled = ({ index }: Report) => {
      if (index < 2000 || doneAtFirst > 0) return;
      doneAtFirst = statSync(done).size / "2000\n".length;
      stop.abort();
    };
    await call("rules", upTo(2400), { ...context, signal: stop.signal, onSettled });
    rmSync(here, { recursive: true });
    assert.ok(doneAtFirst >= 1 && doneAtFirst <= 4, `${doneAtFirst} done when one was reported`);
  });

test("processes: short iterations do not wait behind one that waits after all", async () => {
  const context = rules({ every: 400, from: 200, waitsMs: 100 });
  const order: number[] = [];
  const onSettled = ({ index }: Report) => order.push(index);
  await call("rules", upTo(4000), { ...context, onSettled });
  const waited = upTo(4000).filter((item) => item % 400 === 200);
  // Most of them were handed out together with the item after them, and that was done first.
  const passed = waited.filter((item) => order.indexOf(item + 1) < order.indexOf(item));
  assert.ok(passed.length >= 6, `${passed.length} of ${waited.length}`);
});

test("processes: short iterations that turn out long are shared by all", async () => {
  const context = rules({ from: 500, to: 511, computesMs: 75 });
  const done = [0, 0];
  const onSettled = ({ index, worker }: Report) => {
    if (index >= 500 && index <= 511) done[worker]!++;
  };
  await call("rules", upTo(2000), { ...context, onSettled });
  assert.ok(Math.min(...done) >= 3, `long ones by worker: ${done}`);
});

test("processes: an array with holes is as many items, also if it is emptied meanwhile", async () => {
  const items = new Array<unknown>(60);
  items[0] = "not a hole";
  const onSettled = () => items.splice(0);
  const results = await call("same", items, { onSettled, signal: AbortSignal.timeout(20_000) });
  assert.deepEqual(shown(results), ["not a hole", ...new Array(59).fill(undefined)]);
});

test("processes: a value that cannot be cloned fails its own iteration", async () => {
  const context = rules(
    { every: 20, from: 5, returns: "function" },
    { every: 20, from: 15, returns: "shared memory" },
  );
  const results = await call("rules", upTo(2000), context);
  for (const [index, result] of results.entries())
    assert.equal(result.status, index % 10 === 5 ? "rejected" : "fulfilled", `item ${index}`);
});
