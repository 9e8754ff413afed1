// What the dictionary scripts show beside their dictionary: its entries, what an operation costs,
// and what becomes of counts that several workers keep at once.

import { timeUs, WAYS } from "../bodies/dict-study.ts";
import { loadable } from "../runtime.ts";
import { formatCount, plural } from "../terminal/format.ts";
import { sum } from "../timing.ts";
import type { RunRecord } from "./record.ts";

type Results = PromiseSettledResult<unknown>[];
/** Lets workers run a body for each of the items, on a dictionary that is empty. */
type Runner<Options> = (
  dict: Map<string | number, unknown>,
  items: unknown[],
  module: URL,
  options: Options & { context: "count" | "time" },
) => Promise<Results>;

const UPDATES = 400;

/** Counts the values of `dict` in three ways from all workers at once, and times operations from one. */
export async function studySharedDict<Options>(
  dict: Map<unknown, unknown>,
  dictOperations: number,
  run: Runner<Options>,
  options: Options,
) {
  const values = [...dict.values()];
  if (values.length === 0) return show(dict, { dictOperations });
  const [body] = await loadable([new URL("../bodies/dict-study.ts", import.meta.url)]);
  // Few values are counted again and again: it takes some to meet.
  const counted = Array.from({ length: UPDATES }, (_, index) => values[index % values.length]);
  const counts = new Map<string | number, unknown>();
  const done = await run(counts, counted, body!, { ...options, context: "count" });
  const [timed] = await run(new Map(), [0], body!, { ...options, context: "time" });
  if (timed?.status !== "fulfilled" || countDone(done) < UPDATES)
    return show(dict, { dictOperations });

  const cost = timed.value as { dictAwaitedUs: number; dictPipelinedUs: number };
  const [awaited, pipelined] = [cost.dictAwaitedUs.toFixed(1), cost.dictPipelinedUs.toFixed(1)];
  const lostUpdates: Record<string, number> = {};
  const lines = WAYS.map((way) => {
    const ofWay = [...counts].filter(([key]) => `${key}`.startsWith(way));
    const kept = sum(ofWay.map(([, count]) => count as number));
    lostUpdates[way] = UPDATES - kept;
    const lost = plural(UPDATES - kept, "update");
    return `  ${way.padEnd(15)}${`${kept}`.padStart(5)} of ${UPDATES}, ${lost} lost`;
  });
  return show(dict, { dictOperations, lostUpdates, ...cost }, [
    `one operation: ${awaited} us awaited, ${pipelined} us pipelined`,
    "counting the statuses from all workers at once:",
    ...lines,
  ]);
}

/** Times operations on a dictionary in shared memory, from one thread. `fresh` has room for 1,000 keys. */
export async function studySharedMemory(
  dict: { entries: () => Iterable<[number, number]> },
  results: Results,
  fresh: { set: (key: number, value: number) => void; get: (key: number) => number | undefined },
) {
  const entries = new Map([...dict.entries()].sort(([a], [b]) => a - b));
  const dictAwaitedUs = await timeUs(100_000, (times) => {
    for (let round = 0; round < times / 2; round++) {
      fresh.set(round % 1000, round);
      fresh.get(round % 1000);
    }
  });
  return show(entries, { dictOperations: countDone(results), dictAwaitedUs }, [
    `one operation: ${dictAwaitedUs.toFixed(3)} us, with nothing to wait for`,
  ]);
}

/** Times what an entry costs that is returned, copied and merged. */
export async function studyMerge(
  merged: Map<unknown, unknown>,
  counts: Map<unknown, number>,
  results: Results,
) {
  const target = new Map<unknown, unknown>();
  const dictPipelinedUs = await timeUs(10_000, (times) => {
    for (let number = 0; number < times; number++)
      for (const [key, value] of structuredClone([[number, number]])) target.set(key, value);
  });
  const dictOperations = countDone(results);
  const collisions = dictOperations - merged.size;
  const shown = [...counts].map(([value, count]) => `${value}: ${formatCount(count)}`);
  return show(merged, { dictOperations, collisions, dictPipelinedUs }, [
    `how often each value came, merged by (a, b) => a + b: { ${shown.join(", ")} }`,
    `one entry: ${dictPipelinedUs.toFixed(2)} us to copy and merge`,
  ]);
}

/** Iterations that did their work, each of which set one entry. */
function countDone(results: Results): number {
  return results.filter((result) => result.status === "fulfilled").length;
}

/** The fields of a record, and as text the dictionary's size, first and last entries, and more lines. */
function show(dict: Map<unknown, unknown>, fields: Partial<RunRecord>, lines: string[] = []) {
  const shown = [...dict].map(([key, value]) => `${key}: ${value}`);
  if (shown.length > 6) shown.splice(3, shown.length - 6, "...");
  const size = plural(dict.size, "entry", "entries");
  const entries = `dictionary with ${size}: { ${shown.join(", ")} }`;
  return { fields: { dictSize: dict.size, ...fields }, text: [entries, ...lines].join("\n") };
}
