import assert from "node:assert/strict";
import { test } from "node:test";
import { concurrently } from "../scripts/async.ts";
import { testTechnique } from "./support/technique.ts";

testTechnique("async", "concurrently");

test("async: aborted before it first waits, it waits for nothing", async () => {
  const stop = new AbortController();
  const body = async () => {
    stop.abort();
    await new Promise(() => {});
  };
  const results = await concurrently([0, 1, 2], body, { concurrency: 2, signal: stop.signal });
  assert.deepEqual(
    results.map((result) => result.status),
    ["rejected", "rejected", "rejected"],
  );
});
