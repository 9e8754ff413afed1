// One module for workers of each kind: multiplies by what its setup was told, fails for 3, and
// writes down in a file that it was set up and torn down.

import { appendFileSync } from "node:fs";

export type Item = number | { word: string };

let log: string | undefined;
let factor = 0;

export function setup(context?: { factor: number }) {
  log = process.env.LIFECYCLE_LOG;
  factor = context?.factor ?? 2;
  if (log) appendFileSync(log, "setup\n");
}

export default async function body(item: Item): Promise<unknown> {
  if (typeof item === "object") return { word: item.word, factor };
  if (item === 3) throw Object.assign(new RangeError("no three"), { code: "E_THREE" });
  return item * factor;
}

export function teardown() {
  if (log) appendFileSync(log, "teardown\n");
}
