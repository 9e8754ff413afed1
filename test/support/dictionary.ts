// What all dictionary scripts must keep, beside what every technique must.

import assert from "node:assert/strict";
import { test } from "node:test";
import { countPrimes } from "../../lib/bodies/cpu.ts";
import type { Job } from "../bodies/dict-steps.ts";
import { servePracticeApi } from "./counting-api.ts";
import {
  bare,
  body,
  dictMemory,
  intoMergedDict,
  intoSharedDict,
  intoSharedMemory,
  sharedMemoryDict,
} from "./load.ts";
import { run } from "./process.ts";
import { checkRecord } from "./technique.ts";

/** How often a test is repeated that depends on chance: set RUNS=20 for a soak. */
export const RUNS = Number(process.env.RUNS ?? 1);

/** Ends a loop that would never end, as one that waits for a lock may be: so its test fails. */
export function limit(): AbortSignal {
  return AbortSignal.timeout(60_000 * RUNS);
}

export type Kind = "processes" | "threads";
export type Dict = Map<string | number, unknown>;
type Name = "shared-dict" | "shared-memory" | "merge-dict";

/** Lets workers do jobs on a shared dictionary. */
export function onDict(dict: Dict, jobs: Job[], kind: Kind, workers = 2, more: object = {}) {
  const options = { ...bare, with: kind, workers, signal: limit(), ...more };
  return intoSharedDict<unknown, typeof import("../bodies/dict-steps.ts")>(
    dict,
    jobs,
    body("dict-steps"),
    options,
  );
}

/** The answers of a job that is done. */
export function answersOf(result: PromiseSettledResult<unknown[]> | undefined): unknown[] {
  assert.equal(result?.status, "fulfilled", String((result as PromiseRejectedResult)?.reason));
  return result.value;
}

/** The message of the error that a job failed with. */
export function messageOf(result: PromiseSettledResult<unknown> | undefined): string {
  return (result as PromiseRejectedResult).reason.message;
}

const items = Array.from({ length: 12 }, (_, index) => index);

/** The dictionary that a script fills. */
async function fill(name: Name, workers: number, kind: Kind): Promise<Map<number, number>> {
  const module = body("dict-primes");
  const options = { ...bare, workers, signal: limit() };
  const dict = new Map<number, number>();
  if (name === "shared-memory") {
    const memory = dictMemory(items.length);
    await intoSharedMemory(memory, items, module, options);
    return new Map(sharedMemoryDict(memory).entries());
  }
  const entries = dict as Map<string | number, unknown>;
  if (name === "shared-dict")
    await intoSharedDict(entries, items, module, { ...options, with: kind });
  else await intoMergedDict(entries, items, module, { ...options, with: kind });
  return dict;
}

/** Declares the tests of one dictionary script. */
export function testDictionary(name: Name, kinds: Kind[]) {
  const script = `scripts/${name}.ts`;
  const flagsOf = (kind: Kind) => (kinds.length > 1 ? ["--with", kind] : []);

  for (const kind of kinds) {
    test(`${name}: ends with the plain loop's dictionary, with 1, 2 and 8 ${kind}`, async () => {
      const expected = items.map((item) => [item, countPrimes(1_000_000 + item, 40_000)]);
      const leaks: string[] = [];
      const onWarning = ({ name, message }: Error) =>
        name === "MaxListenersExceededWarning" && leaks.push(message);
      process.on("warning", onWarning);
      for (const workers of [1, 2, 8]) {
        const dict = await fill(name, workers, kind);
        assert.deepEqual(
          [...dict].sort(([a], [b]) => a - b),
          expected,
        );
      }
      process.off("warning", onWarning);
      assert.deepEqual(leaks, []);
    });

    test(`${name}: counts as the API counts, errors and resets included, with ${kind}`, async () => {
      const api = await servePracticeApi({ errorRate: 0.1, resetRate: 0.05 });
      const flags = ["-n", "100", "-w", "3", "-c", "2", "--url", api.url, "--json"];
      const { code, records } = await run(script, [...flags, ...flagsOf(kind)]);
      const stats = await api.stats();
      api.stop();
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
}
