// Progress of a comparison on stderr, with an estimate of the time left that learns from each run.

import { availableParallelism } from "node:os";
import { formatCount, formatMs, plural } from "./format.ts";
import type { RunRecord } from "./record.ts";
import type { Task } from "./task.ts";
import { statusLine } from "./terminal.ts";

/** What is to be run: each technique at its sizes, in this order. */
export type Jobs = { name: string; sizes: number[] }[];

/** What the time of a run depends on. Latency in milliseconds. */
export interface Load {
  work: Task["work"];
  workers: number;
  inFlight: number;
  latency: number;
}

/** Shows what is being run and how long it still takes: one rewritten line on a terminal, else a line a run. */
export function showProgress(jobs: Jobs, load: Load) {
  const runs = jobs.flatMap(({ name, sizes }) =>
    sizes.map((size, number) => ({ name, size, guessMs: guessMs(name, size, number === 0, load) })),
  );
  const status = statusLine();
  const begunMs = performance.now();
  let runBegunMs = begunMs;
  let done = 0;

  /** The guesses of what is left, corrected by how well they did so far. */
  function leftMs(): number {
    const sum = (part: typeof runs) => part.reduce((total, run) => total + run.guessMs, 0);
    const pace = done > 0 ? (runBegunMs - begunMs) / sum(runs.slice(0, done)) : 1;
    return Math.max(0, sum(runs.slice(done)) * pace - (performance.now() - runBegunMs));
  }

  function show() {
    const run = runs[done];
    if (run)
      status.show(
        () => `${run.name}, ${plural(run.size, "request")}: about ${formatMs(leftMs())} left`,
      );
  }

  if (!process.stderr.isTTY)
    console.error(`${plural(runs.length, "run")}, about ${formatMs(leftMs())}`);
  const ticking = setInterval(show, 200).unref();
  show();
  return {
    /** A run has ended. */
    ended({ technique, requests, ms }: RunRecord) {
      done = runs.findIndex((run) => run.name === technique && run.size === requests) + 1 || done;
      runBegunMs = performance.now();
      if (process.stderr.isTTY) return;
      const left = done < runs.length ? `, about ${formatMs(leftMs())} left` : "";
      console.error(`${technique}: ${formatCount(requests)} in ${formatMs(ms)}${left}`);
    },
    /** Takes the line away. */
    clear() {
      clearInterval(ticking);
      status.clear();
    },
  };
}

/** A first guess at one run, pool and script included, for a machine like those of 2026. */
function guessMs(name: string, size: number, fresh: boolean, load: Load): number {
  const eachMs = { post: load.latency + 1, cpu: 10, none: 0.01 }[load.work];
  const alone = name === "sequential" || (name === "async" && load.work === "cpu");
  const most = load.work === "cpu" ? availableParallelism() : Number.POSITIVE_INFINITY;
  const lanes = alone ? 1 : Math.min(load.workers * load.inFlight, most);
  return (size * eachMs) / lanes + 300 + (fresh ? 700 : 0);
}
