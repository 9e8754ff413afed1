// The file of --results: one JSON line an item as it settles. By it, the same command goes on later.
//
// A line is `{ index, item, status: "fulfilled", value }`, or with `noValue` in place of a value that
// is no JSON: why it is none. Or it is `{ index, item, status: "rejected", reason }`, whose reason has
// a name, a message and a code.

import { appendFileSync, fstatSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { partsOf } from "../timing.ts";
import { UsageError } from "./flags.ts";

const START = '{"index":';

/**
 * Opens a results file, which need not be there yet. A half line at its end, as a crash may leave it,
 * is dropped, with a word on stderr.
 *
 * @param again Whether items that were rejected are to be run again. Their later line counts.
 * @throws {UsageError} It cannot be opened, or has lines of another kind.
 */
export function openResults(file: string, again: boolean) {
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
  const lines = text.split("\n");
  const half = lines.pop()!;
  const kept = new Map<number, { json: string; status: string }>(); // by the item's number
  for (const [number, line] of lines.entries()) {
    try {
      const { index, item, status } = JSON.parse(line);
      const isOurs = /^(fulfilled|rejected)$/.test(status) && item !== undefined;
      if (!isOurs || !Number.isInteger(index)) throw new TypeError("no line of ours");
      if (again && status === "rejected") kept.delete(index);
      else kept.set(index, { json: JSON.stringify(item), status });
    } catch {
      throw fail(`expected results, found something else in line ${number + 1} of`);
    }
  }
  if (half !== "") {
    // It may also be the end of someone else's file.
    if (!half.startsWith(START.slice(0, half.length)))
      throw fail("expected results, found something else in");
    ftruncateSync(fd, Buffer.byteLength(text.slice(0, -half.length)));
    console.error(`${file}: its last line was incomplete, and is dropped`);
  }
  const before = { doneBefore: 0, failedBefore: 0 };
  return {
    /** How many items of this run it had, and how many of these had failed. */
    before,
    /**
     * Whether it has an item that is not to be run again.
     * @throws {UsageError} It has another one under this index: the file belongs to other items.
     */
    has(index: number, item: unknown): boolean {
      const found = kept.get(index);
      if (!found) return false;
      if (found.json !== JSON.stringify(item))
        throw fail(
          `another item is number ${index}, counted from 0, in the results of other items in`,
        );
      before.doneBefore++;
      if (found.status === "rejected") before.failedBefore++;
      return true;
    },
    /** Appends a whole line. @throws {Error} It cannot be written, for example to a full disk. */
    write(index: number, item: unknown, outcome: PromiseSettledResult<unknown>) {
      appendFileSync(fd, `${toJson({ index, item, status: outcome.status }, outcome)}\n`);
    },
  };
}

function toJson(line: object, outcome: PromiseSettledResult<unknown>): string {
  if (outcome.status === "rejected") {
    const { name, message, code } = partsOf(outcome.reason);
    const reason = { name: name && String(name), message, code: code && String(code) };
    return JSON.stringify({ ...line, reason });
  }
  try {
    return JSON.stringify({ ...line, value: outcome.value }, checkJson);
  } catch (error) {
    return JSON.stringify({ ...line, noValue: partsOf(error).message });
  }
}

/** @throws {TypeError} A value of which JSON would silently make another one. */
function checkJson(_key: string, value: unknown): unknown {
  const isLost = value instanceof Map || value instanceof Set;
  if (isLost || (typeof value === "number" && !Number.isFinite(value)))
    throw new TypeError(`JSON has no ${isLost ? value.constructor.name : value}`);
  return value;
}
