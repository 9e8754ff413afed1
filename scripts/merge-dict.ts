// merge-dict.ts: let every iteration return entries, and merge them into one dictionary.
//
// Python: for future in futures: merged.update(future.result())
// Node:   await intoMergedDict(dict, items, new URL("./my-loop.ts", import.meta.url), { workers: 2 })
//
// Nothing is shared, so nothing can be lost or waited for: only the parent writes. By `merge` it adds,
// collects or chooses, where a key comes again. It does not pay where entries are item -> result:
// any technique returns those. Nor where workers must see each other's entries while they work; that
// takes shared-dict.ts or shared-memory.ts.
//
// Copy: this file, processes.ts and threads.ts, untouched, each down to "Run as a script". The body in
//       my-loop.ts returns entries: a Map, or an array of [key, value].
// Run:  npx tsx scripts/merge-dict.ts
//       npx tsx scripts/merge-dict.ts --with threads --workers 8

import type { ChildProcess } from "node:child_process";
import { inspect } from "node:util";
import type { Worker } from "node:worker_threads";
import type {
  AnyLoop,
  Given,
  LoopModule,
  PoolOptions,
  Report,
  Result,
  WithContext,
} from "./processes.ts";
import { inProcesses } from "./processes.ts";
import { inThreads } from "./threads.ts";

type Entries<Key, Value> = Iterable<readonly [Key, Value]>;
type Merge<Key, Value> = (before: Value, value: Value, key: Key) => Value;
export type MergeOptions<Loop extends LoopModule, Key, Value> = {
  with?: "processes" | "threads"; // processes unless given
  merge?: Merge<Key, Value>; // what becomes of a key that comes again: the later value unless given
} & PoolOptions<Result<Loop>, ChildProcess | Worker> &
  WithContext<Given<Loop>[1]>;

/**
 * Runs a loop on processes or threads, and merges the entries that its iterations return into `dict`,
 * in the order of the items.
 *
 * @returns One settled result for each item. Rejected is also one that returned something else.
 */
export async function intoMergedDict<Key, Value, Loop extends LoopModule = AnyLoop>(
  dict: Map<Key, Value>,
  items: readonly Given<Loop>[0][],
  module: URL,
  options: MergeOptions<Loop, Key, Value>,
): Promise<PromiseSettledResult<Result<Loop>>[]> {
  const { with: kind, merge, onSettled, ...others } = options;
  const run = kind === "threads" ? inThreads : inProcesses;
  const hear = (report: Report<Result<Loop>>) =>
    onSettled!({ ...report, outcome: checked(report.outcome) });
  const all = { ...others, ...(onSettled && { onSettled: hear }) } as never;
  const mergeAll = (results: PromiseSettledResult<Result<Loop>>[]) => {
    const outcomes = results.map(checked);
    for (const outcome of outcomes)
      if (outcome.status === "fulfilled")
        mergeInto(dict, outcome.value as Entries<Key, Value>, merge);
    return outcomes;
  };
  try {
    return mergeAll(await run<Loop>(items, module, all));
  } catch (error) {
    const thrown = error as { results?: PromiseSettledResult<Result<Loop>>[] } | undefined;
    if (thrown?.results) thrown.results = mergeAll(thrown.results); // a teardown failed after them
    throw error;
  }
}

/** The same outcome, or where that is no entries, a rejection. */
function checked<Value>(outcome: PromiseSettledResult<Value>): PromiseSettledResult<Value> {
  if (outcome.status === "rejected" || outcome.value instanceof Map) return outcome;
  const isEntry = (each: unknown) => Array.isArray(each) && each.length === 2;
  if (Array.isArray(outcome.value) && outcome.value.every(isEntry)) return outcome;
  const message = `Expected entries [key, value], found ${inspect(outcome.value)}`;
  return { status: "rejected", reason: new TypeError(message) };
}

/** Puts entries into a dictionary, in their order. */
export function mergeInto<Key, Value>(
  dict: Map<Key, Value>,
  entries: Entries<Key, Value>,
  merge: Merge<Key, Value> = (_before, value) => value,
) {
  for (const [key, value] of entries)
    dict.set(key, dict.has(key) ? merge(dict.get(key)!, value, key) : value);
}

// Run as a script.

import { runAsScript } from "../lib/main.ts";

let merged = new Map<unknown, unknown>();

runAsScript(import.meta.url, {
  takesWith: true,
  defaultWorkers: (cores, kind) => (kind === "processes" ? cores : Math.min(32, cores + 4)),
  result: "as entry",
  inWorkers(self: typeof import("./merge-dict.ts"), items, module, options) {
    merged = new Map();
    return self.intoMergedDict(merged, items, module, options);
  },
  async afterRun(_self, results) {
    const { entriesOf, showDict, timeUs } = await import("../lib/command/dictionary.ts");
    const { formatCount } = await import("../lib/terminal/format.ts");
    const entries = results.flatMap((each) =>
      each.status === "fulfilled" ? [...(each.value as unknown[])] : [],
    );
    const dictOperations = entries.length;
    const collisions = dictOperations - merged.size;
    const counts = new Map<unknown, number>();
    for (const value of merged.values()) mergeInto(counts, [[value, 1]], (a, b) => a + b);
    const shown = new Map(Array.from(counts, ([value, count]) => [value, formatCount(count)]));
    const fresh = new Map<number, number>();
    const dictPipelinedUs = await timeUs(10_000, (times) => {
      for (let key = 0; key < times; key++) mergeInto(fresh, structuredClone([[key, key]]));
    });
    return showDict(merged, { dictOperations, collisions, dictPipelinedUs }, [
      `how often each value came, merged by (a, b) => a + b: ${entriesOf(shown)}`,
      `one entry: ${dictPipelinedUs.toFixed(2)} us to copy and merge`,
    ]);
  },
});
