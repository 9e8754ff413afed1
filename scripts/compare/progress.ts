// Progress of a comparison on stderr, with an estimate of the time left that learns from each run.

import { availableParallelism } from "node:os";
import type { RunRecord } from "../../lib/command/record.ts";
import { formatCount, formatMs, plural } from "../../lib/terminal/format.ts";
import { statusLine } from "../../lib/terminal/terminal.ts";
import { sum } from "../../lib/timing.ts";
import { BASELINE } from "./comparison.ts";
import type { CompareFlags } from "./flags.ts";
import type { Job } from "./plan.ts";

/** Shows what is run and how long all still takes; a line a run where there is no terminal. */
export function showProgress(jobs: Job[], flags: CompareFlags) {
  const runs = jobs.flatMap((job) => job.sizes.map((size) => ({ job, size })));
  const guesses = runs.map(({ job, size }) => guessMs(job, size, flags));
  const status = statusLine();
  const begunMs = performance.now();
  let [done, runBegunMs] = [0, begunMs];

  /** The guesses of what is left, corrected by how well they did so far. */
  function left(): string {
    const pace = done > 0 ? (runBegunMs - begunMs) / sum(guesses.slice(0, done)) : 1;
    const ms = sum(guesses.slice(done)) * pace - (performance.now() - runBegunMs);
    return `about ${formatMs(Math.max(0, ms))}`;
  }

  function show() {
    const run = runs[done];
    if (!run) return;
    const what = `${run.job.technique}, ${plural(run.size, "item")}`;
    status.show(() => `${done + 1} of ${runs.length}: ${what}; ${left()} left in all`);
  }

  if (!process.stderr.isTTY) console.error(`${plural(runs.length, "run")}, ${left()}`);
  const ticking = setInterval(show, 200).unref();
  show();
  return {
    /** So many runs of a job have ended, the last with this record, or without any. */
    reached(job: Job, count: number, record?: RunRecord) {
      done = runs.findIndex((run) => run.job === job) + count;
      runBegunMs = performance.now();
      if (process.stderr.isTTY || !record) return;
      const { technique, workers, requests, ok, ms } = record;
      const what = ok === requests ? formatCount(ok) : `${ok} of ${formatCount(requests)} ok`;
      const rest = done < runs.length ? `, ${left()} left` : "";
      console.error(`${technique} x${workers}: ${what} in ${formatMs(ms)}${rest}`);
    },
    /** Takes the line away. */
    clear() {
      clearInterval(ticking);
      status.clear();
    },
  };
}

/** A first guess at one run, start of script and workers included, for a machine of 2026. */
function guessMs({ technique, workers, sizes }: Job, size: number, flags: CompareFlags): number {
  const cores = availableParallelism();
  const eachMs = { post: flags.latency + 1, cpu: 10, none: 0.01 }[flags.work];
  const most = flags.work === "cpu" ? cores : Number.POSITIVE_INFINITY;
  const slots = Math.min((workers ?? cores) * flags.concurrency, most);
  const startMs = size === sizes[0] ? 1000 : 300; // the script starts once
  return startMs + (size * eachMs) / (technique === BASELINE ? 1 : slots);
}
