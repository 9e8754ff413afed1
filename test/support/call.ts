// Every technique, called in one way: a body of test/bodies/ by its name, items, options.

import type { ChildProcess } from "node:child_process";
import { after, test as nodeTest } from "node:test";
import type { Worker } from "node:worker_threads";
import { concurrently } from "../../scripts/async.ts";
import type { PoolOptions } from "../../scripts/processes.ts";
import { inSequence } from "../../scripts/sequential.ts";
import type { Context, Rule } from "../bodies/rules.ts";
import * as loaded from "./load.ts";

export type Results = PromiseSettledResult<unknown>[];
export type Handle = Worker | ChildProcess;
export type Options = Omit<PoolOptions<unknown, Handle>, "workers"> & {
  workers?: number;
  context?: unknown;
};
export type Call = (
  body: string | URL,
  items: readonly unknown[],
  options?: Options,
) => Promise<Results>;

/** Declares a test that fails where a loop never ends. */
export function test(name: string, run: () => unknown): void {
  nodeTest(name, { timeout: 120_000 }, async () => void (await run()));
}

// Those that have not ended, which would keep this process from ending.
const started = new Set<Handle>();
export const hasEnded = (worker: Handle) => !started.has(worker);
after(() => {
  for (const worker of started) if ("kill" in worker) worker.kill("SIGKILL");
  for (const worker of started) if ("terminate" in worker) void worker.terminate();
});

/**
 * The function of a technique, with 2 workers unless told otherwise.
 *
 * @param exported Its name.
 * @param before What it takes before the items.
 * @param more Options of its own.
 */
export function callOf(exported: string, before: unknown[] = [], more = {}): Call {
  return async (name, items, options = {}) => {
    const { workers = 2, concurrency = 1, onWorker, ...others } = options;
    if (exported === "inSequence") return inSequence(items, await functionOf(name), others);
    if (exported === "concurrently") {
      const both = { ...others, concurrency: workers * concurrency };
      return concurrently(items, await functionOf(name), both);
    }
    const all = loaded as unknown as Record<string, (...given: unknown[]) => Promise<Results>>;
    const listen = (worker: Handle) => {
      started.add(worker);
      worker.once("exit", () => started.delete(worker));
      return onWorker?.(worker);
    };
    const own = { workers, concurrency, onWorker: listen };
    const given = { ...loaded.bare, ...more, ...others, ...own };
    return all[exported]!(...before, items, name instanceof URL ? name : loaded.body(name), given);
  };
}

async function functionOf(
  name: string | URL,
): Promise<(item: unknown, context: unknown) => unknown> {
  const url = name instanceof URL ? name.href : `../bodies/${name}.ts`;
  return (await import(url)).default;
}

/** The two pools. */
export const POOLS = [
  { kind: "threads", call: callOf("inThreads") },
  { kind: "processes", call: callOf("inProcesses") },
] as const;

/** All techniques that have no dictionary. */
export const ALL = [
  { kind: "sequential", call: callOf("inSequence") },
  { kind: "async", call: callOf("concurrently") },
  ...POOLS,
] as const;

/** The context of the body "rules". */
export function rules(...rules: Rule[]): { context: Context } {
  return { context: { rules } };
}

export function upTo(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

/** Each outcome in a word or two: its value, or what its reason is called. */
export function shown(results: Results): unknown[] {
  return results.map((result) =>
    result.status === "fulfilled" ? result.value : nameOf(result.reason),
  );
}

/** The reasons, those of fulfilled ones left out. */
export function reasonsOf(results: Results): Error[] {
  return results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
}

function nameOf(reason: unknown): unknown {
  return reason instanceof Error ? reason.name : reason;
}
