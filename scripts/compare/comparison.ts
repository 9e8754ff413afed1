// A comparison as data: what was run where, every single run, and what the repeats add up to.

import type { RunRecord, Work, WorkerKind } from "../../lib/command/record.ts";
import type { thisMachine } from "../../lib/runtime.ts";
import { median, type Ratio, ratio, type Spread, spread } from "./statistics.ts";

/** The plain loop's name, which the others are held against. */
export const BASELINE = "sequential";
/** Statuses by which an API says that it is too much, or that it is out of order for now. */
export const REFUSALS: readonly string[] = ["429", "503"];
/** Marks a file that holds a comparison; the number rises when old files can no longer be read. */
export const FORMAT = "parallel-for comparison 2";

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

/** Whether what was read from a file has all that is worked with, and makes sense. */
export function isComparison(value: unknown): value is Comparison {
  const { over, xs, techniques, samples, timelines, remarks, machine, flags, startedAt } =
    value as Comparison;
  const texts = [techniques, remarks, [startedAt, machine?.runtime, machine?.cpu]];
  return (
    texts.every((list) => Array.isArray(list) && list.every((text) => typeof text === "string")) &&
    [xs, samples, timelines].every(Array.isArray) &&
    [machine.cores, ...xs].every(isCount) &&
    samples.every((run) => isRecord(run) && techniques.includes(run.technique)) &&
    timelines.every(isRecord) &&
    ["requests", "workers"].includes(over) &&
    typeof flags === "object"
  );
}

