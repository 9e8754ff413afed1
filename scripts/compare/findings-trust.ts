// How far a comparison is to be trusted: what failed, what was refused, what is noise.

import { formatCount, formatMs, percent, plural } from "../../lib/terminal/format.ts";
import { sum } from "../../lib/timing.ts";
import type { Cell, Comparison } from "./comparison.ts";
import { middle, REFUSALS, timed } from "./comparison.ts";
import { capital, listed, namesIn } from "./phrases.ts";
import { LEVEL_ONCE } from "./statistics.ts";

/** A spread above this share of the median is worth a warning. */
const LARGE_SPREAD = 0.2;
/** From so many requests on an API has warmed up: its code is compiled, its connections are open. */
const WARM = 100;

/** What the API refused, from where on; and what failed otherwise. */
export function failures(cells: Cell[], over: Comparison["over"]): string[] {
  return [...refusals(cells, over), ...others(cells, over)];
}

function refusals(cells: Cell[], over: Comparison["over"]): string[] {
  return namesIn(cells).flatMap((technique) => {
    const own = cells.filter((cell) => cell.technique === technique);
    const first = own.find((cell) => sum(refusalsOf(cell)) > 0);
    if (!first) return [];
    const counts = refusalsOf(first)
      .map((count, number) => [REFUSALS[number]!, count] as const)
      .filter(([, count]) => count > 0)
      .map(([status, count]) => `${status}: ${formatCount(count)}`);
    const all = sum(first.samples.map((one) => one.requests));
    const begun = own.indexOf(first) > 0 ? "began to refuse" : "refused";
    return [
      `The API ${begun} ${place(first, over)} with ${technique}: ${counts.join(", ")} of ${plural(all, "request")}.`,
    ];
  });
}

function refusalsOf({ samples }: Cell): number[] {
  return REFUSALS.map((status) => sum(samples.map((one) => one.statuses[status] ?? 0)));
}

function others(cells: Cell[], over: Comparison["over"]): string[] {
  return cells.flatMap((cell) => {
    const counts = new Map<string, number>();
    for (const { statuses, errors, interrupted } of cell.samples) {
      if (interrupted) continue;
      for (const [key, count] of [...Object.entries(statuses), ...Object.entries(errors)]) {
        if (/^2\d\d$/.test(key) || REFUSALS.includes(key)) continue;
        counts.set(key, (counts.get(key) ?? 0) + count);
      }
    }
    const failed = sum([...counts.values()]);
    if (failed === 0) return [];
    const reasons = [...counts].map(([key, count]) => `${key}: ${formatCount(count)}`);
    return [
      `${capital(cell.technique)} ${place(cell, over)}: ${formatCount(failed)} failed (${reasons.join(", ")}).`,
    ];
  });
}

/** Where the figures say less than they seem to. */
export function caveats({ flags }: Comparison, cells: Cell[]): string[] {
  const good = timed(cells);
  if (good.length === 0) return [];
  const sentences: string[] = [];

  const asked = typeof flags.latency === "number" ? flags.latency : Number.POSITIVE_INFINITY;
  const slow = good.filter(
    (cell) => cell.requests >= WARM && (middle(cell, "serviceMs") ?? 0) > 1.5 * asked + 1,
  );
  const worst = slow.sort((a, b) => middle(b, "serviceMs")! - middle(a, "serviceMs")!)[0];
  if (worst) {
    const peak = middle(worst, "apiInFlightPeak") ?? worst.slots;
    sentences.push(
      `The API was the bottleneck for ${listed([...new Set(slow.map((cell) => cell.technique))])}: with ${plural(worst.workers, "worker")} it had up to ${formatCount(peak)} requests at once, and took ${formatMs(middle(worst, "serviceMs")!)} for one where ${formatMs(asked)} were asked for.`,
    );
  }

  const relative = (cell: (typeof good)[number]) => (cell.ms.deviation ?? 0) / cell.ms.median;
  const wide = good.filter((cell) => relative(cell) > LARGE_SPREAD);
  if (wide.length > 0) {
    const widest = wide.reduce((a, b) => (relative(b) > relative(a) ? b : a));
    const { technique, requests, ms } = widest;
    sentences.push(
      `The spread is large for ${wide.length} of ${plural(good.length, "figure")}, most so for ${technique} at ${plural(requests, "request")} with ${plural(widest.workers, "worker")} (${formatMs(ms.least)} to ${formatMs(ms.most)}, ± ${percent(relative(widest))}): something else was using the machine, or the run is too short. Repeat with more --runs.`,
    );
  }
  if (good.every((cell) => cell.ms.count === 1)) {
    sentences.push(
      `Everything was run once: less than ${percent(LEVEL_ONCE)} apart is called level. --runs 5 shows which differences are real.`,
    );
  }
  return sentences;
}

function place(cell: Cell, over: Comparison["over"]): string {
  return over === "workers"
    ? `at ${plural(cell.workers, "worker")}`
    : `at ${plural(cell.requests, "request")}`;
}
