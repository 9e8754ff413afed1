// The body by which shared-dict.ts studies its dictionary: what becomes of counts that several workers
// keep at once, and what an operation costs.

/** What is studied. */
interface Dict {
  get: (key: string) => Promise<unknown>;
  set: (key: string, value: never) => Promise<void>;
  increment: (key: string) => Promise<number>;
  lock: <Result>(key: string, critical: () => Promise<Result>) => Promise<Result>;
}

/** The three ways to count, which are also the keys that they count under. */
export const WAYS = ["get, then set", "under the lock", "increment"] as const;
/** Microseconds an operation took, one after another and many on their way at once. */
export type Cost = { awaitedUs: number; pipelinedUs: number };

const AWAITED = 500;
const PIPELINED = 10_000;

export default function body(item: unknown, job: "count" | "time", dict: Dict) {
  return job === "count" ? countThreeWays(dict, item) : timeOperations(dict);
}

/** Counts one status in all three ways. Only the first of them is wrong. */
async function countThreeWays(dict: Dict, status: unknown): Promise<void> {
  const addOne = async (key: string) => {
    const count = ((await dict.get(key)) as number | undefined) ?? 0;
    await dict.set(key, (count + 1) as never); // what other workers have counted since then is gone
  };
  await addOne(`${WAYS[0]}: ${status}`);
  await dict.lock(WAYS[1], () => addOne(`${WAYS[1]}: ${status}`));
  await dict.increment(`${WAYS[2]}: ${status}`);
}

/** Times operations, after a warm-up. */
async function timeOperations(dict: Dict): Promise<Cost> {
  for (let warmUp = 0; warmUp < 200; warmUp++) await dict.increment("warm-up");
  await Promise.all(Array.from({ length: 2000 }, () => dict.increment("warm-up")));
  const awaitedFromMs = performance.now();
  for (let number = 0; number < AWAITED; number++) await dict.increment("awaited");
  const pipelinedFromMs = performance.now();
  await Promise.all(Array.from({ length: PIPELINED }, () => dict.increment("pipelined")));
  const endMs = performance.now();
  return {
    awaitedUs: ((pipelinedFromMs - awaitedFromMs) / AWAITED) * 1000,
    pipelinedUs: ((endMs - pipelinedFromMs) / PIPELINED) * 1000,
  };
}
