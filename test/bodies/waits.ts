// Waits as long as its item says, or fails, and says what it was given.

import { setTimeout as sleep } from "node:timers/promises";

export interface Item {
  ms?: number;
  fails?: true;
  /** What it returns in place of itself. */
  returns?: "a bigint" | "a cycle" | "nothing" | "a Map";
}

export default async function body(item: Item | number): Promise<unknown> {
  const { ms = 1, fails, returns } = typeof item === "number" ? ({} as Item) : item;
  await sleep(ms);
  if (fails) throw Object.assign(new RangeError("it was to fail"), { code: "E_FAILS" });
  if (returns === "a bigint") return 1n;
  if (returns === "a Map") return { in: new Map([[1, 2]]) };
  const cycle: { self?: unknown } = {};
  if (returns === "a cycle") cycle.self = cycle;
  if (returns) return returns === "nothing" ? undefined : cycle;
  return { got: item };
}
