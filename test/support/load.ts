// The techniques and the loop bodies of test/bodies/, as workers on this runtime can load them.

import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { loadable } from "../../lib/runtime.ts";

const folder = new URL("../bodies/", import.meta.url);
const scripts = ["threads", "processes", "shared-dict", "shared-memory", "merge-dict"] as const;
const bodies = readdirSync(folder).filter((file) => file.endsWith(".ts"));
const ready = await loadable([
  ...scripts.map((name) => new URL(`../../scripts/${name}.ts`, import.meta.url)),
  ...bodies.map((file) => new URL(file, folder)),
]);
const [threads, processes, sharedDict, sharedMemory, mergeDict] = ready.map((url) => url.href);

export const { inThreads }: typeof import("../../scripts/threads.ts") = await import(threads!);
export const { inProcesses }: typeof import("../../scripts/processes.ts") = await import(
  processes!
);
export const { intoSharedDict }: typeof import("../../scripts/shared-dict.ts") = await import(
  sharedDict!
);
export const {
  dictMemory,
  intoSharedMemory,
  sharedMemoryDict,
}: typeof import("../../scripts/shared-memory.ts") = await import(sharedMemory!);
export const { intoMergedDict, mergeInto }: typeof import("../../scripts/merge-dict.ts") =
  await import(mergeDict!);

/** The module test/bodies/NAME.ts. */
export function body(name: string): URL {
  const index = bodies.findIndex((file) => basename(file, ".ts") === name);
  if (index < 0) throw new Error(`there is no test/bodies/${name}.ts`);
  return ready[scripts.length + index]!;
}

/** For workers: what {@link body} gives needs no flags of this process, which may be slow to load. */
export const bare = { execArgv: [] };
