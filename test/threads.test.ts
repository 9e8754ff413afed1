import assert from "node:assert/strict";
import { callOf, rules, test, upTo } from "./support/call.ts";
import { testTechnique, testWorkers } from "./support/technique.ts";

testTechnique("threads", "inThreads");
testWorkers("threads.ts", "inThreads");

test("threads: a value that cannot be cloned fails its own iteration", async () => {
  const fifths = rules({ every: 10, from: 5, returns: "function" });
  const results = await callOf("inThreads")("rules", upTo(2000), fifths);
  for (const [index, result] of results.entries())
    assert.equal(result.status, index % 10 === 5 ? "rejected" : "fulfilled", `item ${index}`);
});

test("threads: one that says what nobody can read is ended, and costs what it was on", async () => {
  const results = await callOf("inThreads")("unreadable", upTo(4));
  const [first, unreadable, ...others] = results;
  assert.deepEqual(
    [first, ...others].map((result) => result?.status),
    ["fulfilled", "fulfilled", "fulfilled"],
  );
  assert.equal((unreadable as PromiseRejectedResult).reason.name, "WorkerDied");
});
