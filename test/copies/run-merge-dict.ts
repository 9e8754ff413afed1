// The loops of a copy of merge-dict.ts, and what its types must not let through.

import { intoMergedDict } from "../../scripts/merge-dict.ts";

type Letters = typeof import("./letters.ts");
type Numbers = typeof import("./numbers.ts");
const [letters, numbers] = ["letters", "numbers"].map(
  (name) => new URL(`./${name}.ts`, import.meta.url),
) as [URL, URL];

const options = { workers: 2, context: { unit: "letters" } };

export async function runLetters(words: string[]) {
  const dict = new Map<string, number>();
  const merge = (before: number, value: number) => before + value;
  const all = { ...options, merge };
  const results = await intoMergedDict<string, number, Letters>(dict, words, letters, all);
  return { results, dict };
}

export async function runNumbers(items: number[], words: string[]) {
  const dict = new Map<string, number>();
  const own = { workers: 2, with: "threads" as const, context: { words } };
  const results = await intoMergedDict<string, number, Numbers>(dict, items, numbers, own);
  return { results, dict };
}

/** Only for the type check: wrong items and contexts are errors, and results have the body's type. */
export async function types() {
  const dict = new Map<string, number>();
  // @ts-expect-error: an item of another type
  await intoMergedDict<string, number, Letters>(dict, [1], letters, options);
  const odd = { workers: 2, context: { unit: 5 } };
  // @ts-expect-error: a context of another type
  await intoMergedDict<string, number, Letters>(dict, ["a"], letters, odd);
  // @ts-expect-error: no context, which this body needs
  await intoMergedDict<string, number, Letters>(dict, ["a"], letters, { workers: 2 });
  const merge = (before: string, value: string) => before + value;
  // @ts-expect-error: a merge of other values
  await intoMergedDict<string, number, Letters>(dict, ["a"], letters, { ...options, merge });
  const results = await intoMergedDict<string, number, Letters>(dict, ["a"], letters, options);
  const typed: PromiseSettledResult<[string, number][]>[] = results;
  // @ts-expect-error: results of another type
  const other: PromiseSettledResult<string>[] = results;
  return [typed, other];
}
