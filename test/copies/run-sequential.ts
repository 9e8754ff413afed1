// The loops of a copy of sequential.ts, and what its types must not let through.

import { inSequence } from "../../scripts/sequential.ts";
import letters from "./letters.ts";
import numbers from "./numbers.ts";
import plain from "./plain.ts";

type Ran = {
  results: PromiseSettledResult<[string, number][]>[];
  dict?: Map<unknown, number>;
};
const context = { unit: "letters" };

export async function runLetters(words: string[]): Promise<Ran> {
  return { results: await inSequence(words, letters, { context }) };
}

export async function runNumbers(items: number[], words: string[]): Promise<Ran> {
  return { results: await inSequence(items, numbers, { context: { words } }) };
}

/** Only for the type check: wrong items and contexts are errors, and results have the body's type. */
export async function types() {
  // @ts-expect-error: an item of another type
  await inSequence([1], letters, { context });
  // @ts-expect-error: a context of another type
  await inSequence(["a"], letters, { context: { unit: 5 } });
  const doubled: PromiseSettledResult<number>[] = await inSequence([1], plain);
  await inSequence([1], plain, {
    onSettled({ outcome }) {
      const value: number | undefined = outcome.status === "fulfilled" ? outcome.value : undefined;
      // @ts-expect-error: a value of another type
      const other: string | undefined = outcome.status === "fulfilled" ? outcome.value : undefined;
      return [value, other];
    },
  });
  // @ts-expect-error: results of another type
  const other: PromiseSettledResult<string>[] = await inSequence([1], plain);
  return [doubled, other];
}
