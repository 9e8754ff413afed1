import assert from "node:assert/strict";
import { test } from "node:test";
import { testTechnique, testWorkers } from "./support/technique.ts";
import { variant } from "./support/variant.ts";

testTechnique("processes", "inProcesses");
testWorkers("processes.ts", "inProcesses");

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
