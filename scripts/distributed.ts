// distributed.ts: run a for loop on several machines, with BullMQ on Redis.
//
// Python: group(body.s(item) for item in items)().get(), with app = Celery(broker=url)
// Node:   await distributed(items, new URL("./my-loop.ts", import.meta.url), { redis: url })
//         await serve(new URL("./my-loop.ts", import.meta.url), { redis: url }) // on each machine
//
// For a loop that has outgrown one machine. On one it does not pay: there processes.ts is sooner,
// as here each item goes through Redis and costs some 0.2 ms. Short items should travel in batches.
//
// Copy: this file and processes.ts, untouched, down to "Run as a script", and distributed/redis.ts
//       and run.ts; install bullmq and ioredis. The body is a function of (item, context, dict).
// Run:  npx tsx scripts/distributed.ts
//       npx tsx scripts/distributed.ts --worker on each machine, --batch 10 on one; REDIS_URL set

import { randomUUID } from "node:crypto";
import { type EventEmitter, once } from "node:events";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { deserialize, serialize } from "node:v8";
import { type Job, Queue, QueueEvents, Worker } from "bullmq";
import { connect, type Key, redisDict } from "./distributed/redis.ts";
import * as runs from "./distributed/run.ts";
import * as processes from "./processes.ts";

const { loadLoop, named, outcomeOf, pack, unpack } = processes;
const { firstOf, jobIdOf, keyOf, PREFIX, RUNS, unlessStuck } = runs;

export { redisDict };

/**
 * Not `itemTimeoutMs` and `onWorker`: nobody can end a process of another machine from here. So a
 * body limits its own time, and one that computes for ever costs its worker.
 */
export type DistributedOptions<Value> = {
  redis: string; // redis://user:password@host:port/database, or rediss:// for TLS
  batch?: number; // items that travel together, and run one after another: 1 unless given
  lostAfterMs?: number; // a worker not heard of for so long is dead: 10,000 unless given
  again?: boolean; // what a dead worker had is run again, so an item may run more than once
  run?: string; // its name: it outlives this process, and the same call collects what was done
  dict?: Map<Key, unknown>; // what the shared dictionary begins with, and is at the end
} & Pick<processes.PoolOptions<Value>, "signal" | "onSettled">;

export interface ServeOptions {
  redis: string;
  concurrency?: number; // iterations in flight here, of all runs together: 1 unless given
  signal?: AbortSignal; // aborted, it finishes what it is on, and leaves
  onNews?: (text: string) => void; // hears what runs this takes part in, or why not
}

/**
 * Calls the default function of `module` for all items, in the processes that {@link serve} it.
 * One that dies costs the batches that it was on, unless they are to run `again`.
 *
 * @returns One settled result for each item, in order.
 * @throws {TypeError | RangeError} An argument is not what is expected.
 * @throws {Error} Redis cannot be used, or has a run of that name with other items.
 * @throws What `onSettled` throws.
 */
