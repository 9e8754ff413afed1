// processes.ts: run a for loop on a pool of child processes.
//
// Python: ProcessPoolExecutor(max_workers=2).map(body, items)
// Node:   await inProcesses(items, new URL("./my-loop.ts", import.meta.url), { workers: 2 })
//
// For work that may crash (native code) or must not share a process: what kills one leaves the others
// alone. They do not pay for waiting (async.ts), nor where threads would do (threads.ts): each takes 70
// to 300 ms to start and 50 MB or more, and every item and result is sent by message.
//
// Copy: this file, untouched, down to "Run as a script". my-loop.ts exports the body as its default, a
//       function of (item, context), and if need be setup(context) and teardown() of each process.
// Run:  npx tsx scripts/processes.ts
//       npx tsx scripts/processes.ts --work cpu --workers 2

import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect, types } from "node:util";
import { deserialize, serialize } from "node:v8";

const ROLE = `--worker-of=${import.meta.url}`;

/** What the parent says: what to load, items to work off, and that there are no more. */
interface ToProcess {
  role: string;
  job?: { module: string; context: Packed; concurrency: number; isDeaf: boolean };
  group?: { indexes: number[]; items: Packed[]; isShort: boolean };
}

/** What a process says. */
interface FromProcess {
  role: string;
  is?: "loaded" | "ending" | "done";
  reports?: [index: number, startMs: number, endMs: number, result: Packed][];
  begins?: number; // an item that is not short; of short ones it does not say so
  returned?: number[]; // items that it has not begun, and will not
  failed?: Packed; // in its load, setup or teardown; or what it dies of
  on?: number[]; // what it is on when it ends by itself
}

/** The state of a process: what it has said last, or what the parent has done about it since. */
type State = "starting" | NonNullable<FromProcess["is"]> | "late" | "asked";

/**
 * Calls the default function of `module` for all items, in child processes. A process that dies costs
 * the items that it was on, and another takes its place.
 *
 * @returns One settled result for each item, in order.
 * @throws {TypeError | RangeError} An argument is not what is expected.
 * @throws What `onSettled` throws; what a teardown throws, with the `results`.
 */
