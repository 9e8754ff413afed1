// What a loop body can do to its worker, told by the results of the call. It is made in this process: there
// workers start faster than those of a script.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Context as Faults } from "../bodies/faults.ts";
import { callOf, type Options, upTo } from "../support/call.ts";
import { dictMemory, sharedMemoryDict } from "../support/load.ts";
import { LOOPS, nameOf } from "../support/scripts.ts";

const pooled = LOOPS.filter((loop) => loop.workers !== "none");

/** Calls the technique of a script with a body of test/bodies/ and so many items. */
async function call(
  { script, flags }: (typeof pooled)[number],
  name: string,
  count: number,
  options: Options,
) {
  const map = new Map<number, unknown>();
  const memory = dictMemory(2 * count);
  const [exported, before, dict] = {
    "threads.ts": ["inThreads", [], undefined],
    "processes.ts": ["inProcesses", [], undefined],
    "shared-dict.ts": ["intoSharedDict", [map], map],
    "shared-memory.ts": ["intoSharedMemory", [memory], sharedMemoryDict(memory)],
    "merge-dict.ts": ["intoMergedDict", [map], map],
  }[script] as [string, unknown[], { has: (key: number) => boolean } | undefined];
  const items = upTo(count);
  const results = await callOf(exported, before, { with: flags[1] })(name, items, {
    ...options,
    signal: AbortSignal.timeout(60_000), // fails where the loop would never end
  });
  assert.equal(results.length, count);
  const died = items.filter((index) => {
    const result = results[index]!;
    return result.status === "rejected" && result.reason.name === "WorkerDied";
  });
  const done = items.filter((index) => results[index]!.status === "fulfilled");
  return { results, died, done, dict };
}

/** A file in which a body writes down what it begins. */
function begunFile() {
  const folder = mkdtempSync(join(tmpdir(), "begun-"));
  const file = join(folder, "begun");
  return {
    file,
    checkEachOnce(count: number) {
      const lines = readFileSync(file, "utf8").trim().split("\n");
      rmSync(folder, { recursive: true });
      assert.deepEqual([lines.length, new Set(lines).size], [count, count], "each was begun once");
    },
  };
}

for (const loop of pooled) {
  for (const concurrency of [1, 2])
    test(`${nameOf(loop)}: a worker's end, ${concurrency} in flight, costs nothing that was done`, async () => {
      const begun = begunFile();
      const { died, done, dict } = await call(loop, "faults", 4000, {
        ...{ workers: 1, concurrency },
        context: { faults: [[1700, 99, "exit"]], file: begun.file } satisfies Faults,
      });
      begun.checkEachOnce(4000);
      // Done though not yet reported is done, and lost is no more than what it was on.
      assert.ok(died.length >= 3 && died.length <= 3 * concurrency, `${died.length} lost`);
      assert.equal(done.length, 4000 - died.length);
      for (const index of done) assert.ok(dict?.has(index) ?? true, `entry ${index}`);
    });

  test(`${nameOf(loop)}: a worker's end costs nothing beside what can't be cloned`, async () => {
    const { died, done } = await call(loop, "faults", 4000, {
      workers: 1,
      context: {
        faults: [
          [50, 10, "return a function"],
          [1000, 711, "exit"],
        ],
      } satisfies Faults,
    });
    assert.deepEqual(died, [711, 1711, 2711, 3711]);
    assert.equal(done.length, 4000 - 4 - 80);
  });

  test(`${nameOf(loop)}: an end between two iterations costs none not yet begun`, async () => {
    const begun = begunFile();
    const { died, done } = await call(loop, "begun", 80, {
      ...{ workers: 2, concurrency: 3 },
      context: { file: begun.file },
    });
    begun.checkEachOnce(80);
    assert.equal(done.length + died.length, 80);
  });

  for (const [what, why] of [
    ["exits", "exit code 3"],
    ["throws", "no database"],
  ] as const)
    for (const workers of [1, 4])
      test(`${nameOf(loop)}: a setup that ${what}, on ${workers} workers, ends in a clear error`, async () => {
        const { died, results } = await call(loop, "setups", 40, { workers, context: what });
        assert.equal(died.length, 40);
        const { message } = (results[0] as PromiseRejectedResult).reason;
        assert.match(message, new RegExp(`^(thread|process \\d+) died: ${why} \\(at start\\)$`));
      });

  test(`${nameOf(loop)}: no worker's setup waits for another's to end`, async () => {
    const workers = 2 * availableParallelism(); // more than are started at once
    const folder = mkdtempSync(join(tmpdir(), "setups-"));
    const { done } = await call(loop, "setups", 999, { workers, context: { folder, workers } });
    rmSync(folder, { recursive: true });
    assert.equal(done.length, 999);
  });
}