export async function distributed<Loop extends processes.LoopModule = processes.AnyLoop>(
  given: readonly processes.Given<Loop>[0][],
  module: URL,
  options: DistributedOptions<processes.Result<Loop>> &
    processes.WithContext<processes.Given<Loop>[1]>,
): Promise<PromiseSettledResult<processes.Result<Loop>>[]> {
  type Value = processes.Result<Loop>;
  const { batch = 1, lostAfterMs = 10_000, again = false, signal, onSettled, dict } = options;
  const run = options.run ?? randomUUID();
  if (!Array.isArray(given) || !(module instanceof URL))
    throw new TypeError("Expected an array of items and a module's URL");
  if (![batch, lostAfterMs].every((some) => Number.isInteger(some) && some > 0))
    throw new RangeError("Expected a whole batch and lostAfterMs, each at least 1");
  if (!/^[\w.-]+$/.test(run)) throw new RangeError("Expected a run of letters, digits, - and _");
  const items = Array.from(given, (item) => pack(item)); // without holes
  const count = items.length;
  const outcomes = new Array<PromiseSettledResult<Value>>(count);
  const workers = new Map<string, number>(); // name -> number, in the order of first results
  let unsettled = count;
  let notified: Promise<unknown> = Promise.resolve();
  const over = new AbortController(); // since every item has settled, or for another reason
  const stop = (reason: unknown) => over.abort(reason);

  function settle(report: processes.Report<Value>) {
    if (outcomes[report.index]) return;
    outcomes[report.index] = report.outcome;
    if (--unsettled === 0) over.abort();
    if (!onSettled) return;
    notified = notified.then(() => onSettled(report));
    notified.catch(stop);
  }

  function reject(index: number, reason: unknown) {
    const outcome = { status: "rejected", reason } as const;
    settle({ index, worker: 0, startMs: Number.NaN, endMs: Number.NaN, outcome });
  }

  const context = pack(options.context);
  const what = { context, lostAfterMs, count, batch, again, digest: runs.hash(serialize(items)) };
  const spec = serialize({ ...runs.versionOf(module), ...what } satisfies runs.RunSpec);
  const server = await connect(options.redis);
  const { redis, disconnect } = server;
  const before = await redis.getBuffer(keyOf(run, "spec"));
  if (before && !before.equals(spec)) {
    disconnect();
    throw new Error(`Run "${run}" is there with other items, another body, or other options`);
  }
  const entries = redisDict(redis, keyOf(run, "dict"));
  const bull = { connection: redis, prefix: PREFIX };
  const queue = new Queue(run, { ...bull, streams: { events: { maxLen: 1e9 } } });
  const events = new QueueEvents(run, { ...bull, lastEventId: "0" }); // also those that were before
  // Only the parent looks for jobs whose worker is dead: it decides what becomes of them.
  const stalls = { stalledInterval: lostAfterMs / 4, maxStalledCount: again ? 3 : 0 };
  const checker = new Worker(run, null, { ...bull, ...stalls });
  for (const part of [queue, events, checker] as EventEmitter[]) part.on("error", () => {});

  events.on("completed", ({ jobId, returnvalue }) => {
    const { name, reports } = deserialize(Buffer.from(returnvalue, "base64"));
    if (!workers.has(name)) workers.set(name, workers.size);
    for (const [offset, [start, end, result]] of reports.entries()) {
      const times = { startMs: start - server.aheadMs, endMs: end - server.aheadMs };
      const [index, worker] = [firstOf(jobId) + offset, workers.get(name)!];
      settle({ index, worker, ...times, outcome: outcomeOf(result) });
    }
  });
  // A job that may not run again fails in whichever worker takes it next, and there may be none.
  events.on((again ? "failed" : "stalled") as "stalled", async ({ jobId }) => {
    const job = await queue.getJob(jobId).catch(() => undefined);
    const text = `worker ${job?.processedBy ?? "?"} was not heard of for ${lostAfterMs} ms`;
    const others = batch > 1 ? `, or others of ${batch} sent with it` : "";
    const first = firstOf(jobId);
    for (let index = first; index < Math.min(first + batch, count); index++)
      reject(index, named("WorkerDied", `${text} (on item ${index}${others})`));
  });

  async function addAll() {
    await redis.set(keyOf(run, "spec"), spec);
    await checker.startStalledCheckTimer();
    for (let first = 0; first < count && !over.signal.aborted; ) {
      const jobs = [];
      for (; first < count && jobs.length < 100; first += batch) {
        if (outcomes[first]) continue;
        const data = serialize(items.slice(first, first + batch)).toString("base64");
        const opts = { jobId: jobIdOf(first), removeOnComplete: !options.run };
        jobs.push({ name: "batch", data, opts });
      }
      await queue.addBulk(jobs); // one that is there already stays as it is
    }
  }

  /** Leaves nothing in Redis, but of a run with a name what is done. */
  async function end() {
    await adding;
    await redis.srem(RUNS, run);
    await checker.close(true);
    for (const [key, value] of dict ? await entries.entries() : []) dict?.set(key, value);
    if (!options.run || unsettled === 0) await runs.forget(redis, run, what);
  }

  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  if (count === 0) over.abort();
  const isSendable = outcomeOf(context);
  if (isSendable.status === "rejected") stop(isSendable.reason);
  let adding = Promise.resolve<unknown>(!before && dict && entries.update(dict)).catch(stop);
  const add = () => (adding = adding.then(addAll).catch(stop)); // or again what Redis forgot
  runs.keepAlive(server, run, what, options.run !== undefined, over, add).catch(stop);
  if (!over.signal.aborted) await once(over.signal, "abort");
  signal?.removeEventListener("abort", onAbort);
  await unlessStuck(server, end());
  await unlessStuck(server, Promise.all([checker.close(true), queue.close(), events.close()]));
  disconnect();
  for (const index of outcomes.keys()) reject(index, over.signal.reason);
  await notified;
  return outcomes;
}

/**
 * Runs the body of `module` for all that call {@link distributed} with the same file, until
 * `signal` is aborted; what it is on then is finished first.
 *
 * Calls its setup for each run, and its teardown once it has left the last run that is set up.
 *
 * @throws {Error} Redis cannot be used, or the module not be loaded.
 * @throws What a teardown throws, once `signal` is aborted.
 */
