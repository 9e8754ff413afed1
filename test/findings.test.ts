import assert from "node:assert/strict";
import { test } from "node:test";
import { type Comparison, panelsOf, type Sample } from "../scripts/compare/comparison.ts";
import { summarize } from "../scripts/compare/describe.ts";
import { comparison, sample } from "./support/comparison.ts";

/** The sentences of a comparison. */
const findings = (one: Comparison) => summarize(one).sentences;

function says(samples: Sample[], pattern: RegExp, more?: Partial<Comparison>) {
  const all = findings(comparison(samples, more));
  assert.ok(
    all.some((one) => pattern.test(one)),
    `${pattern} is not in\n${all.join("\n")}`,
  );
}
function saysNot(samples: Sample[], pattern: RegExp, more?: Partial<Comparison>) {
  const all = findings(comparison(samples, more));
  assert.ok(!all.some((one) => pattern.test(one)), `${pattern} is in\n${all.join("\n")}`);
}
/** Several runs of one cell. */
const repeats = (technique: string, requests: number, times: number[], more?: Partial<Sample>) =>
  times.map((ms, round) => sample(technique, requests, ms, { ...more, round }));
/** One run for each number of workers. */
const sweep = (technique: string, times: Record<number, number>, more?: Partial<Sample>) =>
  Object.entries(times).map(([workers, ms]) =>
    sample(technique, 100, ms, { ...more, workers: Number(workers) }),
  );

test("findings: a clear winner at every size, and by how much", () => {
  const samples = [10, 100].flatMap((n) => [sample("async", n, n), sample("threads", n, 5 * n)]);
  says(samples, /^From 10 to 100 requests: async was fastest\.$/);
  says(samples, /^At 100 requests async ran 5\.0 times as fast as threads\.$/);
});

test("findings: a winner that changes with the size", () => {
  const samples = [
    sample("async", 10, 5),
    sample("threads", 10, 50),
    sample("async", 900, 90),
    sample("threads", 900, 50),
  ];
  says(samples, /^At 10 requests: async was fastest\.$/);
  says(samples, /^At 900 requests: threads was fastest\.$/);
});

test("findings: single runs less than a tenth apart are level, and are said to be single runs", () => {
  const samples = [sample("async", 10, 100), sample("threads", 10, 109)];
  says(samples, /^At 10 requests: async and threads were fastest, and level with each other\.$/);
  says(samples, /^Everything was run once: less than 10 % apart is called level\./);
});

test("findings: repeated runs that overlap are level, also where the medians are a fifth apart", () => {
  const samples = [
    ...repeats("async", 10, [80, 100, 130, 75, 140]),
    ...repeats("threads", 10, [120, 95, 90, 150, 125]),
  ];
  says(samples, /async and threads were fastest, and level/);
  saysNot(samples, /times as fast/);
});

test("findings: a difference of 6 % counts where the runs agree among themselves", () => {
  const samples = [
    ...repeats("async", 10, [100, 101, 99, 100]),
    ...repeats("threads", 10, [106, 107, 105, 106]),
  ];
  says(samples, /^At 10 requests: async was fastest\.$/);
  says(samples, /^At 10 requests async ran 1\.06 ± 0\.01 times as fast as threads\.$/);
});

