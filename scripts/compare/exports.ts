// Comparisons as files: written as JSON, CSV and Markdown, and read again from JSON.

import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../../lib/command/flags.ts";
import { PERCENTILES } from "../../lib/command/record.ts";
import { escapeControl } from "../../lib/terminal/terminal.ts";
import { type Comparison, FORMAT, isComparison, type Sample } from "./comparison.ts";
import { linesOf, type Summary } from "./describe.ts";

/** A run's figures in CSV; a dictionary's and a timeline's are in the JSON only. */
const CSV_HEAD =
  "technique,asPython,round,requests,workers,concurrency,work,ms,startupMs,ok,failed,interrupted," +
  `idealMs,${Object.keys(PERCENTILES)},cpuMs,peakRssBytes,serviceMs,apiInFlightPeak,retried`;

/**
 * Makes sure, before anything is run, that each export can be written, and that no file is meant
 * twice. An unfinished file is really made: only that shows what folder, disk and name allow.
 *
 * @param exports Flag -> its file.
 * @param from The file that is read.
 * @throws {UsageError} One of them cannot be written, or is another of them.
 */
export function checkExports(exports: Record<string, string | undefined>, from?: string): void {
  const flags = new Map(from && fs.existsSync(from) ? [[identityOf(from), "from"]] : []);
  for (const [flag, file] of Object.entries(exports)) {
    if (file === undefined) continue;
    try {
      const there = fs.statSync(file, { throwIfNoEntry: false });
      if (there?.isDirectory()) throw new Error("it is a folder");
      if (there) fs.accessSync(file, fs.constants.W_OK);
      const target = targetOf(file);
      if (target !== file) fs.writeFileSync(target, "");
      if (target !== file) fs.rmSync(target);
    } catch (error) {
      throw new UsageError(`--${flag}: cannot write "${file}" (${codeOf(error)})`);
    }
    const other = flags.get(identityOf(file));
    if (other) throw new UsageError(`--${flag}: expected another file than --${other}: "${file}"`);
    flags.set(identityOf(file), flag);
  }
}

/**
 * Writes a file as a whole or not at all: whoever reads it meanwhile sees the old one. Its mode
 * stays.
 *
 * @throws {Error} It cannot be written, for example because the disk is full; what was there stays.
 */
export function writeWhole(file: string, text: string): void {
  const target = targetOf(file);
  try {
    fs.writeFileSync(target, text);
    if (target === file) return;
    if (fs.existsSync(file)) fs.chmodSync(target, fs.statSync(file).mode);
    fs.renameSync(target, file);
  } catch (error) {
    if (target !== file) fs.rmSync(target, { force: true });
    throw new Error(`cannot write "${file}" (${codeOf(error)})`, { cause: error });
  }
}

/** Where it is written first, to be renamed: a device or a link stays one, and is written to. */
function targetOf(file: string): string {
  const isReplaced = fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
  return isReplaced ? join(dirname(file), `.${process.pid}.tmp`) : file;
}

/** What tells a file from others, whatever path leads to it. */
function identityOf(file: string): string {
  const there = fs.statSync(file, { throwIfNoEntry: false });
  return there ? `${there.dev} ${there.ino}` : join(fs.realpathSync(dirname(file)), basename(file));
}

/** Everything, to be read again by {@link readComparison}. */
export function toJson(comparison: Comparison): string {
  return `${JSON.stringify(comparison, undefined, 2)}\n`;
}

/** One line a run, comma-separated, with a head (RFC 4180); no text in it needs quotes. */
export function toCsv({ samples }: Comparison): string {
  const names = CSV_HEAD.split(",") as (keyof Sample)[];
  const lines = samples.map((run) => names.map((name) => run[name]).join());
  return `${[CSV_HEAD, ...lines].join("\r\n")}\r\n`;
}

/** The tables and what they mean. */
export function toMarkdown({ machine, startedAt }: Comparison, summary: Summary): string {
  const filled = summary.panels.filter(({ rows }) => rows.flat().length > 0);
  const tables = filled.map(({ table }) => {
    const ruled = table.map(([head = "", ...cells]) => [head, "---:", ...cells]);
    return `| ${linesOf(ruled, " | ").join(" |\n| ")} |`;
  });
  const list = summary.sentences.map((sentence) => `- ${sentence}`).join("\n");
  const { runtime, cores, cpu } = machine;
  const where = `${runtime}, ${cores} cores of ${cpu}, ${startedAt.slice(0, 10)}.`;
  return `${[...tables, list, escapeControl(where)].join("\n\n")}\n`;
}

/**
 * Reads a comparison from a file of {@link toJson}.
 *
 * @throws {UsageError} There is no such file, or it holds no comparison, or one that is damaged.
 */
export function readComparison(file: string): Comparison {
  const refuse = (why: string) => new UsageError(`--from: cannot read "${file}": ${why}`);
  let comparison: unknown;
  try {
    comparison = JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (error) {
    throw refuse(error instanceof SyntaxError ? "it is not JSON, or not all of it" : codeOf(error));
  }
  if ((comparison as Comparison | null)?.format !== FORMAT) throw refuse(`expected a "${FORMAT}"`);
  if (!isComparison(comparison)) throw refuse("it is damaged");
  return comparison;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
