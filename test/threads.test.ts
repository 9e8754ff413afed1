import assert from "node:assert/strict";
import { test } from "node:test";
import { testTechnique } from "./support/technique.ts";
import { variant } from "./support/variant.ts";

testTechnique("threads", "inThreads");

const items = Array.from({ length: 40 }, (_, index) => index);
const pause = "await new Promise((resolve) => setTimeout(resolve, 2));";

for (const [how, fault] of [
  ["process.exit()", "process.exit();"],
  [
    "a throw outside the body's promise",
    `setTimeout(() => { throw new Error("outside") }); await new Promise(() => {});`,
  ],
  ["out of memory", "const all = []; for (;;) all.push(new Array(1e6).fill(item));"],
] as const) {
  test(`threads: a thread that dies (${how}) costs one iteration`, async () => {
    const inThreads = await variant(
      "threads.ts",
      "inThreads",
      `if (item === 17) { ${fault} } ${pause} return item;`,
      (text) =>
        text.replace(
          "new Worker(entry, {",
          "new Worker(entry, { resourceLimits: { maxOldGenerationSizeMb: 64 },",
        ),
    );
    const results = await inThreads(items, { workers: 3 });
    for (const [index, result] of results.entries()) {
      if (index !== 17) assert.deepEqual(result, { status: "fulfilled", value: index });
    }
    const { reason } = results[17] as PromiseRejectedResult;
    assert.equal(reason.name, "WorkerDied");
    assert.match(reason.message, /the thread died: .+ \(on item 17\)/);
  });
}

test("threads: threads that die at their start end in a clear error", async () => {
  const inThreads = await variant("threads.ts", "inThreads", "return item;");
  const entry = new URL("data:text/javascript,throw new Error('cannot start')");
  const results = await inThreads(items, { workers: 4, entry });
  assert.ok(
    results.every(
      (one) => one.status === "rejected" && /cannot start \(at start\)/.test(one.reason.message),
    ),
  );
});

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
