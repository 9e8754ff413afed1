// Which scripts there are, and what their workers are.

/** Every script that runs a loop, with the flags that choose its kind of workers. */
export const LOOPS = [
  { script: "sequential.ts", flags: [], workers: "none" },
  { script: "async.ts", flags: [], workers: "none" },
  { script: "threads.ts", flags: [], workers: "threads" },
  { script: "processes.ts", flags: [], workers: "processes" },
  { script: "shared-dict.ts", flags: ["--with", "processes"], workers: "processes" },
  { script: "shared-dict.ts", flags: ["--with", "threads"], workers: "threads" },
  { script: "shared-memory.ts", flags: [], workers: "threads" },
  { script: "merge-dict.ts", flags: ["--with", "processes"], workers: "processes" },
  { script: "merge-dict.ts", flags: ["--with", "threads"], workers: "threads" },
] as const;

/** Each script once: for what does not depend on which workers a dictionary has. */
export const SCRIPTS = LOOPS.filter(({ flags }) => !flags.some((flag) => flag === "threads"));

/** A script's name as test names show it. */
export function nameOf({ script, flags }: { script: string; flags: readonly string[] }): string {
  return [script, ...flags].join(" ");
}
