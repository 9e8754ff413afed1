// The loops of a copy of shared-dict.ts, and what its types must not let through.

import { intoSharedDict, type SharedDict } from "../../scripts/shared-dict.ts";

type Letters = typeof import("./letters.ts");
type Numbers = typeof import("./numbers.ts");
const [letters, numbers] = ["letters", "numbers"].map(
  (name) => new URL(`./${name}.ts`, import.meta.url),
) as [URL, URL];

const options = { workers: 2, context: { unit: "letters" } };

export async function runLetters(words: string[]) {
  const dict = new Map<string | number, number>();
  const results = await intoSharedDict<number, Letters>(dict, words, letters, options);
  return { results, dict };
}

export async function runNumbers(items: number[], words: string[]) {
  const dict = new Map<string | number, number>();
  const own = { workers: 2, with: "threads" as const, context: { words } };
  const results = await intoSharedDict<number, Numbers>(dict, items, numbers, own);
  return { results, dict };
}

/** Only for the type check: wrong items and contexts are errors, and results have the body's type. */
export async function types(shared: SharedDict<number>) {
  const dict = new Map<string | number, number>();
  // @ts-expect-error: an item of another type
  await intoSharedDict<number, Letters>(dict, [1], letters, options);
  // @ts-expect-error: a context of another type
  await intoSharedDict<number, Letters>(dict, ["a"], letters, { workers: 2, context: { unit: 5 } });
  // @ts-expect-error: no context, which this body needs
  await intoSharedDict<number, Letters>(dict, ["a"], letters, { workers: 2 });
  // @ts-expect-error: a dictionary of other values
  await intoSharedDict<string, Letters>(dict, ["a"], letters, options);
  // @ts-expect-error: workers of another kind
  await intoSharedDict<number, Letters>(dict, ["a"], letters, { ...options, with: "fibers" });
  const results = await intoSharedDict<number, Letters>(dict, ["a"], letters, options);
  const typed: PromiseSettledResult<[string, number][]>[] = results;
  // @ts-expect-error: results of another type
  const other: PromiseSettledResult<string>[] = results;
  const value: number | undefined = await shared.get("a");
  // @ts-expect-error: a value of another type
  await shared.set("a", "b");
  const sum: number = await shared.lock("a", async () => (await shared.increment("a")) + 1);
  return [typed, other, value, sum];
}
