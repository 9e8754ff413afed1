// What Redis holds of a run of distributed.ts, from its first key to its last, and whether it goes
// on.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { deserialize } from "node:v8";
import { QueueKeys } from "bullmq";
import type { Redis } from "ioredis";
import { named, outcomeOf, type Packed } from "../processes.ts";
import type { Server } from "./redis.ts";

export const PREFIX = "parallel-for"; // of all keys in Redis
export const RUNS = `${PREFIX}:runs`; // the set of runs that workers take part in
const PARTS = ["workers", "dict", "alive", "spec"] as const; // a run's keys that are not BullMQ's
export const keyOf = (run: string, part: string) => `${PREFIX}:${run}:${part}`;
const GRACE_MS = 2000; // for a worker to come that can run what others cannot

/** A job's id by its first item (BullMQ takes no plain number), and back. */
export const jobIdOf = (first: number) => `from-${first}`;
export const firstOf = (jobId: string) => Number(jobId.slice("from-".length));

/** What workers must know of a run. */
export interface RunSpec {
  body: string; // its file name
  version: string; // a hash of that file
  context: Packed;
  lostAfterMs: number;
  count: number; // of items
  batch: number;
  again: boolean;
  digest: string; // of the items: another call of the run's name must have them, and all this
}

/**
 * Lets workers find a run, and renews its sign of life until it is `over`: where that has expired, they
 * leave a run without a name. Has all items added, and once more what a restarted Redis has forgotten.
 * Ends the run by `over` if Redis was lost, or if no worker can run it.
 */
export async function keepAlive(
  { redis, epoch, where }: Server,
  run: string,
  { lostAfterMs, again }: Pick<RunSpec, "lostAfterMs" | "again">,
  isNamed: boolean,
  over: AbortController,
  add: () => unknown,
) {
  const lost = (why: string) => over.abort(named("RedisLost", `Redis at ${where} ${why}`));
  const firstEpoch = await epoch();
  const beganMs = performance.now();
  let heardMs = beganMs;
  let trouble = "no answer";
  let addedTo: string | undefined; // in which epoch
  sweep(redis).catch(() => {}); // of those whose parent is dead

  async function beat(...how: string[]) {
    const now = await epoch();
    if (now !== firstEpoch && !again)
      return lost("was restarted and may have forgotten what is done");
    const life = isNamed ? [] : ["PX", `${lostAfterMs}`];
    const isThere = await redis.call("SET", keyOf(run, "alive"), now, ...life, ...how);
    if (!isThere) return lost(`was emptied, or did not hear from here for ${lostAfterMs} ms`);
    heardMs = performance.now();
    if (addedTo !== now && !over.signal.aborted) add();
    addedTo = now;
    if (how.length === 0) await redis.sadd(RUNS, run);
    const answers = await redis.hvalsBuffer(keyOf(run, "workers"));
    if (answers.length === 0 || answers.some((answer) => answer.length === 0)) return;
    if (performance.now() - beganMs < GRACE_MS) return;
    const { reason } = outcomeOf(answers[0]) as PromiseRejectedResult;
    over.abort(named("WorkerDied", `no worker can run this: ${reason}`, reason));
  }

  for (let how: string[] = []; !over.signal.aborted; how = ["XX"]) {
    beat(...how).catch(({ message }) => {
      trouble = message;
    });
    await sleep(Math.min(lostAfterMs / 4, 250), undefined, { ref: false });
    if (performance.now() - heardMs > lostAfterMs)
      lost(`did nothing for ${lostAfterMs} ms: ${trouble}`);
  }
}

/**
 * Resolves when a worker may begin with the next item of a job.
 *
 * @throws {Error} The run is over, or this worker was taken for dead and has lost the job.
 */
export async function confirm({ redis, epoch }: Server, run: string, jobId = "", token = "") {
  for (;;) {
    const keys = [keyOf(run, "alive"), keyOf(run, `${jobId}:lock`)];
    const [alive, holder] = await redis.mget(keys);
    if (alive === null || holder !== token) throw new Error("it is no longer this worker's");
    if (alive === (await epoch())) return;
    await sleep(50); // until the parent knows what to do about a Redis that was restarted
  }
}

/** Forgets the runs without a name whose parent is dead, and returns the others. */
export async function sweep(redis: Redis): Promise<string[]> {
  const runs = await redis.smembers(RUNS);
  const alive = await Promise.all(runs.map((run) => redis.exists(keyOf(run, "alive"))));
  await Promise.all(runs.map((run, at) => !alive[at] && forget(redis, run)));
  return runs.filter((_, at) => alive[at]);
}

/** Removes all that Redis has of a run. */
export async function forget(redis: Redis, run: string, spec?: Pick<RunSpec, "count" | "batch">) {
  const packed = await redis.getBuffer(keyOf(run, "spec"));
  const { count, batch } = spec ?? (packed ? deserialize(packed) : { count: 0, batch: 1 });
  const keys = Object.values(new QueueKeys(PREFIX).getKeys(run));
  for (let first = 0; first < count; first += batch)
    keys.push(keyOf(run, jobIdOf(first)), keyOf(run, `${jobIdOf(first)}:lock`));
  keys.push(...PARTS.map((part) => keyOf(run, part)));
  for (let from = 0; from < keys.length; from += 1000)
    await redis.unlink(keys.slice(from, from + 1000));
  await redis.srem(RUNS, run);
}

/** What tells a body from others: the name of its file, and a hash of its text. */
export function versionOf(module: URL) {
  return { body: basename(module.pathname), version: hash(readFileSync(module)) };
}

export const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/**
 * Waits for `work` as long as Redis answers: without Redis, some of BullMQ's promises stay pending.
 *
 * @param isComputing This thread may hear no answer meanwhile: it waits while Redis is connected.
 */
export async function unlessStuck({ redis }: Server, work: Promise<unknown>, isComputing = false) {
  const within1s = (some: Promise<unknown>) =>
    Promise.race([Promise.allSettled([some]), sleep(1000, undefined, { ref: false })]);
  let answer: unknown;
  do answer = isComputing ? redis.status === "ready" : within1s(redis.ping());
  while (!(await within1s(work)) && (await answer));
}

/** At most so many calls at a time; the others in their order. */
export function limit(free: number) {
  if (!Number.isInteger(free) || free < 1)
    throw new RangeError("Expected a whole concurrency, at least 1");
  const waiting: (() => void)[] = [];
  return async <Result>(call: () => Promise<Result>): Promise<Result> => {
    if (free-- <= 0) await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await call();
    } finally {
      free++;
      waiting.shift()?.();
    }
  };
}
