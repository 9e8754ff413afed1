// The loops of a copy of processes.ts, and what its types must not let through.

import { inProcesses } from "../../scripts/processes.ts";

type Letters = typeof import("./letters.ts");
type Numbers = typeof import("./numbers.ts");
type Plain = typeof import("./plain.ts");
const [letters, numbers, plain] = ["letters", "numbers", "plain"].map(
  (name) => new URL(`./${name}.ts`, import.meta.url),
) as [URL, URL, URL];

type Ran = {
  results: PromiseSettledResult<[string, number][]>[];
  dict?: Map<unknown, number>;
};
const options = { workers: 2, context: { unit: "letters" } };

export async function runLetters(words: string[]): Promise<Ran> {
  return { results: await inProcesses<Letters>(words, letters, options) };
}

export async function runNumbers(items: number[], words: string[]): Promise<Ran> {
  return {
    results: await inProcesses<Numbers>(items, numbers, { workers: 2, context: { words } }),
  };
}

/** Only for the type check: wrong items and contexts are errors, and results have the body's type. */
export async function types() {
  // @ts-expect-error: an item of another type
  await inProcesses<Letters>([1], letters, options);
  // @ts-expect-error: a context of another type
  await inProcesses<Letters>(["a"], letters, { workers: 2, context: { unit: 5 } });
  // @ts-expect-error: no context, which this body needs
  await inProcesses<Letters>(["a"], letters, { workers: 2 });
  // @ts-expect-error: no number of workers
  await inProcesses<Plain>([1], plain, {});
  // @ts-expect-error: no URL
  await inProcesses<Plain>([1], "./plain.ts", { workers: 2 });
  const doubled: PromiseSettledResult<number>[] = await inProcesses<Plain>([1], plain, {
    workers: 2,
  });
  await inProcesses<Plain>([1], plain, {
    workers: 2,
    concurrency: 2,
    itemTimeoutMs: 100,
    signal: AbortSignal.timeout(100),
    onSettled({ outcome }) {
      const value: number | undefined = outcome.status === "fulfilled" ? outcome.value : undefined;
      // @ts-expect-error: a value of another type
      const other: string | undefined = outcome.status === "fulfilled" ? outcome.value : undefined;
      return [value, other];
    },
  });
  // @ts-expect-error: results of another type
  const other: PromiseSettledResult<string>[] = await inProcesses<Plain>([1], plain, {
    workers: 2,
  });
  // Without the body's type all goes.
  const any: PromiseSettledResult<unknown>[] = await inProcesses(["a"], plain, {
    workers: 2,
    context: 5,
  });
  return [doubled, other, any];
}
