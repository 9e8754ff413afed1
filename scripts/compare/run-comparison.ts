// Runs the jobs of a comparison one after another, and gathers what they report.

import { formatCount, plural } from "../../lib/terminal/format.ts";
import { type CompareFlags, passedOn } from "./compare-flags.ts";
import { BASELINE, type Comparison, type Sample } from "./comparison.ts";
import type { Job } from "./plan.ts";
import { showProgress } from "./progress.ts";
import { runTechnique } from "./run-technique.ts";

/**
 * Runs everything, and puts samples, timelines and remarks into `comparison` as they come; with
 * `json`, prints each sample as well. When `signal` aborts, what there is by then stays.
 *
 * @returns Whether every script reported every run, and no iteration failed.
 */
export async function runComparison(
  comparison: Comparison,
  jobs: Job[],
  flags: CompareFlags & { baselineMost: number },
  signal: AbortSignal,
): Promise<boolean> {
  const { samples, timelines, remarks, techniques } = comparison;
  const drawn: Job[] = flags.timeline
    ? techniques.map((technique) => ({
        ...{ technique, sizes: [flags.timeline!], workers: Math.max(...flags.workers), round: 0 },
      }))
    : [];
  let complete = true;
  const progress = showProgress([...jobs, ...drawn], flags);
  const sizesOf = (some: Job[]) => new Set(some.flatMap((job) => job.sizes));
  const plain = sizesOf(jobs.filter((job) => job.technique === BASELINE));
  if (techniques.includes(BASELINE) && plain.size < sizesOf(jobs).size) {
    const most = formatCount(flags.baselineMost);
    remarks.push(
      plain.size > 0
        ? `The plain loop was run up to ${most} requests only: it is slow.`
        : `The plain loop was not run: it is slow, more than ${most} requests are not asked of it.`,
    );
  }

  for (const job of [...jobs, ...drawn]) {
    if (signal.aborted) break;
    const asDrawing = drawn.includes(job);
    const argv = passedOn(flags, job.sizes, job.workers);
    let done = 0;
    const end = await runTechnique(
      job.technique,
      asDrawing ? [...argv, "--timeline"] : argv,
      signal,
      (record) => {
        done++;
        progress.ended(record);
        if (asDrawing) {
          timelines.push(record);
          return;
        }
        const sample: Sample = {
          ...record,
          round: job.round,
          asPython: job.workers === undefined,
        };
        samples.push(sample);
        if (flags.json) console.log(JSON.stringify(sample));
      },
    );
    progress.jobEnded(job);
    if (done < job.sizes.length && !signal.aborted) {
      complete = false;
      const from = plural(job.sizes[done]!, "request");
      const remark = `${job.technique} failed from ${from} on: ${end}.`;
      if (flags.json) console.error(remark);
      if (!remarks.includes(remark)) remarks.push(remark);
    }
  }
  progress.clear();
  if (signal.aborted) remarks.push("Interrupted: this is what was done until then.");
  return complete && [...samples, ...timelines].every((run) => run.failed === 0);
}
