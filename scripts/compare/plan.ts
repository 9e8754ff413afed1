// What a comparison runs, and in which order.

import { formatCount } from "../../lib/terminal/format.ts";
import { BASELINE } from "./comparison.ts";
import type { Plan } from "./flags.ts";

/** One start of a technique's script. */
export interface Job {
  technique: string;
  /** Numbers of requests, run one after another by the same script. */
  sizes: number[];
  /** undefined: as many as Python's executors choose, which is the scripts' default. */
  workers: number | undefined;
  /** Which repeat it is part of, from 0; undefined where it is run to be drawn as a timeline. */
  round: number | undefined;
}

/**
 * The jobs of a comparison. Each round runs everything once, one technique after the other and each
 * time beginning with another, so that a machine that grows slower or faster meanwhile does so for
 * all of them alike.
 */
export function planJobs(plan: Plan): Job[] {
  const { techniques, workers, timeline } = plan;
  const jobs: Job[] = [];
  for (let round = 0; round < plan.runs; round++)
    for (const number of [...workers, ...(plan.pythonDefaults ? [undefined] : [])])
      for (const turn of techniques.keys()) {
        const technique = techniques[(round + turn) % techniques.length]!;
        const isPlain = technique === BASELINE;
        // The plain loop has one worker, whatever is asked for: once a round is enough.
        if (isPlain && number !== workers[0]) continue;
        const sizes = plan.sizes.filter((size) => !isPlain || size <= plan.baselineMost);
        if (sizes.length > 0) jobs.push({ technique, sizes, workers: number, round });
      }
  if (timeline)
    for (const technique of techniques)
      jobs.push({ technique, sizes: [timeline], workers: workers.at(-1), round: undefined });
  return jobs;
}

/** Says where less is asked of the plain loop than of the others. */
export function remarksOn({ techniques, sizes, baselineMost }: Plan): string[] {
  if (!techniques.includes(BASELINE) || sizes.every((size) => size <= baselineMost)) return [];
  return [`The plain loop is run up to ${formatCount(baselineMost)} requests only.`];
}
