// Progress of a comparison on stderr, with an estimate of the time left that learns from each run.

import { availableParallelism } from "node:os";
import type { RunRecord, Work } from "../../lib/command/record.ts";
import { formatCount, formatMs, plural } from "../../lib/terminal/format.ts";
import { statusLine } from "../../lib/terminal/terminal.ts";
import type { Job } from "./plan.ts";

/** What the time of a run depends on beside its job. Latency in milliseconds. */
export interface Load {
  work: Work;
  concurrency: number;
  latency: number;
}

/** Shows what is being run and how long it still takes: one rewritten line on a terminal, else a line a run. */
export function showProgress(jobs: Job[], load: Load) {
  const runs = jobs.flatMap((job) =>
    job.sizes.map((size, number) => ({ job, size, guessMs: guessMs(job, size, number, load) })),
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
    if (!run) return;
    const what = `${run.job.technique}, ${plural(run.size, "item")}`;
    status.show(
      () => `${done + 1} of ${runs.length}: ${what}; about ${formatMs(leftMs())} left in all`,
    );
  }

  if (!process.stderr.isTTY)
    console.error(`${plural(runs.length, "run")}, about ${formatMs(leftMs())}`);
  const ticking = setInterval(show, 200).unref();
  show();
  return {
    /** A run has ended. */
    ended({ technique, requests, workers, ms }: RunRecord) {
      done++;
      runBegunMs = performance.now();
      if (process.stderr.isTTY) return;
      const left = done < runs.length ? `, about ${formatMs(leftMs())} left` : "";
      const who = `${technique} x${workers}`;
      console.error(`${who}: ${formatCount(requests)} in ${formatMs(ms)}${left}`);
    },
    /** A job has ended, perhaps without some of its runs. */
    jobEnded(job: Job) {
      done = runs.findLastIndex((run) => run.job === job) + 1;
      runBegunMs = performance.now();
    },
    /** Takes the line away. */
    clear() {
      clearInterval(ticking);
      status.clear();
    },
  };
}

/** A first guess at one run, pool and script included, for a machine like those of 2026. */
function guessMs({ technique, workers }: Job, size: number, number: number, load: Load): number {
  const cores = availableParallelism();
  const eachMs = { post: load.latency + 1, cpu: 10, none: 0.01, body: 10 }[load.work];
  const alone = technique === "sequential" || (technique === "async" && load.work === "cpu");
  const most = load.work === "cpu" ? cores : Number.POSITIVE_INFINITY;
  const asPython = technique === "processes" ? cores : Math.min(32, cores + 4);
  const lanes = alone ? 1 : Math.min((workers ?? asPython) * load.concurrency, most);
  return (size * eachMs) / lanes + 300 + (number === 0 ? 700 : 0);
}
