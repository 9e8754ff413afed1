// The items of a run: numbers, or what --items names, without those that --results has already.

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Report } from "../timing.ts";
import { UsageError } from "./flags.ts";
import type { openResults } from "./results.ts";

/** Most items in one call where they are read as they are run: all outcomes of a call are held. */
const PART = 10_000;

/**
 * Makes items ready to be run.
 *
 * @param file Has one JSON value a line; "-" is stdin. Without one, items are the numbers from 0.
 * @param most There are no more than so many.
 * @param asTheyCome Whether they are read while they are run: by a technique that needs no array.
 * @throws {UsageError} The file cannot be read, or has something else. `parts` throw it, too.
 */
export async function itemsToRun(
  file: string | undefined,
  most: number,
  results: ReturnType<typeof openResults> | undefined,
  asTheyCome: boolean,
  signal: AbortSignal,
) {
  if (file === undefined && !results) {
    const items = [...Array(most).keys()]; // each number is its item's index, too
    return { count: most, parts: [items], settle: (report: Report) => report };
  }
  const source = file === undefined ? Array(most).keys() : readItems(file, most, signal);
  let taken: { index: number; item: unknown }[] = []; // what the technique was given
  let index = 0;
  let isOver = false;

  /** Gives items that are to be run, until so many are taken. */
  async function* take(most: number) {
    while (taken.length < most) {
      const next = await source.next();
      isOver = next.done === true;
      if (isOver) return;
      const place = { index: index++, item: next.value };
      if (results?.has(place.index, place.item)) continue;
      taken.push(place);
      yield place.item;
    }
  }
  function* parts() {
    for (; !isOver && !signal.aborted; taken = []) yield take(PART);
  }
  const list: unknown[] = [];
  if (!asTheyCome) for await (const item of take(Number.POSITIVE_INFINITY)) list.push(item);
  return {
    /** How many; undefined where they are read while they are run. */
    count: asTheyCome ? undefined : list.length,
    /** What a technique is to be called for, part by part. */
    parts: asTheyCome ? parts() : [list],
    /** Writes a report's outcome to the results; returns it with the index among all items. */
    settle(report: Report): Report {
      const { index, item } = taken[report.index]!;
      const { outcome } = report;
      const wasLeft = outcome.status === "rejected" && outcome.reason === signal.reason;
      if (!(signal.aborted && wasLeft)) results?.write(index, item, outcome);
      return { ...report, index };
    },
  };
}

/** Reads items one by one, as they are asked for; empty lines are passed over. */
async function* readItems(file: string, most: number, signal: AbortSignal) {
  const name = file === "-" ? "stdin" : `"${file}"`;
  const input = file === "-" ? process.stdin : createReadStream(file);
  let [line, count] = [0, 0];
  try {
    for await (const text of createInterface({ input, signal, crlfDelay: 1e9 })) {
      line++;
      const json = text.trim(); // also without a byte order mark
      if (json === "") continue;
      yield JSON.parse(json) as unknown;
      if (++count === most) return;
    }
  } catch (error) {
    const { name: kind, message } = error as Error;
    const found = kind === "SyntaxError" ? `expected JSON in line ${line} of` : "cannot read";
    throw new UsageError(`--items: ${found} ${name}: ${message}`);
  } finally {
    input.destroy(); // whoever writes to stdin may go on for long
  }
  if (count === 0 && !signal.aborted)
    throw new UsageError(`--items: expected JSON, one value a line, in ${name}`);
}
