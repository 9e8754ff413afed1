import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFlags } from "../lib/command/flags.ts";
import { compareFlags, completeFlags } from "../scripts/compare/flags.ts";
import { planJobs, remarksOn } from "../scripts/compare/run.ts";
import { withBody } from "./support/process.ts";

const table = compareFlags([], () => true);
const plan = completeFlags(parseFlags(table, ["-t", "sequential,async,threads", "-n", "5,5000"]));

test("plan: each technique once, the plain loop up to its limit", () => {
  assert.deepEqual(planJobs(plan), [
    { technique: "sequential", sizes: [5], workers: 8, round: 0 },
    { technique: "async", sizes: [5, 5000], workers: 8, round: 0 },
    { technique: "threads", sizes: [5, 5000], workers: 8, round: 0 },
  ]);
});

test("plan: repeats take turns, and each round begins with another technique", () => {
  const order = planJobs({ ...plan, runs: 4 }).map((job) => `${job.round} ${job.technique}`);
  assert.deepEqual(order, [
    ...["0 sequential", "0 async", "0 threads", "1 async", "1 threads", "1 sequential"],
    ...["2 threads", "2 sequential", "2 async", "3 sequential", "3 async", "3 threads"],
  ]);
});

test("plan: over workers the plain loop runs once a round; Python's numbers come on top", () => {
  const over = (more: Partial<typeof plan>) =>
    planJobs({ ...plan, requests: [200], ...more }).map((job) => [job.technique, job.workers]);
  assert.deepEqual(over({ workers: [1, 4] }), [
    ...[
      ["sequential", 1],
      ["async", 1],
      ["threads", 1],
      ["async", 4],
      ["threads", 4],
    ],
  ]);
  assert.deepEqual(over({ "python-defaults": true }).slice(3), [
    ["async", undefined],
    ["threads", undefined],
  ]);
});

test("plan: a timeline of each technique comes last, on the most workers", () => {
  const jobs = planJobs({ ...plan, requests: [5], workers: [1, 4], timeline: 9 });
  assert.deepEqual(
    jobs.slice(5),
    plan.techniques.map((technique) => ({ technique, sizes: [9], workers: 4, round: undefined })),
  );
});

test("plan: says where less is asked of the plain loop, or nothing", () => {
  assert.match(remarksOn(plan).join(), /^The plain loop is run up to 500 requests only/);
  assert.deepEqual(remarksOn({ ...plan, requests: [5] }), []);
  assert.deepEqual(remarksOn({ ...plan, techniques: ["async"] }), []);
});

test("plan: what cannot be compared is refused", () => {
  const body = withBody("waits");
  for (const [flags, expected] of [
    [[...body, "--items", "-"], '--items: expected a file for several runs, found "-"'],
    [
      [...body, "--timeout", "5"],
      "--timeout: expected none with --body: only workers can be ended",
    ],
    [
      ["--data", `"${"x".repeat(120_000)}"`],
      "--data: expected at most 100000 bytes for several scripts",
    ],
  ] as const)
    assert.throws(() => completeFlags(parseFlags(table, [...flags])), {
      name: "UsageError",
      message: expected,
    });
});
