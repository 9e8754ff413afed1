// Made-up comparisons whose meaning is known.

import fc from "fast-check";
import { type Comparison, FORMAT, type Sample } from "../../scripts/compare/comparison.ts";

const KINDS: Record<string, Sample["workerKind"]> = { threads: "thread", processes: "process" };

/** One run: a technique, its number of requests, how long it took. */
export function sample(
  technique: string,
  requests: number,
  ms: number,
  more: Partial<Sample> = {},
): Sample {
  return {
    ...{ technique, workers: technique === "sequential" ? 1 : 4, concurrency: 1, requests },
    workerKind: KINDS[technique] ?? "lane",
    ...{ work: "post", ms, startupMs: 1, ok: requests, failed: 0, interrupted: false },
    ...{ statuses: { 201: requests }, errors: {}, p50Ms: 1, p95Ms: 1, p99Ms: 1 },
    ...{ cpuMs: 10, peakRssBytes: 100 * 2 ** 20, round: 0, asPython: false },
    ...more,
  };
}

/** A comparison of samples on a machine with 2 cores. */
export function comparison(samples: Sample[], more: Partial<Comparison> = {}): Comparison {
  const over = more.over ?? "requests";
  const xs = samples.filter((one) => over === "requests" || one.technique !== "sequential");
  return {
    format: FORMAT,
    startedAt: "2026-11-22T12:00:00.000Z",
    machine: {
      ...{ cpu: "a CPU", cores: 2, memoryBytes: 8e9, system: "Linux" },
      runtime: "Node 24.0.0",
    },
    ...{ versions: {}, flags: { latency: 20 }, over, samples, timelines: [], remarks: [] },
    xs: [...new Set(xs.map((one) => one[over]))].sort((a, b) => a - b),
    techniques: [...new Set(samples.map((one) => one.technique))],
    ...more,
  };
}

const WORKERS = 4;

/** One run of a made-up comparison: how it went, its time, and what else it measured. */
const madeUpRun = fc.record({
  went: fc.constantFrom("well", "well", "well", "well", "badly", "refused", "half", "interrupted"),
  // Ties and crossings come from the few, all else from the many.
  ms: fc.oneof(
    fc.constantFrom(7.3, 104, 109.3, 130.7, 950),
    fc.double({ min: 0.5, max: 1e5, noNaN: true }),
  ),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  serviceMs: fc.option(fc.double({ min: 0.1, max: 50, noNaN: true }), { nil: undefined }),
  cpuMs: fc.double({ min: 0.1, max: 1e5, noNaN: true }),
});

/** Any comparison: techniques, sizes, failures and gaps as they come. */
export const madeUp: fc.Arbitrary<Comparison> = fc
  .record({
    over: fc.constantFrom("requests" as const, "workers" as const),
    work: fc.constantFrom("post" as const, "post" as const, "cpu" as const, "none" as const),
    techniques: fc.subarray(["sequential", "async", "threads", "processes"], { minLength: 1 }),
    xs: fc.subarray([1, 2, 4, 9, 20, 50, 500, 10_000], { minLength: 1 }),
    rounds: fc.integer({ min: 1, max: 4 }),
    asPython: fc.boolean(),
    isCalm: fc.boolean(),
    concurrency: fc.integer({ min: 1, max: 3 }),
    gap: fc.double({ min: 0, max: 0.4, noNaN: true }),
    runs: fc.infiniteStream(madeUpRun),
  })
  .map(({ over, work, techniques, xs, rounds, asPython, isCalm, concurrency, gap, runs }) => {
    const samples: Sample[] = [];
    const firstMs = new Map<string, number>();
    const add = (technique: string, x: number, round: number, python: boolean) => {
      const { went, ms: anyMs, share, serviceMs, cpuMs } = runs.next().value!;
      if (share < gap) return; // not run, or its script broke
      const place = `${technique} ${x} ${python}`;
      // On a calm machine all are near each other, and the repeats of a run nearer still.
      if (!firstMs.has(place)) firstMs.set(place, 100 + (anyMs % 12));
      const ms = isCalm ? firstMs.get(place)! * (1 + share / 100) : anyMs;
      const requests = over === "requests" ? x : 100;
      const own = { async: 6, threads: 6, processes: 2 }[technique] ?? 1;
      const asked = python ? own : over === "workers" ? x : WORKERS;
      const workers = technique === "sequential" ? 1 : asked;
      const slots = workers * (technique === "sequential" ? 1 : concurrency);
      const known = work === "post" && serviceMs !== undefined;
      const bad = Math.max(1, Math.floor(requests * share));
      const failed = went === "well" ? 0 : bad;
      const ok = requests - failed;
      const refused = went === "refused" || (went === "half" && failed > 1);
      const others = failed > 1 && went === "half" ? 1 : 0;
      const resets = went !== "badly" ? 0 : work === "post" ? failed >> 1 : failed;
      const errors = {
        ...(resets > 0 && { ECONNRESET: resets }),
        ...(others && { TimeoutError: others }),
        ...(went === "interrupted" && { AbortError: failed }),
        ...(went === "half" && !refused && { TimeoutError: failed }),
      };
      samples.push(
        sample(technique, requests, ms, {
          ...{ workers, work, round, asPython: python, ok, failed, errors, cpuMs },
          concurrency: technique === "sequential" ? 1 : concurrency,
          statuses: {
            ...(work === "post" && ok > 0 && { 201: ok }),
            ...(refused && { [round % 2 ? 429 : 503]: failed - others }),
            ...(work === "post" && went === "badly" && { 500: failed - resets }),
          },
          ...{ interrupted: went === "interrupted", startupMs: ms * share },
          ...(known && { serviceMs, idealMs: serviceMs * Math.ceil(requests / slots) }),
          peakRssBytes: cpuMs * 2 ** 20,
        }),
      );
    };
    for (let round = 0; round < rounds; round++)
      for (const technique of techniques) {
        // Over workers the plain loop is run once a round.
        const isOnce = over === "workers" && technique === "sequential";
        for (const x of isOnce ? [1] : xs) {
          add(technique, x, round, false);
          if (asPython && over === "requests" && technique !== "sequential")
            add(technique, x, round, true);
        }
      }
    return comparison(samples, { over, xs, techniques });
  });
