// A comparison as data: what was run where, every single run, and what the repeats of each add up to.

import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import type { RunRecord } from "../../lib/command/record.ts";
import { median, type Spread, spread } from "./statistics.ts";

/** Statuses by which an API says that it is too much, or that it is out of order for now. */
export const REFUSALS: readonly string[] = ["429", "503"];
/** The plain loop's name, which the others are held against. */
export const BASELINE = "sequential";
/** Marks a file that holds a comparison; the number rises when old files can no longer be read. */
export const FORMAT = "parallel-for comparison 2";

/** One run, as its script reported it. */
export interface Sample extends RunRecord {
  /** Which repeat it was part of, from 0. */
  round: number;
  /** Whether it had as many workers as Python's executors choose, rather than the number asked for. */
  asPython: boolean;
}

/** What the machine was. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryBytes: number;
  system: string;
  /** For example "Node 20.20.2". */
  runtime: string;
}

/** Everything that a table, a chart and sentences are made from. Times in milliseconds. */
export interface Comparison {
  format: typeof FORMAT;
  /** ISO 8601. */
  startedAt: string;
  machine: Machine;
  /** Package -> version. */
  versions: Record<string, string>;
  /** The flags that it was run by, but no secrets. */
  flags: Record<string, unknown>;
  /** What varies, and the values that it takes, rising. */
  over: "requests" | "workers";
  xs: number[];
  techniques: string[];
  samples: Sample[];
  /** Runs whose iterations are drawn one by one. */
  timelines: RunRecord[];
  /** Sentences about how it was run. */
  remarks: string[];
}

/** All runs of one technique at one point of the comparison. */
export interface Cell {
  technique: string;
  asPython: boolean;
  /** The number of requests or of workers that this cell stands for. */
  x: number;
  requests: number;
  workers: number;
  /** Iterations in flight in all. */
  slots: number;
  samples: Sample[];
  /** Those of which all was done, whose times can be compared. */
  done: Sample[];
  /** Of those; undefined where there is none. */
  ms: Spread | undefined;
}

/** A cell that has a time. */
export type TimedCell = Cell & { ms: Spread };

/** The cells of a comparison, by technique, then by rising x; the plain loop's is the same at any number of workers. */
export function cellsOf({ over, xs, techniques, samples }: Comparison): Cell[] {
  return [false, true].flatMap((asPython) =>
    techniques.flatMap((technique) =>
      xs.flatMap((x) => {
        const cell = samples.filter(
          (one) =>
            one.technique === technique &&
            one.asPython === asPython &&
            (one[over] === x || (over === "workers" && technique === BASELINE)),
        );
        return cell.length > 0 ? [cellOf(cell, x)] : [];
      }),
    ),
  );
}

function cellOf(samples: Sample[], x: number): Cell {
  const { technique, asPython, requests, workers, concurrency } = samples[0]!;
  const slots = Math.min(workers * concurrency, requests);
  const done = samples.filter((one) => !one.interrupted && one.failed === 0);
  const ms = spread(done.map((one) => one.ms));
  return { technique, asPython, x, requests, workers, slots, samples, done, ms };
}

/** The median of one of the figures of a cell's runs; undefined where none has it. */
export function middle(cell: Cell, name: FigureName): number | undefined {
  return median(cell.done.flatMap((one) => one[name] ?? []));
}

type FigureName =
  | "startupMs"
  | "idealMs"
  | "serviceMs"
  | "apiInFlightPeak"
  | "p50Ms"
  | "cpuMs"
  | "peakRssBytes"
  | "dictAwaitedUs"
  | "dictPipelinedUs";

/** The cells that have a time. */
export function timed(cells: Cell[]): TimedCell[] {
  return cells.filter((cell): cell is TimedCell => cell.ms !== undefined);
}

/**
 * The limit at one point, in milliseconds; undefined where it is not known, or not the same for all.
 * For POSTs it is the least of what the runs' own service times allow; for computing, an estimate:
 * the plain loop's time divided among the cores.
 */
export function idealAt(cells: Cell[], x: number, cores: number): number | undefined {
  const here = cells.filter((cell) => cell.x === x);
  const baseline = here.find((cell) => cell.technique === BASELINE);
  const parallel = here.filter((cell) => cell.technique !== BASELINE);
  if (new Set(parallel.map((cell) => cell.slots)).size > 1) return undefined;
  if (baseline?.ms && baseline.done[0]?.work === "cpu") {
    const most = Math.max(1, ...parallel.map((cell) => cell.slots));
    return baseline.ms.median / Math.min(most, cores);
  }
  const ideals = parallel.flatMap((cell) => middle(cell, "idealMs") ?? []);
  return ideals.length > 0 ? Math.min(...ideals) : undefined;
}

/** This machine. */
export function thisMachine(): Machine {
  const { deno, bun, node } = process.versions;
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()} ${process.arch}`,
    runtime: deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}`,
  };
}
