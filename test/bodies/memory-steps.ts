// Does to the dictionary in shared memory what its item says, and returns the answers.

import type { SharedMemoryDict } from "../../scripts/shared-memory.ts";

export interface Job {
  /** Operations by name; "die" ends the thread. */
  steps: [name: "get" | "has" | "set" | "add" | "size" | "die", ...args: number[]][];
  times?: number;
}

export default function body(
  { steps, times = 1 }: Job,
  _context: unknown,
  dict: SharedMemoryDict,
): unknown[] {
  const operations = dict as unknown as Record<string, (...args: number[]) => unknown>;
  const answers: unknown[] = [];
  for (let time = 0; time < times; time++)
    for (const [name, ...args] of steps) {
      if (name === "die") process.exit(1);
      answers.push(operations[name]!(...args));
    }
  return answers;
}
