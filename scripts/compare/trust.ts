// How far a comparison is to be trusted, in sentences: failures, refusals, noise.

import { formatCount, formatMs, percent, plural } from "../../lib/terminal/format.ts";
import { sum } from "../../lib/timing.ts";
import {
  type Cell,
  type Comparison,
  isTimed,
  type Panel,
  REFUSALS,
  type TimedCell,
} from "./comparison.ts";
import { LEVEL_ONCE } from "./statistics.ts";
import { capital, listed, requests } from "./text.ts";

/** A spread above this share of the median is worth a warning. */
const LARGE_SPREAD = 0.2;
/** From so many requests on an API is warm: its code is compiled, its connections are open. */
const WARM = 100;

/** The sentences; undefined where there is nothing to say. They say "request" for any iteration. */
export function trust({ over, flags, techniques }: Comparison, panels: Panel[]) {
  const all = panels.flatMap(({ lines }) => lines.flatMap(({ cells }) => cells));
  const cells = [...new Set(all)].filter((cell) => cell !== undefined);
  const timed = cells.filter(isTimed);
  const place = (cell: Cell) =>
    over === "workers" ? `at ${plural(cell.workers, "worker")}` : `at ${requests(cell.requests)}`;
  return [
    ...techniques.map((name) =>
      refusals(
        cells.filter((cell) => cell.technique === name),
        place,
      ),
    ),
    ...cells.map((cell) => failures(cell, place)),
    bottleneck(timed, flags.latency),
    noise(timed),
  ];
}

/** From where on the API refused what a technique asked of it. */
function refusals(cells: Cell[], place: (cell: Cell) => string): string | undefined {
  const isRefusal = ([key]: [string, number]) => REFUSALS.includes(key);
  const first = cells.find(({ failures }) => [...failures].some(isRefusal));
  if (!first) return undefined;
  const counts = shown([...first.failures].filter(isRefusal).sort());
  const begun = first === cells[0] ? "refused" : "began to refuse";
  const asked = requests(sum(first.samples.map((run) => run.requests)));
  return `The API ${begun} ${place(first)} with ${first.technique}: ${counts} of ${asked}.`;
}

/** What failed otherwise. */
function failures(cell: Cell, place: (cell: Cell) => string): string | undefined {
  const counts = [...cell.failures].filter(([key]) => !REFUSALS.includes(key));
  const failed = formatCount(sum(counts.map(([, count]) => count)));
  if (counts.length === 0) return undefined;
  return `${capital(cell.technique)} ${place(cell)}: ${failed} failed (${shown(counts)}).`;
}

function shown(counts: [key: string, count: number][]): string {
  return counts.map(([key, count]) => `${key}: ${formatCount(count)}`).join(", ");
}

/** Where the practice API itself took much longer for a request than it was to. */
function bottleneck(cells: TimedCell[], latency: unknown): string | undefined {
  const askedMs = typeof latency === "number" ? latency : Number.POSITIVE_INFINITY;
  const serviceMs = ({ median }: Cell) => median.serviceMs ?? 0;
  const slow = cells
    .filter((cell) => cell.requests >= WARM && serviceMs(cell) > 1.5 * askedMs + 1)
    .sort((a, b) => serviceMs(b) - serviceMs(a));
  const [worst] = slow;
  if (!worst) return undefined;
  const names = listed([...new Set(slow.map(({ technique }) => technique))]);
  const peak = formatCount(worst.median.apiInFlightPeak ?? worst.slots);
  const had = `with ${plural(worst.workers, "worker")} it had up to ${peak} requests at once`;
  const took = `${formatMs(serviceMs(worst))} for one where ${formatMs(askedMs)} were asked for`;
  return `The API was the bottleneck for ${names}: ${had}, and took ${took}.`;
}

/** Where the figures say less than they seem to. */
function noise(cells: TimedCell[]): string | undefined {
  const relative = ({ ms }: TimedCell) => (ms.deviation ?? 0) / ms.median;
  const wide = cells.filter((cell) => relative(cell) > LARGE_SPREAD);
  const [widest] = wide.toSorted((a, b) => relative(b) - relative(a));
  if (widest) {
    const { technique, ms, workers } = widest;
    const figures = `${wide.length} of ${plural(cells.length, "figure")}`;
    const where = `${technique} at ${requests(widest.requests)} with ${plural(workers, "worker")}`;
    const range = `${formatMs(ms.least)} to ${formatMs(ms.most)}, ± ${percent(relative(widest))}`;
    const why = "something else was using the machine, or the run is too short";
    const spread = `The spread is large for ${figures}, most so for ${where} (${range})`;
    return `${spread}: ${why}. Repeat with more --runs.`;
  }
  if (cells.length === 0 || cells.some(({ ms }) => ms.count > 1)) return undefined;
  const level = `less than ${percent(LEVEL_ONCE)} apart is called level`;
  return `Everything was run once: ${level}. --runs 5 shows which differences are real.`;
}
