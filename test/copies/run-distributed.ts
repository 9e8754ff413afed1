// The loops of a copy of distributed.ts, a worker each, and what its types must not let through.

import { distributed, serve } from "../../scripts/distributed.ts";

type Letters = typeof import("./letters.ts");
type Numbers = typeof import("./numbers.ts");
type Plain = typeof import("./plain.ts");
const [letters, numbers, plain] = ["letters", "numbers", "plain"].map(
  (name) => new URL(`./${name}.ts`, import.meta.url),
) as [URL, URL, URL];

const redis = process.env.REDIS_URL!;
const context = { unit: "letters" };

/** Calls a loop while a worker of this process serves its module. */
async function served<Results>(module: URL, loop: () => Promise<Results>): Promise<Results> {
  const leaving = new AbortController();
  const serving = serve(module, { redis, concurrency: 2, signal: leaving.signal });
  try {
    return await loop();
  } finally {
    leaving.abort();
    await serving;
  }
}

export async function runLetters(words: string[]) {
  const dict = new Map<string | number, number>();
  const options = { redis, dict, context };
  const results = await served(letters, () => distributed<Letters>(words, letters, options));
  return { results, dict };
}

export async function runNumbers(items: number[], words: string[]) {
  const dict = new Map<string | number, number>();
  const options = { redis, dict, context: { words } };
  const results = await served(numbers, () => distributed<Numbers>(items, numbers, options));
  return { results, dict };
}

/** Only for the type check: wrong items and contexts are errors, results have the body's type. */
export async function types() {
  // @ts-expect-error: an item of another type
  await distributed<Letters>([1], letters, { redis, context });
  // @ts-expect-error: a context of another type
  await distributed<Letters>(["a"], letters, { redis, context: { unit: 5 } });
  // @ts-expect-error: no context, which this body needs
  await distributed<Letters>(["a"], letters, { redis });
  // @ts-expect-error: no Redis
  await distributed<Plain>([1], plain, {});
  const doubled: PromiseSettledResult<number>[] = await distributed<Plain>([1], plain, { redis });
  // @ts-expect-error: results of another type
  const other: PromiseSettledResult<string>[] = await distributed<Plain>([1], plain, { redis });
  return [doubled, other];
}
