// A module with a loop whose body runs the loops of two other modules.

import { inProcesses } from "../../scripts/processes.ts";
import { inThreads } from "../../scripts/threads.ts";
import { loop as firstLoop, type Kind } from "./first-loop.ts";
import { loop as secondLoop } from "./second-loop.ts";

export default async function body(item: number, inner: Kind): Promise<string[]> {
  const loops = [firstLoop(inner, [item, item + 1]), secondLoop(inner, [item])];
  const results = (await Promise.all(loops)).flat();
  return results.map((result) => (result.status === "fulfilled" ? result.value : result.reason));
}

export function loop(kind: Kind, items: number[], inner: Kind) {
  const run = kind === "threads" ? inThreads : inProcesses;
  const options = { workers: 2, context: inner };
  return run<typeof import("./nested-loop.ts")>(items, new URL(import.meta.url), options);
}
