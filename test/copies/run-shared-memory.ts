// The loops of a copy of shared-memory.ts, and what its types must not let through.

import { dictMemory, intoSharedMemory, sharedMemoryDict } from "../../scripts/shared-memory.ts";

type Letters = typeof import("./letters.ts");
type Numbers = typeof import("./numbers.ts");
const [letters, numbers] = ["letters", "numbers"].map(
  (name) => new URL(`./${name}.ts`, import.meta.url),
) as [URL, URL];

const options = { workers: 2, context: { unit: "letters" } };

export async function runLetters(words: string[]) {
  const memory = dictMemory(100);
  const results = await intoSharedMemory<Letters>(memory, words, letters, options);
  return { results, dict: new Map(sharedMemoryDict(memory).entries()) };
}

export async function runNumbers(items: number[], words: string[]) {
  const memory = dictMemory(100);
  const own = { workers: 2, context: { words } };
  const results = await intoSharedMemory<Numbers>(memory, items, numbers, own);
  return { results, dict: new Map(sharedMemoryDict(memory).entries()) };
}

/** Only for the type check: wrong items and contexts are errors, and results have the body's type. */
export async function types() {
  const memory = dictMemory(100);
  // @ts-expect-error: an item of another type
  await intoSharedMemory<Letters>(memory, [1], letters, options);
  // @ts-expect-error: a context of another type
  await intoSharedMemory<Letters>(memory, ["a"], letters, { workers: 2, context: { unit: 5 } });
  // @ts-expect-error: no context, which this body needs
  await intoSharedMemory<Letters>(memory, ["a"], letters, { workers: 2 });
  const results = await intoSharedMemory<Letters>(memory, ["a"], letters, options);
  const typed: PromiseSettledResult<[string, number][]>[] = results;
  // @ts-expect-error: results of another type
  const other: PromiseSettledResult<string>[] = results;
  // @ts-expect-error: no number
  sharedMemoryDict(memory).set(1, "a");
  return [typed, other];
}
