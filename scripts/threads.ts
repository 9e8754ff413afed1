// threads.ts: run a for loop on a pool of worker threads.
//
// Python: ThreadPoolExecutor(max_workers=6).map(body, items)
// Node:   await inThreads(items, new URL("./my-loop.ts", import.meta.url), { workers: 6 })
//
// The threads claim their items from one counter in memory that all of them see, and compute on all
// cores at once: there is no GIL. They do not pay for waiting (async.ts holds hundreds of requests in
// one thread), nor for a loop that is over before they are up, some 50 to 200 ms.
//
// Copy: this file, untouched, down to "Run as a script". my-loop.ts exports the body as its default, a
//       function of (item, context), and if need be setup(context) and teardown() of each thread.
// Run:  npx tsx scripts/threads.ts
//       npx tsx scripts/threads.ts --work cpu --workers 2

import { availableParallelism } from "node:os";
import { inspect, types } from "node:util";
import { deserialize, serialize } from "node:v8";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const ROLE = `a worker of ${import.meta.url}`;

/** What a thread is given. */
interface Job {
  role: string;
  module: string;
  items: Packed[];
  context: Packed;
  patienceMs: number; // how long a report may wait for others
  next: Int32Array; // [the next index to claim], in memory that all threads see
  lanes: Int32Array; // lane -> the index that it is on, or a state; the parent sees it, too
}
const [LOADING, CLAIMING, LATE, TEARDOWN] = [-1, -2, -3, -4];

/** What a thread says. */
interface FromThread {
  role: string;
  reports?: [index: number, startMs: number, endMs: number, result: Packed][];
  failed?: Packed; // as it loaded, or in its setup or teardown
  done?: boolean;
}

/**
 * Calls the default function of `module` for all items, on worker threads. A thread that dies costs
 * the items that it was on, and another takes its place.
 *
 * @returns One settled result for each item, in order.
 * @throws {TypeError | RangeError} An argument is not what is expected.
 * @throws What `onSettled` throws; what a teardown throws, with the `results`.
 */