export async function inProcesses<Loop extends LoopModule = AnyLoop>(
  given: readonly Given<Loop>[0][],
  module: URL,
  options: PoolOptions<Result<Loop>, ChildProcess> & WithContext<Given<Loop>[1]>,
): Promise<PromiseSettledResult<Result<Loop>>[]> {
  checkCall(given, module, options as PoolOptions);
  const { workers, signal, itemTimeoutMs, onSettled, onWorker } = options;
  const items = Array.from(given); // without holes, whatever becomes of the original
  const context = pack(options.context);
  const most = Math.min(workers, items.length);
  const concurrency = Math.min(options.concurrency ?? 1, items.length);
  const outcomes = new Array<PromiseSettledResult<Result<Loop>>>(items.length);
  const children = new Map<ChildProcess, () => void>(); // each with what feeds it
  const places: Promise<void>[] = [];
  let returned: number[] = []; // sent to a process, and not begun there
  let next = 0;
  let unsettled = items.length;
  let notified: Promise<unknown> = Promise.resolve();
  let stopped: { reason: unknown } | undefined;
  let teardownError: Error | undefined;
  let lastDeath: Error | undefined;
  let failedStarts = 0; // in a row

  function settle(report: Report<Result<Loop>>) {
    if (outcomes[report.index]) return;
    outcomes[report.index] = report.outcome;
    if (--unsettled === 0) for (const feed of children.values()) feed();
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
    for (const child of children.keys()) kill(child);
  }

  const isWorkLeft = () => next < items.length || returned.length > 0;
  const openPlace = () => places.length < most && places.push(fillPlace(places.length).catch(stop));

  /** Keeps a process at work in a place, and another after it should it die. */
  async function fillPlace(place: number) {
    while (isWorkLeft() && !stopped && failedStarts < Math.max(3, most)) {
      await run(place);
      // Ctrl-C ends those that cannot listen yet: start no more until this process has heard it, too.
      if (failedStarts > 0) await sleep(100);
    }
  }

  /** Starts a process, and hears it to its end. */
  async function run(place: number) {
    const execArgv = options.execArgv ?? flagsForWorkers();
    const child = fork(new URL(import.meta.url), [ROLE], { serialization: "advanced", execArgv });
    const held = new Map<number, boolean>(); // items that it has -> whether it may have begun them
    const seenMs = new Map<number, number>(); // item that it is on -> for how long that was seen
    let state = "starting" as State;
    let eachMs = Number.POSITIVE_INFINITY; // that the last items took
    let why: unknown;
    let lastOn: number[] | undefined;

    const ended = new Promise<string>((resolve) => {
      const end = (code: unknown, signal: string | null) => resolve(signal ?? `exit code ${code}`);
      child.once("close", end);
      // On Deno, "close" may never come.
      if (process.versions.deno) child.once("exit", (...how) => setTimeout(end, 100, ...how));
      child.on("error", ({ message }) => child.pid || resolve(message)); // it could not be started
    });
    children.set(child, feed);
    if (living.add(child).size === 1) process.on("exit", killLiving);
    Promise.resolve(child).then(onWorker).catch(stop);
    // Ctrl-C reaches all processes of a terminal: where this one listens, it is the one to decide.
    const isDeaf = process.listenerCount("SIGINT") > 0;
    say({ job: { module: module.href, context, concurrency, isDeaf } });
    child.on("message", (message: FromProcess | null) => {
      if (message?.role !== ROLE) return; // a message of the body's own
      const { is, reports = [], begins, failed } = message;
      if (is === "loaded") openPlace(); // so as many load at a time as there are cores
      for (const [index, startMs, endMs, result] of reports) {
        held.delete(index);
        settle({ index, worker: place, startMs, endMs, outcome: outcomeOf(result) });
        eachMs = (endMs - reports[0]![1]) / reports.length;
        failedStarts = 0;
      }
      const { reason } = outcomeOf(failed) as PromiseRejectedResult;
      if (failed && is === "done") teardownError ??= reason;
      else if (failed && state === "starting")
        stop(reason); // the next process could not load it either
      else if (failed) why ??= reason;
      if (is === "done" || failed) kill(child); // an orderly exit would take longer
      if (is) state = is;
      if (begins !== undefined) held.set(begins, true);
      lastOn ??= message.on;
      takeBack(message.returned);
      feed();
    });
    const opening = setTimeout(openPlace, 300); // one that takes so long waits for something
    const timer = itemTimeoutMs ? setInterval(endLate, TICK_MS, itemTimeoutMs) : undefined;

    function say(what: Omit<ToProcess, "role">) {
      if (child.connected) child.send({ role: ROLE, ...what }, () => {});
    }

    function feed() {
      if (state === "loaded" && unsettled > 0) return handOut();
      if (unsettled > 0 || state === "asked" || state === "ending") return;
      if (state === "loaded") say({});
      else kill(child); // it is loading or late, and nothing is left to do
      state = state === "loaded" ? "asked" : "done";
    }

    function handOut() {
      // Returned items go first, to a process that begins them at once: others may wait for them.
      const isReturned = returned.length > 0;
      if (isReturned && held.size >= concurrency) return;
      // Short items travel in groups of about 0.2 ms; towards the end one by one again.
      const share = (returned.length + items.length - next) / (4 * most * concurrency);
      const size = itemTimeoutMs ? 1 : Math.max(1, Math.floor(Math.min(0.2 / eachMs, share)));
      // One more item waits in the process meanwhile, unless it is long: then others could begin it.
      const lanes = concurrency + (eachMs < 10 && share > 0.5 && !isReturned ? 1 : 0);
      const room = lanes * size - held.size;
      if (room < size || !isWorkLeft()) return;
      const isShort = size > 1;
      const indexes = returned.splice(0, room);
      while (indexes.length < room && next < items.length) indexes.push(next++);
      for (const index of indexes) held.set(index, isShort); // short ones begin unannounced
      say({ group: { indexes, items: indexes.map((index) => pack(items[index])), isShort } });
    }

    /** Has other processes begin items, the first one first, since a later one may wait for it. */
    function takeBack(indexes: number[] = []) {
      for (const index of indexes) held.delete(index);
      returned = [...returned, ...indexes].sort((a, b) => a - b);
      if (indexes.length > 0) for (const feedOne of children.values()) feedOne();
    }

    function endLate(limitMs: number) {
      const on = [...held.keys()].filter((index) => held.get(index));
      for (const index of on) {
        seenMs.set(index, (seenMs.get(index) ?? -TICK_MS) + TICK_MS);
        if (seenMs.get(index)! < limitMs) continue;
        state = "late";
        reject(index, named("TimeoutError", `item ${index} took longer than ${limitMs} ms`), place);
      }
      // Other items that the process is on may settle first.
      if (state === "late" && on.every((index) => outcomes[index])) kill(child);
    }

    const how = await ended;
    clearTimeout(opening);
    clearInterval(timer);
    children.delete(child);
    if (living.delete(child) && living.size === 0) process.off("exit", killLiving);
    if (state === "done" || stopped) return;
    const lost = lastOn ?? [...held.keys()].filter((index) => held.get(index));
    const text = `process ${child.pid ?? ""} died: ${inWords(why ?? how)}`;
    const died = (where: string) => named("WorkerDied", `${text} (${where})`, why);
    const others = lost.length > concurrency ? `, or others of ${lost.length} sent with it` : "";
    lastDeath = died("at start");
    failedStarts = lost.length > 0 || state === "late" ? 0 : failedStarts + 1;
    if (state === "ending") teardownError ??= died("in its teardown");
    for (const index of lost) reject(index, died(`on item ${index}${others}`), place);
    takeBack([...held.keys()].filter((index) => !outcomes[index]));
  }

  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  const { status, reason } = outcomeOf(context) as PromiseRejectedResult;
  if (status === "rejected") stop(reason);
  for (let cores = availableParallelism(); cores > 0; cores--) openPlace();
  for (const place of places) await place; // also those that are opened meanwhile
  signal?.removeEventListener("abort", onAbort);
  for (const index of outcomes.keys()) reject(index, stopped ? stopped.reason : lastDeath);
  await notified;
  if (teardownError) throw Object.assign(teardownError, { results: outcomes });
  return outcomes;
}

