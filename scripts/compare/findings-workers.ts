// What a comparison over numbers of workers says: where more of them stop paying, and why.

import { formatMs, percent, plural } from "../../lib/terminal/format.ts";
import { BASELINE, middle, type TimedCell } from "./comparison.ts";
import { capital, namesIn, times } from "./phrases.ts";
import { ratio } from "./statistics.ts";

/** A number of workers that comes this near to the best is as good: the knee is the smallest. */
const NEAR = 1.1;

/** The sentences, for cells in the order of their numbers of workers. */
export function overWorkers(cells: TimedCell[], cores: number): string[] {
  const plain = cells.find((cell) => cell.technique === BASELINE);
  return namesIn(cells)
    .filter((name) => name !== BASELINE)
    .flatMap((name) => {
      const own = cells.filter((cell) => cell.technique === name);
      if (own.length < 2) return [];
      return [cores > 1 && own.every(isOneThread) ? oneThread(own) : sentence(own, plain, cores)];
    });
}

/** For computing: whether all of it was done on one core, however many workers there were. */
export function isOneThread(cell: TimedCell): boolean {
  const computes = cell.samples[0]!.work === "cpu";
  return computes && (middle(cell, "cpuMs") ?? 0) < 1.2 * cell.ms.median;
}

function oneThread(cells: TimedCell[]): string {
  const times = cells.map((cell) => cell.ms.median).sort((a, b) => a - b);
  const range = `${formatMs(times[0]!)} to ${formatMs(times.at(-1)!)}`;
  const [fewest, most] = [cells[0]!, cells.at(-1)!];
  return `${capital(fewest.technique)} computes in one thread, whatever the number of workers: ${range} with ${fewest.workers} to ${most.workers} of them.`;
}

/** The smallest number of workers that is as good as the best. */
function kneeOf(cells: TimedCell[]): TimedCell {
  const best = cells.reduce((a, b) => (b.ms.median < a.ms.median ? b : a));
  return cells.find(({ ms }) => {
    const { factor, differs } = ratio(ms, best.ms);
    return factor <= NEAR || !differs;
  })!;
}

function sentence(cells: TimedCell[], plain: TimedCell | undefined, cores: number): string {
  const [fewest, most] = [cells[0]!, cells.at(-1)!];
  const knee = kneeOf(cells);
  const name = capital(knee.technique);
  const against = plain ?? fewest;
  const gain = ratio(against.ms, knee.ms);
  const whom = plain ? "the plain loop" : `that with ${plural(fewest.workers, "worker")}`;
  const speed = gain.differs ? `${times(gain)} as fast as ${whom}` : `level with ${whom}`;
  const kneeText =
    against === knee ? formatMs(knee.ms.median) : `${formatMs(knee.ms.median)}, ${speed}`;
  if (knee === most) {
    const inProportion = most.slots / (plain ? 1 : fewest.slots);
    const efficiency = `${percent(gain.factor / inProportion)} efficiency`;
    return `${name} gained from every worker up to ${most.workers}, the most that were tried: ${formatMs(most.ms.median)}, ${speed} (${efficiency}).`;
  }
  const why = reason(cells, knee, cores);
  const worse = ratio(most.ms, knee.ms);
  const later =
    worse.differs && worse.factor > NEAR ? `; ${most.workers} took ${times(worse)} as long` : "";
  if (knee === fewest)
    return `${name} gained nothing from more than ${plural(knee.workers, "worker")} (${kneeText})${later}: ${why}.`;
  return `${name} gained up to ${plural(knee.workers, "worker")} (${kneeText}); more did not pay${later}: ${why}.`;
}

/** Why workers beyond the knee did not pay: the first limit that its figures show. */
function reason(cells: TimedCell[], knee: TimedCell, cores: number): string {
  const [fewest, most] = [cells[0]!, cells.at(-1)!];
  const { work } = knee.samples[0]!;
  /** Cores that the technique itself kept busy; the API is not counted. */
  const busy = (middle(most, "cpuMs") ?? 0) / most.ms.median;
  const startupMs = middle(most, "startupMs") ?? 0;
  const rise = (figure: "serviceMs" | "p50Ms"): [number, number] | undefined => {
    const [from, to] = [middle(fewest, figure), middle(most, figure)];
    return from !== undefined && to !== undefined ? [from, to] : undefined;
  };
  const share = startupMs / most.ms.median;
  const startUp = `${formatMs(startupMs)} of start-up are ${percent(share)} of the time with ${most.workers}, and do not shrink`;

  if (work === "cpu" && knee.slots >= cores)
    return `there are ${plural(cores, "core")} to compute on`;
  if (work === "none") return "there is no work to share, only workers to start";
  if (work === "post") {
    const service = rise("serviceMs");
    if (service && service[1] > 1.4 * service[0])
      return `the API takes longer the more it is asked, ${formatMs(service[1])} for a request instead of ${formatMs(service[0])}`;
    if (share >= 0.3) return startUp;
    if (busy > 0.75 * (most.technique === "async" ? 1 : cores - 0.5))
      return `the CPU is the limit: the loop keeps ${busy.toFixed(1)} of ${plural(cores, "core")} busy, and the API needs the rest`;
    const each = rise("p50Ms");
    if (each && each[1] / each[0] > 0.5 * (most.slots / fewest.slots))
      return `a request takes ${times(ratioOf(each))} as long as with ${fewest.workers}: the API serves no more at once`;
  }
  if (share >= 0.2) return startUp;
  if (most.requests < 4 * most.slots)
    return `${most.requests} requests are few for ${most.slots} in flight`;
  return `the gain is less than ${percent(NEAR - 1)}`;
}

function ratioOf([from, to]: [number, number]) {
  return { factor: to / from, deviation: undefined, differs: true };
}
