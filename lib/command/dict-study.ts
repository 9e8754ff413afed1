// What the dictionary scripts show beside their dictionary: its entries, what an operation costs,
// and what becomes of counts that several workers keep at once.

import { type Cost, WAYS } from "../bodies/dict-study.ts";
import { formatCount, plural } from "../terminal/format.ts";
import type { RunRecord } from "./record.ts";

/** Lets workers do a job for each of the items, on a dictionary that is empty. */
type Runner = (
  dict: Map<string | number, unknown>,
  items: unknown[],
  job: "count" | "time",
) => Promise<PromiseSettledResult<unknown>[]>;

const UPDATES = 400;
const ENTRIES_SHOWN = 3;

/** Counts the values of `dict` in three ways from all workers at once, and times operations from one. */
export async function studySharedDict(dict: Map<string | number, unknown>, run: Runner) {
  const values = [...dict.values()];
  if (values.length === 0) return { fields: {}, text: describeEntries(dict) };
  // Few values are counted again and again: it takes some to meet.
  const counted = Array.from({ length: UPDATES }, (_, index) => values[index % values.length]);
  const counts = new Map<string, number>();
  const done = await run(counts as Map<string | number, unknown>, counted, "count");
  const [timed] = await run(new Map(), [0], "time");
  if (done.some((one) => one.status === "rejected"))
    return { fields: {}, text: describeEntries(dict) };
  const lost = lostUpdates(counts);
  const cost = timed?.status === "fulfilled" ? (timed.value as Cost) : undefined;
  const fields: Partial<RunRecord> = {
    dictSize: dict.size,
    lostUpdates: lost,
    ...(cost && { dictAwaitedUs: cost.awaitedUs, dictPipelinedUs: cost.pipelinedUs }),
  };
  const price = cost
    ? `one operation: ${cost.awaitedUs.toFixed(1)} us awaited, ${cost.pipelinedUs.toFixed(1)} us pipelined`
    : "";
  return { fields, text: [describeEntries(dict), price, describeCounts(lost)].join("\n") };
}

function lostUpdates(counts: Map<string, number>): Record<string, number> {
  const lost = (way: string) =>
    [...counts].reduce(
      (left, [key, count]) => (key.startsWith(way) ? left - count : left),
      UPDATES,
    );
  return Object.fromEntries(WAYS.map((way) => [way, lost(way)]));
}

/** Size and first and last entries, in order of insertion. */
function describeEntries(dict: Map<unknown, unknown>): string {
  const shown = [...dict].map(([key, value]) => `${key}: ${value}`);
  const some =
    shown.length <= 2 * ENTRIES_SHOWN
      ? shown
      : [...shown.slice(0, ENTRIES_SHOWN), "...", ...shown.slice(-ENTRIES_SHOWN)];
  return `dictionary with ${plural(dict.size, "entry", "entries")}: { ${some.join(", ")} }`;
}

function describeCounts(lost: Record<string, number>): string {
  const lines = WAYS.map((way) => {
    const kept = formatCount(UPDATES - lost[way]!).padStart(5);
    return `  ${way.padEnd(15)}${kept} of ${UPDATES}, ${plural(lost[way]!, "update")} lost`;
  });
  return `counting the statuses from all workers at once:\n${lines.join("\n")}`;
}

/** Times operations on a dictionary in shared memory, from one thread. `fresh` has room for 1,000 keys. */
export function studySharedMemory(
  dict: { size: () => number; entries: () => Iterable<[number, number]> },
  operations: number,
  fresh: { set: (key: number, value: number) => void; get: (key: number) => number | undefined },
) {
  const ROUNDS = 100_000;
  const operate = () => {
    for (let round = 0; round < ROUNDS; round += 2) {
      fresh.set(round % 1000, round);
      fresh.get(round % 1000);
    }
  };
  operate(); // a warm-up, as for the others
  const awaitedUs = (timeMs(operate) / ROUNDS) * 1000;
  const entries = new Map([...dict.entries()].sort(([a], [b]) => a - b));
  const price = `one operation: ${awaitedUs.toFixed(3)} us, with nothing to wait for`;
  return {
    fields: { dictSize: dict.size(), dictOperations: operations, dictAwaitedUs: awaitedUs },
    text: `${describeEntries(entries)}\n${price}`,
  };
}

/** Times what an entry costs that is returned, copied and merged. */
export function studyMerge(
  merged: Map<unknown, unknown>,
  counts: Map<unknown, number>,
  results: PromiseSettledResult<unknown>[],
) {
  const ENTRIES = 10_000;
  const whole = () => {
    const target = new Map<unknown, unknown>();
    for (let key = 0; key < ENTRIES; key++)
      for (const [copied, value] of structuredClone([[key, key]])) target.set(copied, value);
  };
  whole();
  const pipelinedUs = (timeMs(whole) / ENTRIES) * 1000;
  const price = `one entry: ${pipelinedUs.toFixed(2)} us to copy and merge`;
  const shown = [...counts].map(([value, count]) => `${value}: ${formatCount(count)}`);
  const counted = `how often each value came, merged by (a, b) => a + b: { ${shown.join(", ")} }`;
  const done = countDone(results);
  return {
    fields: {
      ...{ dictSize: merged.size, dictOperations: done, collisions: done - merged.size },
      dictPipelinedUs: pipelinedUs,
    },
    text: [describeEntries(merged), counted, price].join("\n"),
  };
}

/** Iterations that did their work, each of which set one entry. */
export function countDone(results: PromiseSettledResult<unknown>[]): number {
  return results.filter((result) => result.status === "fulfilled").length;
}

function timeMs(work: () => void): number {
  const begunMs = performance.now();
  work();
  return performance.now() - begunMs;
}
