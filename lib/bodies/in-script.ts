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

type Dict = { set: (key: number, value: never) => unknown };
let loop: { default: (...given: unknown[]) => unknown; setup?: unknown; teardown?: unknown };

const call = async (optional: unknown, ...given: unknown[]) =>
  typeof optional === "function" ? optional(...given) : undefined;

export async function setup({ module, context }: InScript): Promise<void> {
  // Like the techniques themselves: a loop that the module starts would start others without end.
  const here = globalThis as { isLoading?: boolean };
  here.isLoading = true;
  loop = await import(module);
  here.isLoading = false;
  if (typeof loop.default !== "function") throw new TypeError(`${module} has no default function`);
  await call(loop.setup, context);
}

export default function body(item: number, { context, result }: InScript, dict?: Dict): unknown {
  const value = loop.default(item, context, dict);
  return result ? keep(item, value, result, dict) : value;
}

async function keep(item: number, value: unknown, result: InScript["result"], dict?: Dict) {
  const settled = await value;
  if (result === "as entry") return [[item, settled]];
  // Not awaited: it arrives before the report that this iteration is done, and fails where that does.
  Promise.resolve(dict!.set(item, settled as never)).catch(() => {});
  return settled;
}

/** What the body itself returned, where that came back as an entry. */
export function withoutEntry(
  outcome: PromiseSettledResult<unknown>,
): PromiseSettledResult<unknown> {
  if (outcome.status === "rejected") return outcome;
  const [[, value]] = outcome.value as [[number, unknown]];
  return { status: "fulfilled", value };
}

export async function teardown(): Promise<void> {
  await call(loop.teardown);
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