export async function inThreads<Loop extends LoopModule = AnyLoop>(
  items: readonly Given<Loop>[0][],
  module: URL,
  options: PoolOptions<Result<Loop>, Worker> & WithContext<Given<Loop>[1]>,
): Promise<PromiseSettledResult<Result<Loop>>[]> {
  checkCall(items, module, options as PoolOptions);
  const { workers, signal, itemTimeoutMs, onSettled, onWorker } = options;
  const packed = { items: items.map((item) => pack(item)), context: pack(options.context) };
  const count = items.length;
  const most = Math.min(workers, count);
  const concurrency = Math.min(options.concurrency ?? 1, count);
  const next = new Int32Array(new SharedArrayBuffer(4));
  const outcomes = new Array<PromiseSettledResult<Result<Loop>>>(count);
  const threads = new Map<Worker, Int32Array>(); // each with its lanes
  const places: Promise<void>[] = [];
  let notified: Promise<unknown> = Promise.resolve();
  let stopped: { reason: unknown } | undefined;
  let teardownError: Error | undefined;
  let lastDeath: Error | undefined;
  let failedStarts = 0; // in a row

  function settle(report: Report<Result<Loop>>) {
    if (outcomes[report.index]) return;
    outcomes[report.index] = report.outcome;
    if (!onSettled) return;
    notified = notified.then(() => onSettled(report));
    notified.catch(stop);
  }

  function reject(index: number, reason: unknown, worker = 0) {
    const outcome = { status: "rejected", reason } as const;
    settle({ index, worker, startMs: Number.NaN, endMs: Number.NaN, outcome });
  }

  function stop(reason: unknown) {
    stopped ??= { reason };
    Atomics.store(next, 0, count); // nothing is left to claim
    for (const [thread, lanes] of threads) end(thread, lanes);
  }

  function end(thread: Worker, lanes: Int32Array) {
    if (!threads.delete(thread)) return; // it is being ended
    // Before Node 24, ending a thread as it loads a module may crash all (nodejs/node#43182). It sees
    // that there is nothing to claim, and leaves by itself.
    if (NODE < 24 && lanes[0] === LOADING) setTimeout(() => thread.terminate(), 10_000).unref();
    else void thread.terminate();
  }

  const isWorkLeft = () => Atomics.load(next, 0) < count;
  const openPlace = () => places.length < most && places.push(fillPlace(places.length).catch(stop));

  /** Keeps a thread at work in a place, and another after it should it die. */
  async function fillPlace(place: number) {
    while (isWorkLeft() && failedStarts < Math.max(3, most)) await run(place);
  }

  /** Starts a thread, and hears it to its end. */
  async function run(place: number) {
    const lanes = new Int32Array(new SharedArrayBuffer(4 * concurrency)).fill(LOADING);
    const patienceMs = itemTimeoutMs ? 0 : 0.2;
    const job: Job = { role: ROLE, module: module.href, ...packed, patienceMs, next, lanes };
    const thread = newThread(job, options.execArgv);
    const exited = new Promise<number>((resolve) => thread.once("exit", resolve));
    const seenMs = new Map<number, number>(); // what a lane is on -> for how long that was seen
    let why: unknown;
    let isDone = false;
    threads.set(thread, lanes);
    Promise.resolve(thread).then(onWorker).catch(stop);
    thread.once("message", openPlace); // so as many load at a time as there are cores
    const opening = setTimeout(openPlace, 300); // one that takes so long waits for something
    thread.on("error", (error) => (why ??= error)); // it ends; what it has posted before still comes
    thread.on("messageerror", (error) => {
      why ??= error;
      end(thread, lanes);
    });
    thread.on("message", (message: FromThread | null) => {
      if (message?.role !== ROLE) return; // a message of the body's own
      const { reports = [], failed, done = false } = message;
      for (const [index, startMs, endMs, result] of reports)
        settle({ index, worker: place, startMs, endMs, outcome: outcomeOf(result) });
      if (reports.length > 0) failedStarts = 0;
      isDone ||= done;
      const { reason } = outcomeOf(failed) as PromiseRejectedResult;
      if (done && failed) teardownError ??= reason;
      else if (failed && lanes[0] === LOADING)
        stop(reason); // the next thread could not load it either
      else if (failed) why ??= reason; // in its setup
      if (done || failed) void thread.terminate(); // an orderly exit would take longer
      if (!isWorkLeft())
        for (const [thread, lanes] of threads) if (lanes[0] === LOADING) end(thread, lanes);
    });
    const timer = itemTimeoutMs ? setInterval(endLate, TICK_MS, itemTimeoutMs) : undefined;

    function endLate(limitMs: number) {
      for (const [lane, index] of lanes.entries()) {
        seenMs.set(index, (seenMs.get(index) ?? -TICK_MS) + TICK_MS);
        if (index < 0 || seenMs.get(index)! < limitMs) continue;
        Atomics.compareExchange(lanes, lane, index, LATE);
        reject(index, named("TimeoutError", `item ${index} took longer than ${limitMs} ms`), place);
      }
      // Other items that the thread is on may settle first.
      if (lanes.includes(LATE) && lanes.every((state) => state < 0)) end(thread, lanes);
    }

    const code = await exited;
    clearTimeout(opening);
    clearInterval(timer);
    const wasEnded = !threads.delete(thread); // from here
    if (isDone || stopped) return;
    const text = `thread died: ${inWords(why ?? `exit code ${code}`)}`;
    const died = (where: string) => named("WorkerDied", `${text} (${where})`, why);
    failedStarts = lanes.some((index) => index >= 0 || index === LATE) ? 0 : failedStarts + 1;
    lastDeath = died(failedStarts > 0 ? "at start" : "before it had reported");
    if (lanes[0] === TEARDOWN && !wasEnded) teardownError ??= died("in its teardown");
    for (const index of lanes) if (index >= 0) reject(index, died(`on item ${index}`), place);
  }

  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  const { status, reason } = outcomeOf(packed.context) as PromiseRejectedResult;
  if (status === "rejected") stop(reason);
  for (let cores = availableParallelism(); cores > 0; cores--) openPlace();
  for (const place of places) await place; // also those that are opened meanwhile
  signal?.removeEventListener("abort", onAbort);
  for (const index of outcomes.keys()) reject(index, stopped ? stopped.reason : lastDeath);
  await notified;
  if (teardownError) throw Object.assign(teardownError, { results: outcomes });
  return outcomes;
}