/** Whether a value is a record: whole numbers are whole, times are times, all items settled. */
export function isRecord(value: unknown): value is RunRecord {
  const run = value as RunRecord | null;
  if (typeof run?.technique !== "string") return false;
  const { requests, workers, concurrency, ms, ok, failed, timeline } = run;
  const counts = [ok, failed, ...Object.values({ ...run.statuses, ...run.errors })];
  const arrays = timeline ? [timeline.worker, timeline.item, timeline.startMs, timeline.endMs] : [];
  const numbers = [ms, run.cpuMs, run.peakRssBytes, ...FIGURES.flatMap((name) => run[name] ?? [])];
  return (
    [requests, workers, concurrency].every(isCount) &&
    counts.every((count) => count === 0 || isCount(count)) &&
    ms > 0 &&
    ok + failed === requests &&
    [...numbers, ...arrays.flat()].every(Number.isFinite) &&
    arrays.every((array) => array?.length === timeline!.item.length)
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** Iterations of a run that have ended, by themselves and not by an interrupt. */
export function settledOf({ ok, failed, interrupted, errors }: RunRecord): number {
  return ok + failed - (interrupted ? (errors.AbortError ?? 0) : 0);
}

const FIGURES = [
  ...["startupMs", "idealMs", "serviceMs", "apiInFlightPeak", "p50Ms", "cpuMs", "peakRssBytes"],
  ...["dictAwaitedUs", "dictPipelinedUs"],
] as const;

/** All runs of one technique in one row. */
export interface Cell {
  technique: string;
  requests: number;
  workers: number;
  workerKind: WorkerKind;
  /** Iterations in flight in all. */
  slots: number;
  samples: Sample[];
  /** Of the runs in which all items were ok, so that times compare; undefined for none. */
  ms: Spread | undefined;
  /** The medians of what else these runs have measured. */
  median: Partial<Record<(typeof FIGURES)[number], number>>;
  /** Status or error -> iterations that failed so, of all runs. */
  failures: Map<string, number>;
  /** What its time is held against: the plain loop, or over workers else its fewest workers. */
  base?: TimedCell | undefined;
  /** How many times as fast as its base it was. */
  gain?: Ratio | undefined;
}

/** A cell that has a time. */
export type TimedCell = Cell & { ms: Spread };

/** All that one technique did. */
export interface Line {
  technique: string;
  /** One for each row, or undefined. Over workers, the plain loop's is the same in all rows. */
  cells: (Cell | undefined)[];
  /** Those that have a time, each once. */
  timed: TimedCell[];
}

/** What was run with the number of workers that was asked for, or with Python's. */
export interface Panel {
  asPython: boolean;
  work: Work | undefined;
  lines: Line[];
  /** For each row the limit, in ms; undefined where it is not known, or not the same for all. */
  ideals: (number | undefined)[];
  /** For each row the cells that have a time. */
  rows: TimedCell[][];
  /** The last row that has any. */
  last: TimedCell[];
}

/** What is worked out of a comparison once, for all that shows it; a table for each panel. */
export interface Summary {
  panels: Panel[];
  tables: string[][][];
  sentences: string[];
}

/** The panels of a comparison; the second, with Python's numbers of workers, where there is one. */
export function panelsOf(comparison: Comparison): Panel[] {
  const [equal, asPython] = [panelOf(comparison, false), panelOf(comparison, true)];
  asPython.lines = asPython.lines.filter(({ cells }) => cells.some(Boolean));
  return asPython.lines.length > 0 ? [equal, asPython] : [equal];
}

function panelOf(comparison: Comparison, asPython: boolean): Panel {
  const { over, xs, techniques, samples, machine } = comparison;
  const lines = techniques.map((technique): Line => {
    const own = samples.filter((run) => run.technique === technique && run.asPython === asPython);
    const isInAllRows = over === "workers" && technique === BASELINE;
    const shared = cellOf(own);
    const cells = xs.map((x) =>
      isInAllRows ? shared : cellOf(own.filter((run) => run[over] === x)),
    );
    return { technique, cells, timed: [...new Set(cells)].filter(isTimed) };
  });
  const columns = xs.map((_, row) => lines.flatMap(({ cells }) => cells[row] ?? []));
  const rows = columns.map((cells) => cells.filter(isTimed));
  for (const row of rows) {
    const plain = row.find(({ technique }) => technique === BASELINE);
    for (const cell of row) {
      if (cell === plain) continue;
      const fewest = lines.find(({ technique }) => technique === cell.technique)!.timed[0];
      cell.base = plain ?? (over === "workers" ? fewest : undefined);
      cell.gain = cell.base && ratio(cell.base.ms, cell.ms);
    }
  }
  return {
    asPython,
    work: samples[0]?.work,
    lines,
    ideals: columns.map((cells) => idealOf(cells, machine.cores)),
    rows,
    last: rows.findLast((row) => row.length > 0) ?? [],
  };
}

function cellOf(samples: Sample[]): Cell | undefined {
  if (samples.length === 0) return undefined;
  const { technique, requests, workers, workerKind, concurrency } = samples[0]!;
  const slots = Math.min(workers * concurrency, requests);
  const done = samples.filter((run) => !run.interrupted && run.failed === 0);
  const ms = spread(done.map((run) => run.ms));
  const medians = FIGURES.map((name) => [name, median(done.flatMap((run) => run[name] ?? []))]);
  const failures = new Map<string, number>();
  for (const { statuses, errors, interrupted } of samples)
    for (const [key, count] of [...Object.entries(statuses), ...Object.entries(errors)])
      if (!/^2\d\d$/.test(key) && !(interrupted && key === "AbortError"))
        failures.set(key, (failures.get(key) ?? 0) + count);
  const sums = { ms, median: Object.fromEntries(medians), failures };
  return { technique, requests, workers, workerKind, slots, samples, ...sums };
}

/** Whether there is a cell, and it has a time. */
export function isTimed(cell: Cell | undefined): cell is TimedCell {
  return cell?.ms !== undefined;
}

/**
 * The limit of a row. For POSTs it is the least of what the runs' own service times allow; for
 * computing, an estimate: the plain loop's time divided among the cores.
 */
function idealOf(cells: Cell[], cores: number): number | undefined {
  const plain = cells.find(({ technique }) => technique === BASELINE);
  const others = cells.filter((cell) => cell !== plain);
  if (new Set(others.map(({ slots }) => slots)).size > 1) return undefined;
  if (plain?.ms && plain.samples[0]!.work === "cpu")
    return plain.ms.median / Math.min(others[0]?.slots ?? 1, cores);
  const ideals = others.flatMap((cell) => cell.median.idealMs ?? []);
  return ideals.length > 0 ? Math.min(...ideals) : undefined;
}
