// What the dictionary scripts show of their dictionary, and how they time what is done to it.

import { plural } from "../terminal/format.ts";
import type { RunRecord } from "./record.ts";

/** The fields of a record, and as text the dictionary's size and entries, and more lines. */
export function showDict(
  dict: Map<unknown, unknown>,
  fields: Partial<RunRecord>,
  lines: string[] = [],
) {
  const entries = `${plural(dict.size, "entry", "entries")}: ${entriesOf(dict)}`;
  const text = [`dictionary with ${entries}`, ...lines].join("\n");
  return { fields: { dictSize: dict.size, ...fields }, text };
}

/** Of many, only the first and the last. */
export function entriesOf(dict: Map<unknown, unknown>): string {
  const shown = [...dict].map(([key, value]) => `${key}: ${value}`);
  if (shown.length > 6) shown.splice(3, shown.length - 6, "...");
  return `{ ${shown.join(", ")} }`;
}

/** How many microseconds each of `times` operations takes, after a warm-up. */
export async function timeUs(times: number, operate: (times: number) => unknown): Promise<number> {
  await operate(times / 5);
  const begunMs = performance.now();
  await operate(times);
  return ((performance.now() - begunMs) / times) * 1000;
}