export async function serve(module: URL, options: ServeOptions): Promise<void> {
  const { concurrency = 1, signal, onNews = () => {} } = options;
  const inTurn = runs.limit(concurrency); // BullMQ would have as many in flight for each run
  const loop = await loadLoop(module.href);
  const own = runs.versionOf(module);
  const server = await connect(options.redis);
  const { redis } = server;
  const name = `${hostname()}:${process.pid}`;
  const joined = new Map<string, Promise<Worker | undefined>>(); // by run
  const left: Promise<void>[] = []; // of each run that was left
  const isSetUp = new Set<string>(); // runs
  const oneByOne = runs.limit(1); // a setup does not begin while a teardown runs
  let teardownFailed: { error: unknown } | undefined;
  onNews(`${name} serves ${own.body}`);

  async function tearDown(run: string) {
    if (!isSetUp.delete(run) || isSetUp.size > 0) return;
    try {
      await loop.teardown?.();
    } catch (error) {
      teardownFailed ??= { error };
      onNews(`run ${run}: teardown failed: ${error}`);
    }
  }

  async function join(run: string): Promise<Worker | undefined> {
    const packed = await redis.getBuffer(keyOf(run, "spec"));
    if (!packed) throw new Error("it is over, or its parent has not said what to do");
    const spec: runs.RunSpec = deserialize(packed);
    const refuse = (why: unknown) => void onNews(`run ${run} is refused: ${why}`);
    if (spec.body !== own.body) return refuse(`its body is ${spec.body}, not ${own.body}`);
    const context = unpack(spec.context);
    try {
      if (spec.version !== own.version)
        throw named("VersionError", `${name} has another version of ${own.body}`);
      await oneByOne(async () => {
        if (!isSetUp.has(run)) await loop.setup?.(context);
        isSetUp.add(run);
      });
    } catch (error) {
      await redis.hset(keyOf(run, "workers"), name, pack(error, "error") as Buffer);
      return refuse(error);
    }
    await redis.hset(keyOf(run, "workers"), name, "");
    onNews(`run ${run}: joined`);
    const dict = redisDict(redis, keyOf(run, "dict"));
    const call = async (item: unknown) => pack(await loop.body(unpack(item), context, dict));
    const sureForMs = Math.min(spec.lostAfterMs / 4, 250);
    let confirmed: unknown; // on which connection

    async function work(job: Job, token?: string) {
      const reports = [];
      let sureMs = job.processedOn!; // by this clock, before Redis was asked for it
      for (const item of deserialize(Buffer.from(job.data, "base64"))) {
        const connection = server.epoch();
        // Meanwhile BullMQ tells Redis that this worker lives, also in a batch that computes.
        if (confirmed !== connection || Date.now() - sureMs > sureForMs) {
          await runs.confirm(server, run, job.id, token);
          confirmed = connection;
          sureMs = Date.now();
        }
        const startMs = server.nowMs();
        const result = await call(item).catch((error) => pack(error, "error"));
        reports.push([startMs, server.nowMs(), result]);
      }
      return serialize({ name, reports }).toString("base64");
    }

    const locks = { lockDuration: spec.lostAfterMs, skipStalledCheck: true, runRetryDelay: 500 };
    const bull = { connection: redis, prefix: PREFIX, name, concurrency, ...locks };
    const worker = new Worker(run, (job, token) => inTurn(() => work(job, token)), bull);
    return worker.on("error", () => {}); // it goes on when Redis is back
  }

  async function leave(run: string, isThere = true) {
    const joining = joined.get(run);
    joined.delete(run);
    const worker = await joining?.catch(() => undefined);
    await worker?.close(!isThere);
    await oneByOne(() => tearDown(run));
    if (worker) onNews(`run ${run}: left`);
    // Of a run that is over: what was written as it ended.
    if (isThere && !(await redis.exists(keyOf(run, "spec")))) await runs.forget(redis, run);
  }

  async function look() {
    const living = await runs.sweep(redis);
    for (const run of living.filter((run) => !joined.has(run))) {
      const joining = join(run);
      joined.set(run, joining);
      joining.catch(() => joined.delete(run)); // to be tried again
    }
    for (const run of joined.keys()) if (!living.includes(run)) left.push(leave(run));
  }

  while (!signal?.aborted) {
    await Promise.race([look().catch(() => {}), sleep(1000, undefined, { ref: false })]);
    await sleep(100, undefined, signal ? { signal } : {}).catch(() => {});
  }
  const isThere = redis.status === "ready"; // or nobody can hear of what is done
  const closed = Promise.all([...left, ...[...joined.keys()].map((run) => leave(run, isThere))]);
  await unlessStuck(server, closed, isThere);
  for (const run of isSetUp) await oneByOne(() => tearDown(run)); // where leaving it was stuck
  server.disconnect();
  if (teardownFailed) throw teardownFailed.error;
}

// Run as a script.

import { runAsScript } from "../lib/main.ts";

runAsScript(import.meta.url, {
  defaultWorkers: () => 2, // on this machine; it starts none where --redis names a Redis
  own: () => import("./distributed/on-redis.ts"),
});
