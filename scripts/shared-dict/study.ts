// What shared-dict.ts shows of its dictionary when it is run: what an operation costs, and what becomes
// of counts that several workers keep at once. The workers run this file, too.

import { showDict, timeUs } from "../../lib/command/dictionary.ts";
import type { CallOptions } from "../../lib/command/technique.ts";
import { loadable } from "../../lib/runtime.ts";
import { plural } from "../../lib/terminal/format.ts";

type Script = typeof import("../shared-dict.ts");
type Dict = import("../shared-dict.ts").SharedDict<number>;

const UPDATES = 400;

/** Counts the values of `dict` in three ways from all workers at once, and times operations from one. */
export async function study(
  { intoSharedDict }: Script,
  dict: Map<unknown, unknown>,
  dictOperations: number,
  options: CallOptions,
) {
  const values = [...dict.values()];
  if (values.length === 0) return showDict(dict, { dictOperations });
  const [module] = await loadable([new URL(import.meta.url)]);
  // The values are repeated up to 400 items: with fewer, two workers would seldom meet.
  const counted = Array.from({ length: UPDATES }, (_, index) => values[index % values.length]);
  const counts = new Map<string | number, number>();
  const done = await intoSharedDict(counts, counted, module!, { ...options, context: "count" });
  const [timed] = await intoSharedDict(new Map(), [0], module!, { ...options, context: "time" });
  if (timed?.status !== "fulfilled" || done.some(({ status }) => status === "rejected"))
    return showDict(dict, { dictOperations });

  const cost = timed.value as Awaited<ReturnType<typeof timeOperations>>;
  const [awaited, pipelined] = [cost.dictAwaitedUs.toFixed(1), cost.dictPipelinedUs.toFixed(1)];
  const lostUpdates: Record<string, number> = {};
  for (const [key, count] of counts) {
    const way = `${key}`.split(":")[0]!;
    lostUpdates[way] = (lostUpdates[way] ?? UPDATES) - count;
  }
  return showDict(dict, { dictOperations, lostUpdates, ...cost }, [
    `one operation: ${awaited} us awaited, ${pipelined} us pipelined`,
    "counting the statuses from all workers at once:",
    ...Object.entries(lostUpdates).map(([way, lost]) => {
      const kept = `${UPDATES - lost}`.padStart(5);
      return `  ${way.padEnd(15)}${kept} of ${UPDATES}, ${plural(lost, "update")} lost`;
    }),
  ]);
}

export default function body(item: unknown, job: "count" | "time", dict: Dict) {
  return job === "count" ? countThreeWays(dict, item) : timeOperations(dict);
}

/** Counts one status in all three ways. Only the first of them is wrong. */
async function countThreeWays(dict: Dict, status: unknown) {
  const addOne = async (key: string) => {
    const count = (await dict.get(key)) ?? 0;
    await dict.set(key, count + 1); // what other workers have counted since then is gone
  };
  await addOne(`get, then set: ${status}`);
  await dict.lock(() => addOne(`under the lock: ${status}`));
  await dict.increment(`increment: ${status}`);
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
