// What the dictionary scripts show beside their dictionary: its entries, what an operation costs,
// and what becomes of counts that several workers keep at once.

import { type Cost, WAYS } from "../bodies/dict-study.ts";
import { loadable } from "../runtime.ts";
import { formatCount, plural } from "../terminal/format.ts";
import { sum } from "../timing.ts";

type Dict = Map<string | number, unknown>;
/** Lets workers run a body for each of the items, on a dictionary that is empty. */
type Runner = (
  dict: Dict,
  items: unknown[],
  module: URL,
  context: "count" | "time",
) => Promise<PromiseSettledResult<unknown>[]>;

const UPDATES = 400;

/** Counts the values of `dict` in three ways from all workers at once, and times operations from one. */
export async function studySharedDict(dict: Dict, run: Runner) {
  const entries = describeEntries(dict);
  const values = [...dict.values()];
  if (values.length === 0) return { fields: {}, text: entries };
  const [body] = (await loadable([new URL("../bodies/dict-study.ts", import.meta.url)])) as [URL];
  // Few values are counted again and again: it takes some to meet.
  const counted = Array.from({ length: UPDATES }, (_, index) => values[index % values.length]);
  const counts: Dict = new Map();
  const done = await run(counts, counted, body, "count");
  const [timed] = await run(new Map(), [0], body, "time");
  if (timed?.status !== "fulfilled" || countDone(done) < UPDATES)
    return { fields: {}, text: entries };

  const { awaitedUs, pipelinedUs } = timed.value as Cost;
  const lost = WAYS.map((way) => {
    const kept = [...counts].filter(([key]) => `${key}`.startsWith(way));
    return [way, UPDATES - sum(kept.map(([, count]) => count as number))] as const;
  });
  const lines = lost.map(([way, updates]) => {
    const kept = formatCount(UPDATES - updates).padStart(5);
    return `  ${way.padEnd(15)}${kept} of ${UPDATES}, ${plural(updates, "update")} lost`;
  });
  return {
    fields: {
      ...{ dictSize: dict.size, lostUpdates: Object.fromEntries(lost) },
      ...{ dictAwaitedUs: awaitedUs, dictPipelinedUs: pipelinedUs },
    },
    text: [
      entries,
      `one operation: ${awaitedUs.toFixed(1)} us awaited, ${pipelinedUs.toFixed(1)} us pipelined`,
      "counting the statuses from all workers at once:",
      ...lines,
    ].join("\n"),
  };
}

/** Size and first and last entries, in order of insertion. */
function describeEntries(dict: Map<unknown, unknown>): string {
  const shown = [...dict].map(([key, value]) => `${key}: ${value}`);
  if (shown.length > 6) shown.splice(3, shown.length - 6, "...");
  return `dictionary with ${plural(dict.size, "entry", "entries")}: { ${shown.join(", ")} }`;
}

/** Times operations on a dictionary in shared memory, from one thread. `fresh` has room for 1,000 keys. */
export function studySharedMemory(
  dict: { entries: () => Iterable<[number, number]> },
  operations: number,
  fresh: { set: (key: number, value: number) => void; get: (key: number) => number | undefined },
) {
  const entries = new Map([...dict.entries()].sort(([a], [b]) => a - b));
  const pairUs = timeUs(50_000, (round) => {
    fresh.set(round % 1000, round);
    fresh.get(round % 1000);
  });
  const dictAwaitedUs = pairUs / 2;
  const price = `one operation: ${dictAwaitedUs.toFixed(3)} us, with nothing to wait for`;
  return {
    fields: { dictSize: entries.size, dictOperations: operations, dictAwaitedUs },
    text: `${describeEntries(entries)}\n${price}`,
  };
}

/** Times what an entry costs that is returned, copied and merged. */
export function studyMerge(
  merged: Map<unknown, unknown>,
  counts: Map<unknown, number>,
  results: PromiseSettledResult<unknown>[],
) {
  const target = new Map<unknown, unknown>();
  const dictPipelinedUs = timeUs(10_000, (number) => {
    for (const [key, value] of structuredClone([[number, number]])) target.set(key, value);
  });
  const shown = [...counts].map(([value, count]) => `${value}: ${formatCount(count)}`);
  const done = countDone(results);
  return {
    fields: {
      ...{ dictSize: merged.size, dictOperations: done, collisions: done - merged.size },
      dictPipelinedUs,
    },
    text: [
      describeEntries(merged),
      `how often each value came, merged by (a, b) => a + b: { ${shown.join(", ")} }`,
      `one entry: ${dictPipelinedUs.toFixed(2)} us to copy and merge`,
    ].join("\n"),
  };
}

/** Iterations that did their work, each of which set one entry. */
export function countDone(results: PromiseSettledResult<unknown>[]): number {
  return results.filter((result) => result.status === "fulfilled").length;
}

/** What one of so many calls takes, in microseconds: of the second time, as the first is a warm-up. */
function timeUs(times: number, work: (number: number) => void): number {
  const all = () => {
    for (let number = 0; number < times; number++) work(number);
  };
  all();
  const begunMs = performance.now();
  all();
  return ((performance.now() - begunMs) / times) * 1000;
}
