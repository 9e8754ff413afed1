// What all dictionary scripts must keep, beside what every technique must.

import assert from "node:assert/strict";
import { test } from "node:test";
import { countPrimes } from "../../lib/primes.ts";
import { workerEntry } from "../../lib/worker-entry.ts";
import type { WorkerKind } from "../../lib/workers/start.ts";
import { run, startApiScript } from "./process.ts";
import { checkRecord } from "./technique.ts";
import { bodyOf } from "./variant.ts";

const items = Array.from({ length: 12 }, (_, index) => index);
const task = { work: "cpu", url: "", connections: 1, timeoutMs: 1000, retries: 0 } as const;

/** The dictionary that a script fills. */
async function fill(name: string, workers: number, kind: WorkerKind): Promise<Map<number, number>> {
  const entry = await workerEntry(new URL(`../../scripts/${name}.ts`, import.meta.url).href);
  const options = { workers, task, with: kind, ...entry };
  const dict = new Map<number, number>();
  if (name === "shared-dict") {
    await (await import("../../scripts/shared-dict.ts")).intoSharedDict(dict, items, options);
  } else if (name === "merge-dict") {
    await (await import("../../scripts/merge-dict.ts")).intoMergedDict(dict, items, options);
  } else {
    const { dictMemory, intoSharedMemory, sharedMemoryDict } = await import(
      "../../scripts/shared-memory.ts"
    );
    const memory = dictMemory(items.length);
    await intoSharedMemory(memory, items, options);
    return new Map(sharedMemoryDict(memory).entries());
  }
  return dict;
}

/** Declares the tests of one dictionary script. */
export function testDictionary(name: string, kinds: WorkerKind[]) {
  const script = `scripts/${name}.ts`;
  const flagsOf = (kind: WorkerKind) => (kinds.length > 1 ? ["--with", kind] : []);

  for (const kind of kinds) {
    test(`${name}: ends with the plain loop's dictionary, with 1, 2 and 8 ${kind}`, async () => {
      const expected = items.map((item) => [item, countPrimes(1_000_000 + item, 40_000)]);
      for (const workers of [1, 2, 8]) {
        const dict = await fill(name, workers, kind);
        assert.deepEqual(
          [...dict].sort(([a], [b]) => a - b),
          expected,
        );
      }
    });

    test(`${name}: counts as the API counts, errors and lost connections included, with ${kind}`, async () => {
      const api = await startApiScript([
        "--latency",
        "1",
        "--error-rate",
        "0.1",
        "--reset-rate",
        "0.05",
      ]);
      const flags = [
        "-n",
        "100",
        "-w",
        "3",
        "-c",
        "2",
        "--url",
        api.url,
        "--json",
        ...flagsOf(kind),
      ];
      const { code, records } = await run(script, flags);
      const stats = await api.stats();
      await api.stop();
      checkRecord(records[0]!, 100);
      assert.equal(code, 1);
      assert.equal(stats.requests, 100);
      assert.ok(stats.inFlightPeak <= 6);
      assert.equal(records[0]!.statuses[201], stats.statuses[201]);
      assert.equal(records[0]!.statuses[503], stats.statuses[503]);
      assert.equal(records[0]!.dictOperations, records[0]!.dictSize);
      assert.equal(records[0]!.dictSize, stats.statuses[201]! + stats.statuses[503]!);
    });
  }

  test(`${name}: has the loop body that all scripts have`, () => {
    assert.equal(bodyOf(`${name}.ts`), bodyOf("sequential.ts"));
  });
}
