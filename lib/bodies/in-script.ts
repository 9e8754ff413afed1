// What a script's workers run: the body that its command line names, measured, and for the dictionary
// scripts with its result in a dictionary.

import * as nodeModule from "node:module";
import { isMainThread } from "node:worker_threads";
import type { Usage } from "../timing.ts";

/** What stands around a body. */
export interface InScript {
  /** The body's module. */
  module: string;
  /** What the body itself is told. */
  context: unknown;
  /** Where its result goes: into the dictionary under the item, or back as an entry of it. */
  result?: "into dict" | "as entry" | undefined;
}

type Dict = { set: (key: number, value: unknown) => unknown };
type Called = (...given: unknown[]) => unknown;
let loop: { default: Called; setup?: Called; teardown?: Called };

export async function setup({ module, context }: InScript): Promise<void> {
  Object.assign(globalThis, { isLoading: true }); // a technique that it calls meanwhile refuses
  loop = await import(module);
  Object.assign(globalThis, { isLoading: false });
  await loop.setup?.(context);
}

export default function body(item: number, { context, result }: InScript, dict?: Dict): unknown {
  const returned = loop.default(item, context, dict);
  if (!result) return returned;
  return Promise.resolve(returned).then((value) => {
    // Not awaited: it arrives before the report that this iteration is done, and fails where that does.
    if (result === "into dict") dict!.set(item, value);
    return result === "as entry" ? [[item, value]] : value;
  });
}

export async function teardown(): Promise<void> {
  await loop.teardown?.();
  // What a worker has compiled would be lost with it, and not be there for the next run (Node 22).
  (nodeModule as { flushCompileCache?: () => void }).flushCompileCache?.();
  if (!isMainThread) return; // a thread's usage is its process's
  const usage: Usage = {
    from: "the usage of a process",
    cpu: process.cpuUsage(),
    rssBytes: process.memoryUsage.rss(),
  };
  await new Promise((resolve) => process.send!(usage, resolve));
}
