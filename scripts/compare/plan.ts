// What a comparison runs, and in which order.

import { BASELINE } from "./comparison.ts";

/** One start of a technique's script. */
export interface Job {
  technique: string;
  /** Numbers of requests, run one after another by the same script. */
  sizes: number[];
  /** undefined: as many as Python's executors choose, which is the scripts' default. */
  workers: number | undefined;
  /** From 0. */
  round: number;
}

/** What is to be compared. */
export interface Plan {
  techniques: string[];
  sizes: number[];
  /** Several numbers go with one size. */
  workers: number[];
  pythonDefaults: boolean;
  runs: number;
  /** Most requests for the plain loop. */
  baselineMost: number;
}

/**
 * The jobs of a comparison. Each round runs everything once, one technique after the other and each
 * time beginning with another, so that a machine that grows slower or faster meanwhile does so for
 * all of them alike.
 */
export function planJobs(plan: Plan): Job[] {
  const { techniques, sizes, workers, pythonDefaults, runs, baselineMost } = plan;
  const numbers: (number | undefined)[] = [...workers, ...(pythonDefaults ? [undefined] : [])];
  return Array.from({ length: runs }, (_, round) =>
    numbers.flatMap((number, place) =>
      [...techniques.slice(round % techniques.length), ...techniques]
        .slice(0, techniques.length)
        // The plain loop has one worker, whatever is asked for: once a round is enough.
        .filter((technique) => technique !== BASELINE || place === 0)
        .map((technique) => ({
          technique,
          sizes: sizes.filter((size) => technique !== BASELINE || size <= baselineMost),
          workers: number,
          round,
        })),
    ),
  )
    .flat()
    .filter((job) => job.sizes.length > 0);
}
