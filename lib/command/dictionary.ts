// What the dictionary scripts show of their dictionary, and how they time what is done to it.

import { plural } from "../terminal/format.ts";
import type { RunRecord } from "./record.ts";

/** The fields of a record, and as text the dictionary's size, first and last entries, and more lines. */
export function showDict(
  dict: Map<unknown, unknown>,
  fields: Partial<RunRecord>,
  lines: string[] = [],
) {
  const shown = [...dict].map(([key, value]) => `${key}: ${value}`);
  if (shown.length > 6) shown.splice(3, shown.length - 6, "...");
  const entries = `${plural(dict.size, "entry", "entries")}: { ${shown.join(", ")} }`;
  const text = [`dictionary with ${entries}`, ...lines].join("\n");
  return { fields: { dictSize: dict.size, ...fields }, text };
}

/** How many microseconds each of `times` operations takes, after a warm-up. */
export async function timeUs(times: number, operate: (times: number) => unknown): Promise<number> {
  await operate(times / 5);
  const begunMs = performance.now();
  await operate(times);
  return ((performance.now() - begunMs) / times) * 1000;
}
