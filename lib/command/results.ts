// The file of --results: one JSON line an item as it settles. By it, the same command goes on later.

import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { UsageError } from "./flags.ts";

/** What an iteration came to, as a line of the file. */
interface Line {
  index: number;
  item: unknown;
  status: "fulfilled" | "rejected";
  value?: unknown;
  /** In place of a value that is no JSON: why it is none. */
  noValue?: string;
  reason?: { name?: unknown; message: string; code?: unknown };
}

/** The file, open for more lines. */
export interface ResultsFile {
  /** How many items that it has, and that are not run again, failed. */
  failedBefore: number;
  /**
   * Whether it has an item.
   * @throws {UsageError} It has another one under this index: the file belongs to other items.
   */
  has(index: number, item: unknown): boolean;
  /** Appends a whole line. @throws {Error} It cannot be written, for example to a full disk. */
  write(index: number, item: unknown, outcome: PromiseSettledResult<unknown>): void;
  close(): void;
}

/**
 * Opens a results file, which need not be there yet. A half line at its end, as a crash may leave it,
 * is dropped, with a word on stderr.
 *
 * @param again Whether items that were rejected are to be run again. Their later line counts.
 * @throws {UsageError} It cannot be opened, or has lines of another kind.
 */
export function openResults(file: string, again: boolean): ResultsFile {
  const fail = (what: string) => new UsageError(`--results: ${what} "${file}"`);
  let fd: number;
  let text: string;
  try {
    fd = openSync(file, "a+");
    if (!fstatSync(fd).isFile()) throw Object.assign(new Error(), { code: "not a file" });
    text = readFileSync(fd, "utf8");
  } catch (error) {
    throw fail(`${(error as NodeJS.ErrnoException).code}: cannot read and write`);
  }
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const items = new Map<number, string>(); // index -> the item as JSON
  const failed = new Set<number>(); // the later line of an item counts
  for (const [number, json] of whole.split("\n").slice(0, -1).entries()) {
    const line = parsed(json);
    if (!line) throw fail(`expected results, found something else in line ${number + 1} of`);
    if (again && line.status === "rejected") items.delete(line.index);
    else items.set(line.index, JSON.stringify(line.item));
    if (items.has(line.index) && line.status === "rejected") failed.add(line.index);
    else failed.delete(line.index);
  }
  if (whole.length < text.length) {
    if (!isBeginning(text.slice(whole.length)))
      throw fail("expected results, found something else in");
    ftruncateSync(fd, Buffer.byteLength(whole));
    console.error(`${file}: its last line was incomplete, and is dropped`);
  }
  return {
    failedBefore: failed.size,
    has(index, item) {
      const before = items.get(index);
      if (before === undefined || before === JSON.stringify(item)) return before !== undefined;
      throw fail(
        `another item is number ${index}, counted from 0, in the results of other items in`,
      );
    },
    write(index, item, outcome) {
      let left = Buffer.from(`${lineOf(index, item, outcome)}\n`);
      while (left.length > 0) left = left.subarray(writeSync(fd, left));
    },
    close: () => closeSync(fd),
  };
}

/** Whether it may be half a line of ours, and not the end of someone else's file. */
function isBeginning(text: string): boolean {
  const start = '{"index":';
  return text.slice(0, start.length) === start.slice(0, text.length);
}

function parsed(json: string): Line | undefined {
  try {
    const line: Line = JSON.parse(json);
    const isOurs = Number.isInteger(line.index) && "item" in line;
    return isOurs && /^(fulfilled|rejected)$/.test(line.status) ? line : undefined;
  } catch {
    return undefined;
  }
}

function lineOf(index: number, item: unknown, outcome: PromiseSettledResult<unknown>): string {
  const line: Line = { index, item, status: outcome.status };
  if (outcome.status === "rejected") {
    const {
      name,
      message = String(outcome.reason),
      code,
    } = (outcome.reason ?? {}) as Error & {
      code?: unknown;
    };
    return JSON.stringify({ ...line, reason: { name, message, code: code && String(code) } });
  }
  try {
    return JSON.stringify({ ...line, value: outcome.value }, checkJson);
  } catch (error) {
    return JSON.stringify({ ...line, noValue: (error as Error).message });
  }
}

/** @throws {TypeError} A value of which JSON would silently make another one. */
function checkJson(_key: string, value: unknown): unknown {
  const isLost = value instanceof Map || value instanceof Set;
  if (isLost || (typeof value === "number" && !Number.isFinite(value)))
    throw new TypeError(`JSON has no ${isLost ? value.constructor.name : value}`);
  return value;
}
