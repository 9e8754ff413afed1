// The items of a run: numbers, or what --items names, without those that --results has already.

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Hooks } from "../timing.ts";
import { UsageError } from "./flags.ts";
import type { ResultsFile } from "./results.ts";

type Results = PromiseSettledResult<unknown>[];

/** Items to be run. */
export interface Todo {
  /** How many; undefined where they are read while they are run. */
  count: number | undefined;
  /** How many the file of results had. */
  doneBefore: number;
  /** Calls a technique for them. What it tells of an item carries its number among all items. */
  run<Options extends Hooks>(
    call: (items: never, options: Options) => Promise<Results>,
    options: Options,
  ): Promise<Results>;
}

/** Items that are read while they are run take several calls, or their outcomes would pile up. */
const PART = 10_000;

/**
 * Makes items ready to be run.
 *
 * @param file Has one JSON value a line; "-" is stdin. Without one, items are the numbers from 0.
 * @param most There are no more than so many.
 * @param asTheyCome Whether they are read while they are run: by a technique that needs no array.
 * @throws {UsageError} The file cannot be read, or has something else. So does `run`, then.
 */
export async function itemsToRun(
  file: string | undefined,
  most: number,
  results: ResultsFile | undefined,
  asTheyCome: boolean,
  signal: AbortSignal,
): Promise<Todo> {
  if (file === undefined && !results) {
    const items = [...numbers(most)]; // their places are their numbers: nothing stands in between
    return { count: most, doneBefore: 0, run: (call, options) => call(items as never, options) };
  }
  const todo: Todo = { count: undefined, doneBefore: 0, run };
  const left = notDone();
  const list = asTheyCome ? undefined : await arrayOf(left);
  if (list) todo.count = list.length;
  return todo;

  async function* notDone() {
    let index = 0;
    for await (const item of file === undefined ? numbers(most) : readItems(file, most, signal)) {
      if (results?.has(index, item)) todo.doneBefore++;
      else yield { index, item };
      index++;
    }
  }

  async function run<Options extends Hooks>(
    call: (items: never, options: Options) => Promise<Results>,
    options: Options,
  ) {
    const callFor = (items: unknown, taken: { index: number; item: unknown }[]) =>
      call(items as never, {
        ...options,
        onSettled(report) {
          const { index, item } = taken[report.index]!;
          const { outcome } = report;
          const wasLeft = outcome.status === "rejected" && outcome.reason === signal.reason;
          if (!(signal.aborted && wasLeft)) results?.write(index, item, outcome);
          return options.onSettled({ ...report, index });
        },
      });
    const items = list?.map(({ item }) => item);
    if (list) return callFor(items, list);
    for (let isOver = false; !isOver && !signal.aborted; ) {
      const taken: { index: number; item: unknown }[] = [];
      async function* part() {
        while (taken.length < PART) {
          const { done, value } = await left.next();
          if (done) isOver = true;
          if (done) return;
          taken.push(value);
          yield value.item;
        }
      }
      await callFor(part(), taken);
    }
    return [];
  }
}

function* numbers(most: number) {
  for (let index = 0; index < most; index++) yield index;
}

async function arrayOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const array: Item[] = [];
  for await (const item of items) array.push(item);
  return array;
}

/** Reads items one by one, as they are asked for; empty lines are passed over. */
async function* readItems(file: string, most: number, signal: AbortSignal) {
  const name = file === "-" ? "stdin" : `"${file}"`;
  const input = file === "-" ? process.stdin : createReadStream(file);
  let [line, count] = [0, 0];
  try {
    for await (const text of createInterface({ input, signal, crlfDelay: 1e9 })) {
      line++;
      if (text.trim() === "") continue;
      yield JSON.parse(text) as unknown;
      if (++count === most) return;
    }
  } catch (error) {
    const { name: kind, message } = error as Error;
    const found = kind === "SyntaxError" ? `expected JSON in line ${line} of` : "cannot read";
    throw new UsageError(`--items: ${found} ${name}: ${message}`);
  }
  if (count === 0 && !signal.aborted)
    throw new UsageError(`--items: expected JSON, one value a line, in ${name}`);
}
