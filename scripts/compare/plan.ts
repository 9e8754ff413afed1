// What a comparison runs, and in which order.

import { BASELINE } from "./comparison.ts";
import type { CompareFlags } from "./flags.ts";

/** The plain loop stops here: 10,000 requests one after another would take most of a minute. */
const BASELINE_MOST = 500;

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
export function planJobs(flags: CompareFlags): Job[] {
  const { techniques, requests, workers, runs, timeline } = flags;
  const jobs: Job[] = [];
  for (let round = 0; round < runs; round++)
    for (const number of [...workers, ...(flags["python-defaults"] ? [undefined] : [])])
      for (const turn of techniques.keys()) {
        const technique = techniques[(round + turn) % techniques.length]!;
        // The plain loop has one worker, whatever is asked for: once a round is enough.
        if (technique === BASELINE && number !== workers[0]) continue;
        const sizes = technique === BASELINE ? sizesOfPlain(flags) : requests;
        if (sizes.length > 0) jobs.push({ technique, sizes, workers: number, round });
      }
  if (timeline)
    for (const technique of techniques)
      jobs.push({ technique, sizes: [timeline], workers: workers.at(-1), round: undefined });
  return jobs;
}

function sizesOfPlain({ requests, work }: CompareFlags): number[] {
  return requests.filter((size) => work === "none" || size <= BASELINE_MOST);
}

/** Says where less is asked of the plain loop than of the others. */
export function remarksOn(flags: CompareFlags): string[] {
  const isAll = sizesOfPlain(flags).length === flags.requests.length;
  if (isAll || !flags.techniques.includes(BASELINE)) return [];
  return [`The plain loop is run up to ${BASELINE_MOST} requests only.`];
}