/** The thread's side: each lane claims the next item until there are none. */
async function work({ module, items, context: packed, patienceMs, next, lanes }: Job) {
  const say = (what: Omit<FromThread, "role">) => parentPort!.postMessage({ role: ROLE, ...what });
  let reports: NonNullable<FromThread["reports"]> = [];
  let sentMs = 0;
  function send() {
    if (reports.length > 0) say({ reports });
    reports = [];
    sentMs = performance.now();
  }

  async function runLane(lane: number, loop: Loaded, context: unknown) {
    while (!lanes.includes(LATE)) {
      const index = Atomics.add(next, 0, 1);
      if (index >= items.length) break;
      Atomics.store(lanes, lane, index);
      const startMs = performance.timeOrigin + performance.now();
      const result = await iterate(loop, items[index], context);
      const endMs = performance.timeOrigin + performance.now();
      // At once, unless the last message is less than 0.2 ms old: short iterations share one, sent
      // when the thread next waits at the latest.
      if (reports.push([index, startMs, endMs, result]) === 1) setImmediate(send);
      if (performance.now() - sentMs > patienceMs) send();
      Atomics.compareExchange(lanes, lane, index, CLAIMING);
    }
  }

  printAtOnce();
  process.on("exit", send); // the body may call exit()
  try {
    // The thread leaves when nothing is left to claim: its module may await something for long.
    const leaving = setInterval(() => Atomics.load(next, 0) >= items.length && process.exit(), 5);
    const loop = await loadLoop(module);
    clearInterval(leaving);
    say({}); // the parent may start the next thread
    const context = unpack(packed);
    lanes.fill(CLAIMING); // from here on it ends by itself; until here the parent may end it
    if (Atomics.load(next, 0) < items.length) {
      await loop.setup?.(context);
      await Promise.all(Array.from(lanes.keys(), (lane) => runLane(lane, loop, context)));
      send();
      if (loop.teardown) lanes[0] = TEARDOWN;
      await loop.teardown?.();
    }
    say({ done: true });
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(inspect(thrown));
    say({ failed: pack(error, "error"), done: lanes[0] === TEARDOWN }); // done, if it was the teardown
  }
}

function newThread(workerData: Job, execArgv = flagsForWorkers()): Worker {
  // Node before 22.18 starts threads from JavaScript only: there tsx, by which this runs, loads it.
  const file = new URL(import.meta.url);
  const { typescript } = process.features as { typescript?: unknown };
  if (typescript || !file.pathname.endsWith(".ts"))
    return new Worker(file, { workerData, execArgv });
  const tsx = ["tsx/esm/api", "tsx/cjs/api"].map((name) => import.meta.resolve(name));
  const registered = tsx.map((url) => `import("${url}").then((tsx) => tsx.register())`);
  const load = `Promise.all([${registered}]).then(() => import("${file}"))`;
  return new Worker(load, { workerData, execArgv, eval: true });
}

/** What a thread prints would wait until the parent has read what it printed before. */
function printAtOnce() {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream._writev; // Deno has none
    if (!write) continue;
    stream._writev = (chunks, done) => {
      write.call(stream, chunks, () => {});
      done();
    };
  }
}

const TICK_MS = 20; // between two looks for items that take too long
const NODE = Number.parseInt(process.versions.node, 10);

// From here to "Run as a script", threads.ts and processes.ts are alike, since each is copied alone.

export type LoopModule = { default: (item: never, context: never, ...more: never[]) => unknown };
export type AnyLoop = { default: (item: unknown, context?: unknown) => unknown };
export type Given<Loop extends LoopModule> = Parameters<Loop["default"]>;
export type Result<Loop extends LoopModule> = Awaited<ReturnType<Loop["default"]>>;
export type WithContext<T> = undefined extends T ? { context?: T } : { context: T };

export interface PoolOptions<Value = unknown, Handle = unknown> {
  workers: number; // at most; there are never more than items
  concurrency?: number; // iterations in flight inside each worker: 1 unless given
  signal?: AbortSignal; // aborted, it ends all workers; items not done are rejected with its reason
  itemTimeoutMs?: number; // an item that takes longer fails, and another worker takes over
  onSettled?: (report: Report<Value>) => unknown; // hears of each item, one after another
  onWorker?: (worker: Handle) => unknown; // hears of each worker as it starts
  execArgv?: string[]; // Node's flags for the workers: those of this process unless given
}

/** A settled item. Times are milliseconds since 1970, or NaN where no worker reported them. */
export interface Report<Value = unknown> {
  index: number;
  worker: number; // from 0; one that takes over from another has its number
  startMs: number;
  endMs: number;
  outcome: PromiseSettledResult<Value>;
}

function checkCall(items: unknown, module: unknown, options: PoolOptions) {
  const { workers, concurrency = 1, itemTimeoutMs = 1 } = options;
  if (here.isLoading || here.body === `${module}`)
    throw new Error("Cannot start a loop while its body is loaded, or in its own workers");
  if (!Array.isArray(items))
    throw new TypeError(`Expected an array of items, found ${inspect(items)}`);
  if (!(module instanceof URL))
    throw new TypeError(`Expected a module's URL, found ${inspect(module)}`);
  if (![workers, concurrency, itemTimeoutMs].every((some) => Number.isInteger(some) && some > 0))
    throw new RangeError("Expected whole workers, concurrency and itemTimeoutMs, each at least 1");
}

