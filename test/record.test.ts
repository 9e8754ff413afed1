import assert from "node:assert/strict";
import { test } from "node:test";
import { makeRecord, shownUrl } from "../lib/command/record.ts";
import { percentile, startMeasuring } from "../lib/timing.ts";

const at = (index: number, worker: number, startMs: number, endMs: number, isOk = true) => ({
  ...{ index, worker, startMs, endMs, isOk },
});
const times = {
  calledMs: 1000,
  firstMs: 1008,
  iterations: [at(0, 0, 1010, 1020), at(1, 1, 1008, 1028, false), at(2, 0, 1012, 1042)],
};
const outcomes: PromiseSettledResult<unknown>[] = [
  { status: "fulfilled", value: 201 },
  { status: "fulfilled", value: 503 },
  { status: "rejected", reason: Object.assign(new Error("lost"), { code: "ECONNRESET" }) },
  { status: "rejected", reason: new RangeError("no") },
  { status: "rejected", reason: { name: "__proto__" } },
  { status: "rejected", reason: null },
];
function runOf(work: "post" | "cpu") {
  const { add, end } = startMeasuring(2, work === "post");
  for (const [index, outcome] of outcomes.entries())
    add({ index, outcome, worker: 0, startMs: 0, endMs: 0 });
  return { ...end(), ...times };
}
const posts = runOf("post");
const about = {
  technique: "threads",
  workers: 2,
  workerKind: "thread",
  concurrency: 1,
  requests: 6,
  work: "post",
  interrupted: false,
} as const;

test("record: counts statuses and errors apart, and 2xx alone as ok", () => {
  const record = makeRecord(posts, about);
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

test("record: shows no user, password and query of a URL", () => {
  assert.equal(shownUrl(new URL("http://user:secret@a.example/x?key=1")), "http://a.example/x?...");
});

test("record: start-up ends with the first iteration; percentiles are of those that were ok", () => {
  const record = makeRecord(posts, about);
  assert.equal(record.startupMs, 8);
  assert.deepEqual([record.p50Ms, record.p95Ms, record.p99Ms], [10, 30, 30]);
});

test("record: the ideal is rounds x service time, and the last round counts whole", () => {
  const stats = {
    requests: 6,
    inFlight: 0,
    inFlightPeak: 2,
    serviceMs: { mean: 20, p99: 30 },
    statuses: {},
  };
  const idealMs = (workers: number) =>
    makeRecord(posts, { ...about, workers }, false, stats).idealMs;
  assert.deepEqual([2, 4, 64].map(idealMs), [60, 40, 20]);
  assert.equal(makeRecord(posts, about).idealMs, undefined);
});

test("record: a value is ok for work other than POST, whatever it is", () => {
  const record = makeRecord(runOf("cpu"), { ...about, work: "cpu" });
  assert.equal(record.ok, 2);
  assert.deepEqual(record.statuses, {});
});

test("measure: percentiles by nearest rank", () => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  assert.deepEqual(
    [0, 0.5, 0.9, 0.95, 1].map((p) => percentile(values, p)),
    [1, 5, 9, 10, 10],
  );
});
