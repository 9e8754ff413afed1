import assert from "node:assert/strict";
import { test } from "node:test";
import { comparisonChart, comparisonTable } from "../lib/comparison.ts";
import { findings } from "../lib/findings.ts";
import type { RunRecord } from "../lib/record.ts";

/** A made-up record whose meaning is known. */
function record(
  technique: string,
  requests: number,
  ms: number,
  more: Partial<RunRecord> = {},
): RunRecord {
  return {
    ...{ technique, workers: 4, inFlight: 1, requests, work: "post", ms, startupMs: 1 },
    ...{ ok: requests, failed: 0, interrupted: false, statuses: { 201: requests }, errors: {} },
    ...{ p50Ms: 1, p95Ms: 1, p99Ms: 1, cpuMs: 1, peakRssBytes: 1 },
    ...more,
  };
}
const says = (records: RunRecord[], pattern: RegExp) =>
  assert.ok(
    findings(records).some((one) => pattern.test(one)),
    `${pattern} is not in\n${findings(records).join("\n")}`,
  );

test("findings: a clear winner at every size", () => {
  const records = [10, 100].flatMap((n) => [record("async", n, n), record("threads", n, 5 * n)]);
  says(records, /^From 10 to 100 requests: async was fastest\.$/);
});

test("findings: a winner that changes with the size", () => {
  const records = [
    record("async", 10, 5),
    record("threads", 10, 50),
    record("async", 900, 90),
    record("threads", 900, 50),
  ];
  says(records, /^At 10 requests: async was fastest\.$/);
  says(records, /^At 900 requests: threads was fastest\.$/);
});

test("findings: what lies within a tenth is called level, not a win", () => {
  says(
    [record("async", 10, 100), record("threads", 10, 105)],
    /async and threads were fastest, level within 10 %/,
  );
});

test("findings: from where on a technique beats the plain loop", () => {
  const records = [5, 50, 500].flatMap((n) => [
    record("sequential", n, n * 10),
    record("threads", n, 300 + n),
  ]);
  says(
    records,
    /^Threads beat the plain loop from 50 requests on: at 500 it took 800 ms instead of 5\.00 s, 6\.3 times as fast\.$/,
  );
  const never = [record("sequential", 5, 10), record("processes", 5, 900)];
  says(never, /^Processes did not beat the plain loop up to 5 requests\.$/);
});

test("findings: how much of the time is start-up", () => {
  const records = [
    record("threads", 5, 200, { startupMs: 180 }),
    record("threads", 500, 1000, { startupMs: 200 }),
  ];
  says(
    records,
    /^Threads took 200 ms to begin: 90 % of the time at 5 requests and 20 % of the time at 500 requests\.$/,
  );
});

test("findings: how near the best came to the limit", () => {
  const records = [
    record("async", 100, 625, { idealMs: 500, serviceMs: 20 }),
    record("threads", 100, 900, { idealMs: 500, serviceMs: 20 }),
  ];
  says(
    records,
    /100 requests x 20\.0 ms service time \/ 4 in flight = 500 ms: async, the nearest, came to 80 % of that pace/,
  );
});

test("findings: failures are named, and a failed run wins nothing", () => {
  const failed = record("threads", 10, 1, {
    ok: 0,
    failed: 10,
    statuses: { 503: 4 },
    errors: { ECONNRESET: 6 },
  });
  const records = [record("async", 10, 50), record("processes", 10, 500), failed];
  says(records, /^At 10 requests: async was fastest\.$/);
  says(records, /^Threads at 10 requests: 10 failed \(503: 4, ECONNRESET: 6\)\.$/);
  assert.match(comparisonTable(records, [10], ["async", "threads"]), /10 +50\.0 ms +failed$/);
});

test("findings: nothing at all is no finding, table and chart stay whole", () => {
  assert.deepEqual(findings([]), []);
  assert.match(comparisonTable([], [5], ["async"]), /5 +-$/);
  assert.equal(
    comparisonChart([], [5], ["async"], { width: 80, colour: false }),
    "(nothing to draw)",
  );
});