/** The process's side: works off what it is sent. */
function work() {
  const on = new Set<number>();
  const queue: { index: number; item: Packed; isShort: boolean }[] = [];
  let reports: NonNullable<FromProcess["reports"]> = [];
  let sentMs = 0;
  let lanes = 0;
  let loop: Loaded;
  let context: unknown;
  let concurrency = 1;
  let isSetUp: Promise<unknown> | undefined;
  let failed: Packed;

  /** Sends a message, with the reports of what is done since the last. */
  function say(what: Partial<FromProcess>) {
    const message = { role: ROLE, reports, ...what };
    reports = [];
    sentMs = performance.now();
    return new Promise((resolve) => process.send!(message, resolve));
  }

  /** Says what is done, and gives back what waits here: others may begin it. */
  function giveBack() {
    const returned = queue.splice(0).map(({ index }) => index);
    if (reports.length + returned.length > 0) void say({ returned });
  }

  async function runLane() {
    lanes++;
    sentMs = performance.now();
    for (let taken = queue.shift(); taken; taken = queue.shift()) {
      const { index, item, isShort } = taken;
      if (!isShort) await say({ begins: index }); // so the parent knows, should it be killed then
      on.add(index);
      const startMs = performance.timeOrigin + performance.now();
      const result = await iterate(loop, item, context);
      const endMs = performance.timeOrigin + performance.now();
      on.delete(index);
      reports.push([index, startMs, endMs, result]);
      // Short ones share a message, unless they are not so short after all.
      if (isShort && endMs - startMs > 5) giveBack();
      else if (isShort && performance.now() - sentMs > 0.2) void say({});
    }
    lanes--;
    giveBack();
  }

  here.isLoading = true; // until it has loaded the body
  printAtOnce();
  process.on("message", async (message: ToProcess | null) => {
    if (message?.role !== ROLE) return; // a message of the program's own
    const { job, group } = message;
    try {
      if (job) {
        if (job.isDeaf) process.on("SIGINT", () => {});
        loop = await loadLoop(job.module);
        context = unpack(job.context);
        concurrency = job.concurrency;
        void say({ is: "loaded" });
      } else if (group) {
        const { indexes, items, isShort } = group;
        queue.push(...items.map((item, at) => ({ index: indexes[at]!, item, isShort })));
        isSetUp ??= Promise.resolve(loop.setup?.(context));
        await isSetUp;
        while (lanes < concurrency && queue.length > 0) void runLane();
        if (isShort) setImmediate(giveBack);
      } else {
        const teardown = isSetUp && loop.teardown; // none, where it had no item
        if (teardown) void say({ is: "ending" });
        await teardown?.();
        void say({ is: "done" });
      }
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(inspect(thrown));
      const isTeardown = !job && !group;
      void say({ failed: pack(error, "error"), ...(isTeardown && { is: "done" }) });
    }
  });
  process.on("disconnect", () => process.exit()); // the parent is gone
  process.on("uncaughtExceptionMonitor", (error) => (failed = pack(error, "error")));
  process.on("exit", () => void say({ failed, on: [...on] }));
}

/** What a process prints into a full pipe would wait, and be lost if it is killed before that. */
function printAtOnce() {
  type Handle = { setBlocking?(isBlocking: boolean): void };
  type Stream = { write(...given: unknown[]): boolean; _handle?: Handle };
  for (const stream of [process.stdout, process.stderr] as unknown as Stream[]) {
    const write = stream.write.bind(stream);
    stream.write = (...given) => {
      stream._handle?.setBlocking?.(true); // each time: a process that opens the pipe undoes it
      return write(...given);
    };
  }
}

const TICK_MS = 20; // between two looks for items that take too long
const living = new Set<ChildProcess>(); // of all loops: they end with this process
const kill = (child: ChildProcess) => child.pid && child.kill("SIGKILL");
const killLiving = () => living.forEach(kill);

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
if (process.argv[2] === ROLE) work();

// Run as a script.

import { runAsScript } from "../lib/main.ts";

runAsScript(import.meta.url, {
  defaultWorkers: (cores) => cores, // as Python's ProcessPoolExecutor
  inProcesses: true,
  inWorkers: (self: typeof import("./processes.ts"), ...call) => self.inProcesses(...call),
});