test("findings: a large spread is warned of, with the worst case", () => {
  const samples = [
    ...repeats("async", 10, [100, 101, 99]),
    ...repeats("threads", 10, [100, 300, 90]),
  ];
  says(
    samples,
    /^The spread is large for 1 of 2 figures, most so for threads at 10 requests with 4 workers \(90\.0 ms to 300 ms/,
  );
  saysNot(repeats("async", 10, [100, 101, 99]), /spread/);
});

test("findings: from where on a technique beats the plain loop", () => {
  const samples = [5, 50, 500].flatMap((n) => [
    sample("sequential", n, n * 10),
    sample("threads", n, 300 + n),
  ]);
  says(
    samples,
    /^Threads beat the plain loop from 50 requests on; at 500 it took 800 ms instead of 5\.00 s, 6\.3 times as fast\.$/,
  );
  const never = [sample("sequential", 5, 10), sample("processes", 5, 900)];
  says(never, /^Processes did not beat the plain loop up to 5 requests\.$/);
});

test("findings: how much of the time is start-up", () => {
  const samples = [
    sample("threads", 5, 200, { startupMs: 180 }),
    sample("threads", 500, 1000, { startupMs: 200 }),
  ];
  says(
    samples,
    /^Threads took time to begin: 180 ms of 200 ms at 5 requests \(90 %\), 200 ms of 1\.00 s at 500 requests \(20 %\)\.$/,
  );
});

test("findings: how near the best came to the limit", () => {
  const samples = [
    sample("async", 100, 625, { idealMs: 500, serviceMs: 20 }),
    sample("threads", 100, 900, { idealMs: 500, serviceMs: 20 }),
  ];
  says(
    samples,
    /100 requests x 20\.0 ms service time \/ 4 in flight = 500 ms: async, the nearest, came to 80 % of that pace, start-up included/,
  );
});

test("findings: computing, async stays level and threads reach the cores", () => {
  const samples = [
    sample("sequential", 100, 1000, { work: "cpu" }),
    sample("async", 100, 1010, { work: "cpu" }),
    sample("threads", 100, 520, { work: "cpu" }),
    sample("processes", 100, 1600, { work: "cpu" }),
  ];
  says(
    samples,
    /^Async stayed level with the plain loop at 100 iterations: it computes on one core\.$/,
  );
  says(
    samples,
    /^Threads ran 1\.9 times as fast as the plain loop at 100 iterations: 96 % of what 2 cores can do\.$/,
  );
  says(samples, /^Processes took 1\.6 times as long as the plain loop at 100 iterations\.$/);
});

test("findings: empty iterations tell what a technique costs by itself", () => {
  const samples = [sample("threads", 1000, 120, { work: "none", startupMs: 100 })];
  says(samples, /^By itself, threads: 100 ms to begin, then 20 us an iteration/);
});

test("findings: a knee at 4 workers, because start-up does not shrink", () => {
  const samples = [
    ...sweep("sequential", { 1: 1000 }),
    ...sweep("threads", { 1: 1050, 2: 560, 4: 300, 8: 290, 16: 300 }, { startupMs: 150 }),
  ];
  says(
    samples,
    /^Threads gained up to 4 workers \(300 ms, 3\.3 times as fast as the plain loop\); more did not pay: 150 ms of start-up are 50 % of the time with 16, and do not shrink\.$/,
    { over: "workers" },
  );
});

test("findings: a knee at the cores for computing; one thread gains nothing", () => {
  const more = { work: "cpu", startupMs: 1 } as const;
  const samples = [
    ...sweep("sequential", { 1: 1000 }, more),
    ...sweep("threads", { 1: 1000, 2: 510, 4: 520, 8: 530 }, { ...more, cpuMs: 1900 }),
    ...sweep("async", { 1: 1000, 2: 1010, 4: 990, 8: 1000 }, { ...more, cpuMs: 1000 }),
  ];
  says(samples, /^Threads gained up to 2 workers .*: there are 2 cores to compute on\.$/, {
    over: "workers",
  });
  says(
    samples,
    /^Async computes in one thread, whatever the number of workers: 990 ms to 1\.01 s with 1 to 8 of them\.$/,
    { over: "workers" },
  );
});

test("findings: every worker pays", () => {
  const samples = [
    ...sweep("sequential", { 1: 1000 }),
    ...sweep("async", { 1: 1000, 4: 250, 16: 70 }),
  ];
  says(
    samples,
    /^Async gained from every worker up to 16, the most that were tried: 70\.0 ms, 14\.3 times as fast as the plain loop \(89 % efficiency\)\.$/,
    { over: "workers" },
  );
});

test("findings: an API that is full is the reason for a knee, by its own service time or by the requests'", () => {
  const times = { 1: 1000, 4: 260, 16: 255 };
  const own = Object.entries(times).map(([workers, ms]) =>
    sample("async", 100, ms, { workers: +workers, serviceMs: 2 * +workers, apiInFlightPeak: 4 }),
  );
  says(
    own,
    /^Async gained up to 4 workers .*: the API takes longer the more it is asked, 32\.0 ms/,
    {
      over: "workers",
    },
  );
  says(
    own,
    /^The API was the bottleneck for async: with 16 workers it had up to 4 requests at once/,
    {
      over: "workers",
      flags: { latency: 2 },
    },
  );
  const foreign = Object.entries(times).map(([workers, ms]) =>
    sample("async", 100, ms, { workers: +workers, p50Ms: 10 * +workers }),
  );
  says(
    foreign,
    /: a request takes 16\.0 times as long as with 1: the API serves no more at once\.$/,
    {
      over: "workers",
    },
  );
});

test("findings: an API that begins to refuse is named apart from failures", () => {
  const samples = [
    ...sweep("async", { 4: 250, 8: 140 }),
    sample("async", 100, 90, { workers: 16, ok: 60, failed: 40, statuses: { 201: 60, 429: 40 } }),
    sample("threads", 100, 90, { workers: 16, ok: 60, failed: 40, statuses: { 201: 60, 503: 40 } }),
  ];
  says(samples, /^The API began to refuse at 16 workers with async: 429: 40 of 100 requests\.$/, {
    over: "workers",
  });
  says(samples, /^The API refused at 16 workers with threads: 503: 40 of 100 requests\.$/, {
    over: "workers",
  });
  saysNot(samples, /failed/, { over: "workers" });
});

test("findings: Python's numbers of workers explain the article's headline", () => {
  const samples = [
    sample("threads", 500, 1300, { workers: 8 }),
    sample("processes", 500, 1400, { workers: 8 }),
    sample("threads", 500, 1700, { workers: 6, asPython: true }),
    sample("processes", 500, 5100, { workers: 2, asPython: true }),
  ];
  says(
    samples,
    /^Python would start 6 threads here, but 2 processes: with those, threads ran 3\.0 times as fast as processes at 500 requests, being 3\.0 times as many\. With 8 of each they ran 1\.1 times as fast\.$/,
  );
});

test("findings: there is no ideal for different numbers of workers, and no headline where there is none", () => {
  const [, asPython] = panelsOf(
    comparison([
      sample("threads", 500, 1900, { workers: 6, asPython: true, idealMs: 1700 }),
      sample("processes", 500, 5400, { workers: 2, asPython: true, idealMs: 5100 }),
    ]),
  );
  assert.deepEqual(asPython!.ideals, [undefined]);
  const slower = [
    sample("threads", 500, 1900, { work: "cpu", workers: 6, asPython: true }),
    sample("processes", 500, 1500, { work: "cpu", workers: 2, asPython: true }),
  ];
  says(slower, /^Python would start 6 threads/);
  saysNot(slower, /headline/);
});

test("findings: over workers without the plain loop, it is held against the fewest workers", () => {
  const samples = sweep("threads", { 1: 100, 2: 100, 4: 101 }, { work: "none" });
  says(
    samples,
    /^Threads gained nothing from more than 1 worker \(100 ms\): there is no work to share/,
    { over: "workers" },
  );
});

test("findings: a plain loop that failed is said once, however many workers the others had", () => {
  const samples = [
    sample("sequential", 100, 500, { ok: 97, failed: 3, statuses: { 201: 97, 500: 3 } }),
    ...sweep("threads", { 1: 500, 2: 250, 4: 130 }),
  ];
  const all = findings(comparison(samples, { over: "workers" }));
  assert.equal(all.filter((one) => one.startsWith("Sequential at 1 worker: 3 failed")).length, 1);
});

test("findings: of those that are level, the cheapest is named", () => {
  const samples = [
    sample("async", 100, 100, { cpuMs: 50, peakRssBytes: 100 * 2 ** 20 }),
    sample("processes", 100, 105, { cpuMs: 500, peakRssBytes: 600 * 2 ** 20 }),
  ];
  says(
    samples,
    /^Where async and processes are level, async is the cheapest: 50\.0 ms of CPU time and 100 MiB of memory, against 500 ms and 600 MiB for processes\.$/,
  );
});

test("findings: failures are named, and a failed run wins nothing", () => {
  const failed = sample("threads", 10, 1, {
    ok: 0,
    failed: 10,
    statuses: { 404: 4 },
    errors: { ECONNRESET: 6 },
  });
  const samples = [sample("async", 10, 50), sample("processes", 10, 500), failed];
  says(samples, /^At 10 requests: async was fastest\.$/);
  says(samples, /^Threads at 10 requests: 10 failed \(404: 4, ECONNRESET: 6\)\.$/);
});

test("findings: nothing at all is no finding", () => {
  assert.deepEqual(findings(comparison([])), []);
  assert.deepEqual(findings(comparison([], { over: "workers" })), []);
});
