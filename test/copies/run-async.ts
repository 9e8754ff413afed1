// The loops of a copy of async.ts, and what its types must not let through.

import { concurrently } from "../../scripts/async.ts";
import letters from "./letters.ts";
import numbers from "./numbers.ts";
import plain from "./plain.ts";

type Ran = {
  results: PromiseSettledResult<[string, number][]>[];
  dict?: Map<unknown, number>;
};
const context = { unit: "letters" };
const concurrency = 3;

export async function runLetters(words: string[]): Promise<Ran> {
  return { results: await concurrently(words, letters, { concurrency, context }) };
}

export async function runNumbers(items: number[], words: string[]): Promise<Ran> {
  return { results: await concurrently(items, numbers, { concurrency, context: { words } }) };
}

/** Only for the type check: wrong items and contexts are errors, and results have the body's type. */
export async function types() {
  // @ts-expect-error: an item of another type
  await concurrently([1], letters, { concurrency, context });
  // @ts-expect-error: a context of another type
  await concurrently(["a"], letters, { concurrency, context: { unit: 5 } });
  // @ts-expect-error: no concurrency
  await concurrently([1], plain, {});
  const doubled: PromiseSettledResult<number>[] = await concurrently([1], plain, { concurrency });
  // @ts-expect-error: results of another type
  const other: PromiseSettledResult<string>[] = await concurrently([1], plain, { concurrency });
  return [doubled, other];
}
