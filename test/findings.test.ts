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
/** A run in which so many were answered with a status other than 201. */
const refused = (
  technique: string,
  requests: number,
  counts: Record<number, number>,
  more?: Partial<Sample>,
) => {
  const failed = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const ok = requests - failed;
  return sample(technique, requests, 31.9, {
    ...more,
    ...{ ok, failed, statuses: { 201: ok, ...counts } },
  });
};

test("findings: a clear winner at every size", () => {
  const samples = [10, 100].flatMap((n) => [sample("async", n, n), sample("threads", n, 5 * n)]);
  says(samples, /^From 10 to 100 requests: async was fastest\.$/);
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

test("findings: a winner is not one where it failed, nor across where nothing compares", () => {
  const samples = [
    ...[10, 20, 50].map((n) => sample("threads", n, 50)),
    ...[10, 50].map((n) => sample("async", n, 10)),
    refused("async", 20, { 500: 1 }),
  ];
  says(samples, /^At 10 requests: async was fastest\.$/);
  says(samples, /^At 50 requests: async was fastest\.$/);
  saysNot(samples, /^From|At 20 requests: /);
  const third = [10, 20, 50].map((n) => sample("processes", n, 90));
  says([...samples, ...third], /^At 20 requests: threads was fastest of those with a time\.$/);
});

test("findings: single runs less than a tenth apart are level, and are said to be single runs", () => {
  const samples = [sample("async", 10, 100), sample("threads", 10, 109)];
  says(samples, /^At 10 requests: async or threads was fastest, too close to tell\.$/);
  says(samples, /^Everything was run once: less than 10 % apart is called level\./);
  saysNot([...samples, refused("async", 10, { 500: 1 }, { round: 1 })], /run once/);
});

test("findings: repeated runs that overlap are level, also where the medians are a fifth apart", () => {
  const samples = [
    ...repeats("async", 10, [80, 100, 130, 75, 140]),
    ...repeats("threads", 10, [120, 95, 90, 150, 125]),
  ];
  says(samples, /: async or threads was fastest, too close to tell\.$/);
});

test("findings: a difference of 6 % counts where the runs agree among themselves", () => {
  const samples = [
    ...repeats("async", 10, [100, 101, 99, 100]),
    ...repeats("threads", 10, [106, 107, 105, 106]),
  ];
  says(samples, /^At 10 requests: async was fastest\.$/);
});

test("findings: a large spread is warned of, and how many times have one", () => {
  const samples = [
    ...repeats("async", 10, [100, 101, 99]),
    ...repeats("threads", 10, [100, 300, 90]),
  ];
  says(samples, /^The spread is above 20 % for 1 of 2 times: try more --runs\.$/);
  saysNot(repeats("async", 10, [100, 101, 99]), /spread/);
});

test("findings: where a technique beats the plain loop, and where it does not", () => {
  const samples = [5, 50, 500].flatMap((n) => [
    sample("sequential", n, n * 10),
    sample("threads", n, 300 + n),
  ]);
  says(
    samples,
    /^Threads against the plain loop: slower at 5 requests, faster from 50 to 500 requests\.$/,
  );
  const lost = [20, 40].flatMap((n) => [
    sample("sequential", n, 100),
    sample("async", n, 5 * n - 50),
    sample("threads", n, 101),
  ]);
  says(lost, /^Async against the plain loop: faster at 20 requests, slower at 40 requests\.$/);
  says(lost, /^Threads against the plain loop: level from 20 to 40 requests\.$/);
});

test("findings: the ideal counts full rounds, and the nearest came to so much of its pace", () => {
  const samples = [
    sample("async", 9, 50, { workers: 8, idealMs: 40 }),
    sample("threads", 9, 90, { workers: 8, idealMs: 41 }),
  ];
  says(
    samples,
    /^The ideal at 9 requests, 8 at once, is 2 rounds x 20\.0 ms = 40\.0 ms: async came to 80 % of that pace\.$/,
  );
});

test("findings: computing, the ideal is the plain loop's time in rounds of the cores", () => {
  const samples = [
    sample("sequential", 9, 900, { work: "cpu" }),
    sample("async", 9, 910, { work: "cpu" }),
    sample("threads", 9, 520, { work: "cpu" }),
  ];
  says(samples, /^Async against the plain loop: level at 9 iterations\.$/);
  says(
    samples,
    /^The ideal at 9 iterations, 2 at once, is 5 rounds x 100 ms = 500 ms: threads came to 96 % of that pace\.$/,
  );
});

test("findings: the knee is the fewest workers that come near the best time", () => {
  const samples = [
    ...sweep("sequential", { 1: 1000 }),
    ...sweep("threads", { 1: 1050, 2: 560, 4: 300, 8: 290, 16: 300 }, { idealMs: 250 }),
  ];
  says(
    samples,
    /^Threads first came within 10 % of its best time with 4 workers: 300 ms, 83 % of the ideal pace\.$/,
    { over: "workers" },
  );
});

test("findings: of times that rise and fall, no gain is claimed from each further worker", () => {
  const samples = sweep("threads", { 1: 481, 2: 866, 4: 137, 8: 300 });
  says(samples, /^Threads first came within 10 % of its best time with 4 workers: 137 ms\.$/, {
    over: "workers",
  });
});

test("findings: no gain is none, whatever the plain loop", () => {
  const times = { 1: 1000, 2: 1010, 4: 990, 8: 1000 };
  const samples = [
    ...sweep("sequential", { 1: 1000 }, { work: "cpu" }),
    ...sweep("async", times, { work: "cpu" }),
  ];
  says(
    samples,
    /^Async first came within 10 % of its best time with 1 worker: 1\.00 s, 100 % of the ideal pace\.$/,
    { over: "workers" },
  );
  says(
    sweep("async", times),
    /^Async first came within 10 % of its best time with 1 worker: 1\.00 s\.$/,
    { over: "workers" },
  );
});

test("findings: refusals are told from failures, and both are counted of all that was run", () => {
  const samples = [
    ...sweep("async", { 4: 250, 8: 140 }),
    refused("async", 100, { 429: 40 }, { workers: 16 }),
    refused("threads", 100, { 503: 30, 500: 10 }, { workers: 16 }),
  ];
  says(samples, /^Async: 40 of 300 refused \(429: 40\), first with 16 workers\.$/, {
    over: "workers",
  });
  says(samples, /^Threads: 40 of 100 failed \(500: 10, 503: 30\), first with 16 workers\.$/, {
    over: "workers",
  });
});

test("findings: what an interrupt left undone has not failed", () => {
  const more = { interrupted: true, ok: 5, failed: 95, statuses: { 201: 5 } };
  const samples = [sample("async", 100, 90, { ...more, errors: { AbortError: 95 } })];
  assert.deepEqual(findings(comparison(samples)), []);
  const some = { ...more, errors: { AbortError: 90, ECONNRESET: 5 } };
  says(
    [sample("async", 100, 90, some)],
    /^Async: 5 of 10 failed \(ECONNRESET: 5\), first at 100 requests\.$/,
  );
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
    /^Python would start 6 threads here and 2 processes: at 500 requests, threads 3\.0 times as fast as processes\. That is the headline of the article/,
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

test("findings: a plain loop that failed is said once, however many workers the others had", () => {
  const samples = [
    refused("sequential", 100, { 500: 3 }, { workers: 1 }),
    ...sweep("threads", { 1: 500, 2: 250, 4: 130 }),
  ];
  const all = findings(comparison(samples, { over: "workers" }));
  const said = "Sequential: 3 of 100 failed (500: 3), first with 1 worker.";
  assert.deepEqual(
    all.filter((one) => one.startsWith("Sequential")),
    [said],
  );
});

test("findings: a sentence of a script keeps its own words and cannot steer the terminal", () => {
  const failed = sample("async", 10, 1, {
    ...{ work: "cpu", ok: 0, failed: 10, statuses: {}, errors: { "bad request \x1b[2J": 10 } },
  });
  says([failed], /^Async: 10 of 10 failed \(bad request \\u001b\[2J: 10\), first at 10 iterations/);
});

test("findings: a loop of the user's waits or computes, by what the plain loop kept busy", () => {
  for (const [cpuMs, does] of [
    [29, "waits"],
    [30, "waits and computes"],
    [80, "waits and computes"],
    [81, "computes"],
  ] as const) {
    const plain = sample("sequential", 10, 100, { work: "body", cpuMs });
    const said = `^This loop ${does}: one after another, its iterations kept ${cpuMs} % of a core busy`;
    says([plain, sample("async", 10, 50, { work: "body" })], new RegExp(said));
  }
});

test("findings: nothing at all is no finding", () => {
  assert.deepEqual(findings(comparison([])), []);
  assert.deepEqual(findings(comparison([], { over: "workers" })), []);
});
