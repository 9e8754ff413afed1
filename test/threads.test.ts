import assert from "node:assert/strict";
import { test } from "node:test";
import { testTechnique, testWorkers } from "./support/technique.ts";
import { variant } from "./support/variant.ts";

testTechnique("threads", "inThreads");
testWorkers("threads.ts", "inThreads");

test("threads: a value that cannot be cloned fails its own iteration", async () => {
  const inThreads = await variant(
    "threads.ts",
    "inThreads",
    "return item % 10 === 5 ? () => {} : item;",
  );
  const results = await inThreads(
    Array.from({ length: 2000 }, (_, index) => index),
    { workers: 2 },
  );
  for (const [index, result] of results.entries()) {
    assert.equal(result.status, index % 10 === 5 ? "rejected" : "fulfilled", `item ${index}`);
  }
});
