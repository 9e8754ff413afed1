// A module with a loop of its own; second-loop.ts imports a function of it, and so does its own loop.

import { inProcesses } from "../../scripts/processes.ts";
import { inThreads } from "../../scripts/threads.ts";

export type Kind = "threads" | "processes";

export function double(item: number): number {
  return 2 * item;
}

export default function body(item: number): string {
  return `first ${double(item)}`;
}

export function loop(kind: Kind, items: number[]) {
  const run = kind === "threads" ? inThreads : inProcesses;
  return run<typeof import("./first-loop.ts")>(items, new URL(import.meta.url), { workers: 2 });
}
