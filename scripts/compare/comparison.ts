// A comparison as data: what was run where, every single run, and what the repeats add up to.

import type { RunRecord } from "../../lib/command/record.ts";
import { INTERRUPTED, sum } from "../../lib/timing.ts";
import type { thisMachine } from "./machine.ts";
import { median, type Ratio, ratio, type Spread, spread } from "./statistics.ts";

/** The plain loop's name, which the others are held against. */
export const BASELINE = "sequential";
/** Marks a file that holds a comparison; the number rises when old files can no longer be read. */
export const FORMAT = "parallel-for comparison 3";

/** One run, as its script reported it. */
export interface Sample extends RunRecord {
  /** Which repeat it was part of, from 0. */
  round: number;
  /** Whether it had as many workers as Python's executors choose, not the number asked for. */
  asPython: boolean;
}

/** Everything that tables, charts and sentences are made from. Times in milliseconds. */
export interface Comparison {
  format: typeof FORMAT;
  /** ISO 8601. */
  startedAt: string;
  machine: ReturnType<typeof thisMachine>;
  /** Package -> version. */
  versions: Record<string, string>;
  /** The flags that it was run by, but no secrets. */
  flags: Record<string, unknown>;
  /** What varies, and the values that it takes, rising: the rows of the tables. */
  over: "requests" | "workers";
  xs: number[];
  techniques: string[];
  samples: Sample[];
  /** Runs whose iterations are drawn one by one. */
  timelines: RunRecord[];
  /** Sentences about how it was run. */
  remarks: string[];
}

const FIGURES = ["startupMs", "idealMs", "serviceMs", "cpuMs", "peakRssBytes"] as const;

/** All runs of one technique in one row, and what is the same for all of them. */
export interface Cell extends Omit<Sample, "ms" | (typeof FIGURES)[number]> {
  samples: Sample[];
  /** Of the runs in which all items were ok, so that times compare; undefined for none. */
  ms: Spread | undefined;
  /** The medians of what else these runs have measured. */
  median: Partial<Record<(typeof FIGURES)[number], number>>;
  /** How many times as fast it was as the plain loop, or over workers else its fewest workers. */
  gain?: Ratio | undefined;
}

/** A cell that has a time. */
export type TimedCell = Cell & { ms: Spread };

/** What was run with the number of workers that was asked for, or with Python's. */
export type Panel = ReturnType<typeof panelOf>;
/** All that one technique did. */
export type Line = Panel["lines"][number];

/** The panels of a comparison; the second, with Python's numbers of workers, where there is one. */
export function panelsOf(comparison: Comparison): Panel[] {
  const panels = [false, true].map((asPython) => panelOf(comparison, asPython));
  return panels.filter(({ asPython, lines }) => !asPython || lines.length > 0);
}

function panelOf({ over, xs, techniques, samples, machine }: Comparison, asPython: boolean) {
  const lines = techniques.flatMap((technique) => {
    const own = samples.filter((run) => run.technique === technique && run.asPython === asPython);
    // Over workers, the plain loop's is the same in all rows.
    const shared = over === "workers" && technique === BASELINE ? cellOf(own) : undefined;
    const cells = xs.map((x) => shared ?? cellOf(own.filter((run) => run[over] === x)));
    // Those that have a time, each once.
    const timed = [...new Set(cells)].filter(isTimed);
    return asPython && !cells.some(Boolean) ? [] : { technique, cells, timed };
  });
  // For each row the cells that have a time.
  const rows = xs.map((_, row) => lines.map(({ cells }) => cells[row]).filter(isTimed));
  for (const { cells, timed } of lines)
    for (const [row, cell] of cells.entries()) {
      const plain = rows[row]!.find((other) => other.technique === BASELINE);
      const base = plain ?? (over === "workers" ? timed[0] : undefined);
      if (base && cell !== plain && isTimed(cell)) cell.gain = ratio(base.ms, cell.ms);
    }
  const ideals = rows.map((row) => idealOf(row, machine.cores));
  return { over, xs, machine, asPython, work: samples[0]?.work, lines, ideals, rows };
}

function cellOf(samples: Sample[]): Cell | undefined {
  const done = samples.filter((run) => !run.interrupted && run.failed === 0);
  const ms = spread(done.map((run) => run.ms));
  const medians = FIGURES.map((name) => [name, median(done.flatMap((run) => run[name] ?? []))]);
  return samples[0] && { ...samples[0], samples, ms, median: Object.fromEntries(medians) };
}

