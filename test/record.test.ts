import assert from "node:assert/strict";
import { test } from "node:test";
import { makeRecord } from "../lib/command/record.ts";
import { percentile, type Run } from "../lib/timing.ts";

const NONE = Number.NaN;
const run: Run = {
  results: [
    { status: "fulfilled", value: 201 },
    { status: "fulfilled", value: 503 },
    { status: "rejected", reason: Object.assign(new Error("lost"), { code: "ECONNRESET" }) },
    { status: "rejected", reason: new RangeError("no") },
    { status: "rejected", reason: { name: "__proto__" } },
    { status: "rejected", reason: null },
  ],
  calledMs: 1000,
  ms: 50,
  startMs: Float64Array.of(1010, 1008, 1012, 1013, NONE, NONE),
  endMs: Float64Array.of(1020, 1028, 1042, 1014, NONE, NONE),
  workers: Int16Array.of(0, 1, 0, 1, 0, 0),
  cpuMs: 12,
  peakRssBytes: 1e8,
};
const context = {
  technique: "threads",
  workers: 2,
  workerKind: "thread",
  concurrency: 1,
  work: "post",
  url: "http://user:secret@a.example/x",
  interrupted: false,
} as const;

test("record: counts statuses and errors apart, and 2xx alone as ok", () => {
  const record = makeRecord(run, context);
  assert.equal(record.ok, 1);
  assert.equal(record.failed, 5);
  assert.deepEqual(record.statuses, { 201: 1, 503: 1 });
  assert.deepEqual(Object.entries(record.errors), [
    ["ECONNRESET", 1],
    ["RangeError", 1],
    ["__proto__", 1],
    ["Error", 1],
  ]);
});

test("record: shows no user and password of a URL", () => {
  assert.equal(makeRecord(run, context).url, "http://a.example/x");
});

test("record: start-up ends with the first iteration; percentiles are of those that ended", () => {
  const record = makeRecord(run, context);
  assert.equal(record.startupMs, 8);
  assert.deepEqual([record.p50Ms, record.p95Ms, record.p99Ms], [10, 30, 30]);
});

test("record: the ideal is requests x service time / slots, one service time at least", () => {
  const stats = {
    requests: 6,
    inFlight: 0,
    inFlightPeak: 2,
    serviceMs: { mean: 20, p99: 30 },
    statuses: {},
  };
  assert.equal(makeRecord(run, { ...context, stats }).idealMs, 60);
  assert.equal(makeRecord(run, { ...context, workers: 64, stats }).idealMs, 20);
  assert.equal(makeRecord(run, context).idealMs, undefined);
});

test("record: a value is ok for work other than POST, whatever it is", () => {
  const record = makeRecord(run, { ...context, work: "cpu" });
  assert.equal(record.ok, 2);
  assert.deepEqual(record.statuses, {});
  assert.equal(record.url, undefined);
});

test("measure: percentiles by nearest rank", () => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  assert.deepEqual(
    [0, 0.5, 0.9, 0.95, 1].map((p) => percentile(values, p)),
    [1, 5, 9, 10, 10],
  );
  assert.throws(() => percentile([], 0.5), RangeError);
});
