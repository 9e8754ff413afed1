// A module with a loop whose body uses a function of another module with a loop.

import { inProcesses } from "../../scripts/processes.ts";
import { inThreads } from "../../scripts/threads.ts";
import { double, type Kind } from "./first-loop.ts";

export default function body(item: number): string {
  return `second ${double(item) + 1}`;
}

export function loop(kind: Kind, items: number[]) {
  const run = kind === "threads" ? inThreads : inProcesses;
  return run<typeof import("./second-loop.ts")>(items, new URL(import.meta.url), { workers: 2 });
}
