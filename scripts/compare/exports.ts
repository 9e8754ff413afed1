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
import { type Comparison, FORMAT, type Sample, type Summary } from "./comparison.ts";

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
export function toMarkdown({ machine, startedAt }: Comparison, summary: Summary): string {
  const { panels, tables, sentences } = summary;
  const filled = tables.filter((_, number) => panels[number]!.last.length > 0);
  const list = sentences.map((sentence) => `- ${sentence}`).join("\n");
  const { runtime, cores, cpu } = machine;
  const where = `${runtime}, ${cores} cores of ${cpu}, ${startedAt.slice(0, 10)}.`;
  return `${[...filled.map(markdownTable), list, where].join("\n\n")}\n`;
}

function markdownTable([head, ...rows]: string[][]): string {
  const line = (cells: string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head!), line(head!.map(() => "---:")), ...rows.map(line)].join("\n");
}

/**
 * Reads a comparison from a file of {@link toJson}.
 *
 * @throws {UsageError} There is no such file, or it holds no comparison, or not all of it.
 */
export function readComparison(file: string): Comparison {
  const refuse = (why: string) => new UsageError(`--from: cannot read "${file}": ${why}`);
  let comparison: Comparison | null;
  try {
    // Text from elsewhere must not steer the terminal.
    comparison = JSON.parse(readFileSync(file, "utf8"), (_key, value) =>
      typeof value === "string" ? escapeControl(value) : value,
    );
  } catch (error) {
    throw refuse(error instanceof SyntaxError ? "it is not JSON, or not all of it" : codeOf(error));
  }
  if (comparison?.format !== FORMAT) throw refuse(`expected a "${FORMAT}"`);
  return comparison;
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