/** The fastest of the cells. */
export function bestOf(cells: TimedCell[]): TimedCell | undefined {
  return cells.toSorted((a, b) => a.ms.median - b.ms.median)[0];
}

/**
 * What a row would take if its iterations ran in full rounds, so many at once, without any cost. For
 * POSTs it is the least of the runs' own ideals, which come from what the practice API measured; for
 * computing an estimate, from the plain loop's time and the number of cores.
 *
 * @returns undefined where that is not known, or not the same for all.
 */
function idealOf(row: TimedCell[], cores: number) {
  const plain = row.find(({ technique }) => technique === BASELINE);
  const others = row.filter((cell) => cell !== plain);
  const slots = new Set(others.map(({ workers, concurrency }) => workers * concurrency));
  if (slots.size !== 1) return undefined;
  const { requests, workers, work } = others[0]!;
  const isComputing = work === "cpu";
  const atOnce = Math.min(requests, isComputing ? Math.min(workers, cores) : [...slots][0]!);
  const rounds = Math.ceil(requests / atOnce);
  const estimate = plain && (plain.ms.median / requests) * rounds;
  const ideals = isComputing ? [estimate] : others.map((cell) => cell.median.idealMs);
  const known = ideals.flatMap((ideal) => ideal ?? []).sort((a, b) => a - b);
  const ms = spread(known.slice(0, 1));
  return ms && { atOnce, rounds, ms, gain: plain && ratio(plain.ms, ms) };
}

/** What failed of all that was run, such as "40 of 140 refused" and "429: 40"; else undefined. */
export function failureOf(samples: Sample[]): { text: string; kinds: string } | undefined {
  const counts = new Map<string, number>();
  for (const { statuses, errors, interrupted } of samples)
    for (const [key, count] of [...Object.entries(statuses), ...Object.entries(errors)])
      if (!/^2\d\d$/.test(key) && !(interrupted && key === INTERRUPTED))
        counts.set(key, (counts.get(key) ?? 0) + count);
  if (counts.size === 0) return undefined;
  const failed = sum([...counts.values()]);
  const text = `${failed} of ${failed + sum(samples.map(({ ok }) => ok))}`;
  // By these an API says that it is too much, or that it is out of order for now.
  const what = [...counts.keys()].every((key) => /^(429|503)$/.test(key)) ? "refused" : "failed";
  const kinds = [...counts].map(([key, count]) => `${key}: ${count}`).join(", ");
  return { text: `${text} ${what}`, kinds };
}

/** Whether what was read from a file has all that is shown, and makes sense. */
export function isComparison(value: unknown): value is Comparison {
  const { over, xs, techniques, samples, timelines, ...rest } = value as Comparison;
  const { remarks, machine, startedAt } = rest;
  return (
    ["requests", "workers"].includes(over) &&
    [xs, techniques, samples, timelines, remarks].every(Array.isArray) &&
    [startedAt, machine?.runtime, machine?.cpu, ...remarks].every(isText) &&
    techniques.every(isName) &&
    [machine.cores, ...xs].every(isCount) &&
    [...samples, ...timelines].every((run) => isRecord(run) && techniques.includes(run.technique))
  );
}

/** Whether a value is a record: its counts add up to the items, it took some time, and so on. */
export function isRecord(value: unknown): value is RunRecord {
  const run: Partial<RunRecord> = Object(value);
  const { statuses, errors, timeline, ok = 0, failed = 0, ms = 0, idealMs = 1 } = run;
  const counts = [ok, failed, ...Object.values({ ...statuses, ...errors })];
  const figures = FIGURES.flatMap((name) => (name in run ? run[name] : []));
  const lists = timeline ? [timeline.worker, timeline.item, timeline.startMs, timeline.endMs] : [];
  return (
    isText(run.technique) &&
    [statuses, errors].every((counted) => typeof counted === "object" && counted) &&
    [run.requests, run.workers, run.concurrency].every(isCount) &&
    counts.every((count) => count === 0 || isCount(count)) &&
    ok + failed === run.requests &&
    [ms, idealMs].every((time) => time > 0 && time < 1e12) &&
    [ms, ...figures, ...lists.flat()].every(Number.isFinite) &&
    lists.every((list) => list?.length === lists[0]?.length)
  );
}

const isTimed = (cell: Cell | undefined): cell is TimedCell => cell?.ms !== undefined;
const isText = (value: unknown) => typeof value === "string";
/** Whether a value can be a technique's name, which is that of its file. */
export const isName = (value: unknown) => isText(value) && /^[a-z][a-z0-9-]*$/.test(`${value}`);
const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 1;
