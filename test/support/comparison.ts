// Made-up comparisons whose meaning is known.

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