/** Where this process has flags that would stop a worker, only those by which modules are loaded. */
function flagsForWorkers(): string[] | undefined {
  const harmful = /^--?(inspect|input-type|eval|print|e|p|pe|test|watch)\b/;
  const loading = /^(--import|--require|-r|--conditions|-C|--(experimental-)?loader|--.*-types)\b/;
  if (!process.execArgv.some((flag) => harmful.test(flag))) return undefined; // all of them
  const belongs = (flag = "", before = "") => loading.test(flag[0] === "-" ? flag : before);
  return process.execArgv.filter((flag, at, all) => belongs(flag, all[at - 1]));
}

const here = globalThis as { isLoading?: boolean; body?: string }; // of all copies of this file

/** Loads a body's module. Were that to start a loop of its own, so would the workers, without end. */
export async function loadLoop(url: string) {
  type Exported = ((...given: unknown[]) => unknown) | undefined;
  Object.assign(here, { isLoading: true, body: url });
  const { default: body, setup, teardown }: Record<string, Exported> = await import(url);
  here.isLoading = false;
  if (typeof body !== "function") throw new TypeError(`${url} has no default function`);
  return { body, setup, teardown };
}

async function iterate({ body }: Loaded, item: Packed, context: unknown): Promise<Packed> {
  try {
    return pack(await body(unpack(item), context));
  } catch (error) {
    return pack(error, "error");
  }
}
type Loaded = Awaited<ReturnType<typeof loadLoop>>;

export function named(name: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, cause === undefined ? {} : { cause }), { name });
}

/** What a worker died of: a body may throw anything. */
function inWords(why: unknown): string {
  const words = why instanceof Error ? why.message : why;
  return typeof words === "string" ? words : inspect(words);
}

// A value travels as bytes, unless it is primitive. So a Buffer stays a Buffer; and what cannot be
// written, or cannot be read, is an error of its own item and of nothing else.
export type Packed = unknown;

export function pack(value: unknown, as: "value" | "error" = "value"): Packed {
  if (as === "value" && Object(value) !== value && typeof value !== "symbol") return value;
  try {
    return serialize(as === "value" ? { value } : takeApart(value));
  } catch (error) {
    return pack(as === "value" ? error : inspect(value, { customInspect: false }), "error");
  }
}

/** @throws What was packed as an error, or why it cannot be read. */
export function unpack(packed: Packed): unknown {
  if (!(packed instanceof Uint8Array)) return packed;
  const { value, thrown, errors } = deserialize(packed);
  for (const [error, parts] of errors ?? []) Object.assign(error, parts);
  if (errors) throw thrown;
  // An array with memory of its own, not a part of the whole message's.
  return types.isTypedArray(value) ? Uint8Array.prototype.slice.call(value) : value;
}

export function outcomeOf<Value>(packed: Packed): PromiseSettledResult<Value> {
  try {
    return { status: "fulfilled", value: unpack(packed) as Value };
  } catch (reason) {
    return { status: "rejected", reason };
  }
}

// An error travels bare, and beside it what it carries, by name: a clone would lose most of that.

/** @throws {Error} `value` cannot be cloned. (A part of an error that cannot is left out.) */
function takeApart(value: unknown) {
  const copies = new Map<Error, Error>(); // grows as errors are found within errors
  function copy(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(copy);
    if (!(value instanceof Error || types.isNativeError(value)))
      return deserialize(serialize(value));
    const bare = copies.get(value) ?? new Error("", "cause" in value ? { cause: undefined } : {});
    copies.set(value, Object.assign(bare, { stack: "" }));
    try {
      bare.name = String(value.name);
    } catch {}
    return bare;
  }
  const thrown = copy(value);
  const errors = Array.from(copies, ([error, bare]) => {
    const parts: Record<string, unknown> = {};
    const hidden = ["name", "message", "stack", "code", "cause", "errors"]; // or a prototype's
    for (const key of new Set([...hidden, ...Object.keys(error)])) {
      try {
        if (key in error && key !== "__proto__") parts[key] = copy(error[key as keyof Error]);
      } catch {}
    }
    return [bare, parts];
  });
  return { thrown, errors };
}

// Not awaited: a body may import this file as well, and would wait for it for ever.
if (!isMainThread && workerData?.role === ROLE) void work(workerData);

// Run as a script.

import { runAsScript } from "../lib/main.ts";

runAsScript(import.meta.url, {
  defaultWorkers: (cores) => Math.min(32, cores + 4), // as Python's ThreadPoolExecutor
  inWorkers: (self: typeof import("./threads.ts"), ...call) => self.inThreads(...call),
});
