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
