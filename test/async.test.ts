import assert from "node:assert/strict";
import { test } from "node:test";
import { testTechnique } from "./support/technique.ts";
import { variant } from "./support/variant.ts";

testTechnique("async", "concurrently");

test("async: aborted before it first waits, it waits for nothing", async () => {
  const stop = new AbortController();
  Object.assign(globalThis, { stop });
  const body = "(globalThis as any).stop.abort(); await new Promise(() => {});";
  const concurrently = await variant("async.ts", "concurrently", body);
  const results = await concurrently([0, 1, 2], { workers: 2, signal: stop.signal });
  assert.deepEqual(
    results.map((one) => one.status),
    ["rejected", "rejected", "rejected"],
  );
});
