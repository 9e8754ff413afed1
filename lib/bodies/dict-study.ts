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

/** Times operations: one after another, and many on their way at once. */
async function timeOperations(dict: Dict) {
  const awaited = async (times: number) => {
    for (let time = 0; time < times; time++) await dict.increment("awaited");
  };
  const pipelined = (times: number) =>
    Promise.all(Array.from({ length: times }, () => dict.increment("pipelined")));
  const dictAwaitedUs = await timeUs(500, awaited);
  return { dictAwaitedUs, dictPipelinedUs: await timeUs(10_000, pipelined) };
}

/** What each of so many operations takes, in microseconds, after a warm-up. */
export async function timeUs(times: number, operate: (times: number) => unknown): Promise<number> {
  await operate(times / 5);
  const begunMs = performance.now();
  await operate(times);
  return ((performance.now() - begunMs) / times) * 1000;
}
