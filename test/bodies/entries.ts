// Returns the entries that its item says, for merge-dict.ts, after a while.

import { setTimeout as sleep } from "node:timers/promises";
import { type OddValue, oddValue } from "./odd-value.ts";

export interface Job {
  /** What is returned, as an array or as a Map. */
  entries?: [key: unknown, value: unknown][];
  as?: "a Map";
  /** In place of that: something else. */
  value?: unknown;
  /** In place of that: an entry with an odd value. */
  odd?: OddValue;
  afterMs?: number;
  /** The worker's process or thread, before it returns anything. */
  ends?: true;
}

export default async function body({ entries, as, value, odd, afterMs, ends }: Job) {
  if (afterMs) await sleep(afterMs);
  if (ends) process.exit(3);
  if (odd) return [[odd, oddValue(odd)]];
  return as === "a Map" ? new Map(entries) : (entries ?? value);
}
