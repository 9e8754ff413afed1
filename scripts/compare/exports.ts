// Comparisons as files: written as JSON, CSV and Markdown, and read again from JSON.

import {
  accessSync,
  constants,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { UsageError } from "../../lib/command/flags.ts";
import { escapeControl } from "../../lib/terminal/terminal.ts";
import { type Comparison, cellsOf, FORMAT, type Sample, timed } from "./comparison.ts";
import { findings } from "./findings.ts";
import { timeTable } from "./tables.ts";

/** One line a run; a dictionary's and a timeline's figures are in the JSON only. */
const COLUMNS = [
  ...["technique", "asPython", "round", "requests", "workers", "concurrency", "work", "ms"],
  ...["startupMs", "ok", "failed", "interrupted", "idealMs", "p50Ms", "p95Ms", "p99Ms"],
  ...["cpuMs", "peakRssBytes", "serviceMs", "apiInFlightPeak"],
] as (keyof Sample)[];

/**
 * Makes sure that a file can be written, before anything is run.
 *
 * @throws {UsageError} Its folder is not there or not writable, or it is a folder itself.
 */
export function checkWritable(flag: string, file: string | undefined): void {
  if (file === undefined) return;
  const folder = dirname(resolve(file));
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new UsageError(`--${flag}: cannot write to folder "${folder}" (${codeOf(error)})`);
  }
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`--${flag}: expected the name of a file, found folder "${file}"`);
}

/**
 * Writes a file as a whole or not at all: whoever reads it meanwhile sees the old one.
 *
 * @throws {Error} It cannot be written, for example because the disk is full; what was there stays.
 */
export function writeWhole(file: string, text: string): void {
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    const there = lstatSync(file, { throwIfNoEntry: false });
    const isPlain = !there || there.isFile();
    writeFileSync(isPlain ? unfinished : file, text); // a device or a link stays one
    if (isPlain) renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw new Error(`cannot write "${file}" (${codeOf(error)})`, { cause: error });
  }
}

/** Everything, to be read again by {@link readComparison}. */
export function toJson(comparison: Comparison): string {
  return `${JSON.stringify(comparison, undefined, 2)}\n`;
}

/** One line a run, comma-separated, with a head (RFC 4180). */
export function toCsv({ samples }: Comparison): string {
  const cell = (value: unknown) => {
    const text = value === undefined ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = samples.map((sample) => COLUMNS.map((name) => cell(sample[name])).join());
  return `${[COLUMNS.join(), ...lines].join("\r\n")}\r\n`;
}

/** The tables and what they mean. */
export function toMarkdown(comparison: Comparison): string {
  const cells = cellsOf(comparison);
  const { machine, startedAt } = comparison;
  const tables = [false, true].flatMap((asPython) => {
    const own = cells.filter((cell) => cell.asPython === asPython);
    return timed(own).length > 0 ? [markdownTable(timeTable(comparison, own))] : [];
  });
  const sentences = [...findings(comparison), ...comparison.remarks].map((one) => `- ${one}`);
  const where = `${machine.runtime}, ${machine.cores} cores of ${machine.cpu}, ${startedAt.slice(0, 10)}.`;
  return `${[...tables, sentences.join("\n"), where].join("\n\n")}\n`;
}

function markdownTable([head, ...rows]: string[][]): string {
  const line = (cells: string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head!), line(head!.map(() => "---:")), ...rows.map(line)].join("\n");
}

/**
 * Reads a comparison from a file of {@link toJson}.
 *
 * @throws {UsageError} There is no such file, or it holds no comparison, or a damaged one.
 */
export function readComparison(file: string): Comparison {
  const refuse = (why: string) => new UsageError(`--from: cannot read "${file}": ${why}`);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw refuse(codeOf(error));
  }
  let comparison: Comparison;
  try {
    comparison = JSON.parse(text) as Comparison;
  } catch {
    throw refuse("it is not JSON, or not all of it");
  }
  if (comparison?.format !== FORMAT) throw refuse(`expected a "${FORMAT}"`);
  const damage = damageIn(comparison);
  if (damage) throw refuse(`it is damaged at ${damage}`);
  return comparison;
}

/** The first part that is not as it was written; undefined for a whole comparison. */
function damageIn(comparison: Comparison): string | undefined {
  const { over, xs, techniques, samples, timelines, remarks, machine, flags } = comparison;
  if (over !== "requests" && over !== "workers") return "over";
  if (!isArrayOf(xs, "number")) return "xs";
  if (!isArrayOf(techniques, "string")) return "techniques";
  if (!isArrayOf(remarks, "string")) return "remarks";
  if (typeof machine?.cores !== "number") return "machine";
  if (typeof flags !== "object" || flags === null) return "flags";
  if (!Array.isArray(timelines)) return "timelines";
  if (!Array.isArray(samples)) return "samples";
  const bad = samples.findIndex((sample) => !isSample(sample));
  return bad === -1 ? undefined : `sample ${bad}`;
}

function isSample(sample: Partial<Sample> | null): boolean {
  const numbers = [
    "requests",
    "workers",
    "concurrency",
    "ms",
    "ok",
    "failed",
    "cpuMs",
    "peakRssBytes",
  ];
  return (
    typeof sample === "object" &&
    sample !== null &&
    typeof sample.technique === "string" &&
    escapeControl(sample.technique) === sample.technique &&
    typeof sample.asPython === "boolean" &&
    numbers.every((name) => Number.isFinite(sample[name as keyof Sample])) &&
    [sample.statuses, sample.errors].every((counts) => typeof counts === "object" && counts)
  );
}

function isArrayOf(values: unknown, type: "number" | "string"): boolean {
  return Array.isArray(values) && values.every((value) => typeof value === type);
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
