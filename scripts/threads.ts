// threads.ts: run a for loop on a pool of worker threads.
//
// Python: ThreadPoolExecutor(max_workers=6).map(body, items)
// Node:   await inThreads(items, { workers: 6, task })
//
// For CPU work: Node's threads compute on all cores at once, there is no GIL. They do not pay for
// waiting (async.ts holds hundreds of requests in one thread), nor for a loop that is over before
// they are up, some 50 to 200 ms.
//
// Copy: parts 1 and 2, with your own loop in part 1, which alone uses ../lib.
// Run:  npx tsx scripts/threads.ts
//       npx tsx scripts/threads.ts --work cpu --workers 2

import { availableParallelism } from "node:os";
import { inspect } from "node:util";
import {
  isMainThread,
  parentPort,
  Worker,
  type WorkerOptions,
  workerData,
} from "node:worker_threads";

// For this suite's own loop body and part 3 only:

import { isMain } from "../lib/main.ts";
import { loadClient, payload, post } from "../lib/post.ts";
import { countPrimes } from "../lib/primes.ts";
import type { Task as ScriptTask } from "../lib/task.ts";

// 1. The loop body: one iteration, and what it needs once in each worker (Python: initializer).
// It knows nothing of threads or processes. Put yours here, and keep it async.

type Item = number;
type Result = number;
type Task = ScriptTask;

async function prepare(task: Task): Promise<void> {
  if (task.work === "post") await loadClient();
}

async function body(item: Item, task: Task): Promise<Result> {
  if (task.work === "cpu") return countPrimes(1_000_000 + item, 40_000);
  if (task.work === "none") return item;
  const reply = await post(task, payload(task, item));
  return reply.status;
}

// 2. The technique: threads that claim the next items from a counter in shared memory.

interface Options {
  workers: number;
  inFlight?: number; // iterations in flight inside each thread
  task: Task;
  signal?: AbortSignal;
  onSettled?: (index: number, worker: number, startMs: number, endMs: number) => void;
  entry?: URL; // the file to start threads from, this one unless given
  execArgv?: string[];
}

const ROLE = "a thread of threads.ts";
type Outcome = PromiseSettledResult<Result>;
type Report = { index: number; startMs: number; endMs: number; outcome: Outcome };
type FromThread = { from: typeof ROLE; reports: Report[] };
type Job = {
  role: typeof ROLE;
  worker: number;
  items: readonly Item[];
  task: Task;
  inFlight: number;
  // In memory that all threads see: [the next index to claim], and for each index 1 + who did.
  next: Int32Array;
  owners: Int16Array;
};

/**
 * Runs the loop body for all items on worker threads. A thread that dies costs the iterations it
 * was on (out of memory, also those of its last 0.2 ms), and another takes its place.
 *
 * @returns One settled result for each item, in order; those not done when `signal` aborted are
 *   rejected with its reason, and all where the task or an item cannot be cloned.
 * @throws {RangeError} `workers` or `inFlight` is no whole number from 1.
 */
export async function inThreads(items: readonly Item[], options: Options): Promise<Outcome[]> {
  const { inFlight = 1, task, signal, onSettled, entry = new URL(import.meta.url) } = options;
  if (![options.workers, inFlight].every((count) => Number.isInteger(count) && count >= 1))
    throw new RangeError("Expected whole numbers of workers and in flight, at least 1");
  const next = new Int32Array(new SharedArrayBuffer(4));
  const owners = new Int16Array(new SharedArrayBuffer(2 * items.length));
  const outcomes = new Array<Outcome | undefined>(items.length).fill(undefined);
  const threads = new Set<Worker>();
  const count = Math.min(options.workers, items.length);
  let started = 0;
  let unsettled = items.length;
  let deadStarts = 0;
  let stopped = false;
  let stopReason: unknown;

  function settle(index: number, outcome: Outcome) {
    outcomes[index] = outcome;
    if (--unsettled === 0) stop(undefined); // ends threads that are still starting, too
  }

  function stop(reason: unknown) {
    stopped = true;
    stopReason = reason;
    Atomics.store(next, 0, items.length);
    for (const thread of threads) void thread.terminate();
  }

  /** Keeps one thread running for as long as there are items to claim, and starts the next one. */
  async function keepThread(): Promise<void> {
    if (started === count) return;
    const worker = started++;
    let another: Promise<void> | undefined;
    while (Atomics.load(next, 0) < items.length) {
      const workerData: Job = { role: ROLE, next, owners, worker, items, task, inFlight };
      let thread: Worker;
      try {
        thread = startThread(entry, { workerData, execArgv: options.execArgv });
      } catch (reason) {
        // The task or an item cannot be cloned, or not even one thread can be had.
        if ((reason as Error).name === "DataCloneError" || threads.size === 0) stop(reason);
        break;
      }
      threads.add(thread);
      thread.on("message", (message: FromThread | null) => {
        if (message?.from !== ROLE) return; // something that the loop body posted
        another ??= keepThread();
        if (message.reports.length > 0) deadStarts = 0;
        for (const { index, startMs, endMs, outcome } of message.reports) {
          if (owners[index] !== worker + 1 || outcomes[index]) continue;
          if (outcome.status === "rejected") outcome.reason = toError(outcome.reason);
          settle(index, outcome);
          onSettled?.(index, worker, startMs, endMs);
        }
      });
      let why: string | undefined; // unheard, an error over there would end the program here
      thread.on("error", (error) => {
        why = error instanceof Error ? error.message : inspect(error);
      });
      const exitCode = await new Promise((resolve) => thread.on("exit", resolve));
      threads.delete(thread);
      if (stopped) break;

      // What it was on is lost, and not tried again: it may have been carried out.
      const message = `thread died: ${why ?? `exit code ${exitCode}`}`;
      let lost = 0;
      for (let index = 0; index < items.length; index++) {
        if (owners[index] !== worker + 1 || outcomes[index]) continue;
        const reason = toError({ name: "WorkerDied", message: `${message} (on item ${index})` });
        settle(index, { status: "rejected", reason });
        lost++;
      }
      if (lost > 0) deadStarts = 0;
      else if (Atomics.load(next, 0) < items.length) deadStarts++;
      if (deadStarts === Math.max(3, count))
        stop(toError({ name: "WorkerDied", message: `${message} (at start)` }));
    }
    await another;
  }

  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  // As many at a time as there are cores: more would only delay the first.
  await Promise.all(Array.from({ length: availableParallelism() }, keepThread));
  signal?.removeEventListener("abort", onAbort);
  return outcomes.map((outcome) => outcome ?? { status: "rejected", reason: stopReason });
}

/** Starts a thread. Node 20 cannot from a .ts file: there tsx, by which this runs, has to load it. */
function startThread(entry: URL, options: WorkerOptions): Worker {
  const { typescript } = process.features as { typescript?: unknown };
  if (typescript || !entry.pathname.endsWith(".ts")) return new Worker(entry, options);
  const load = `import("tsx/esm/api").then((tsx) => (tsx.register(), import("${entry}")))`;
  return new Worker(load, { ...options, eval: true });
}

/** The thread's side: each lane claims the next items until there are none. */
async function serveThread({ next, owners, worker, items, task, inFlight }: Job): Promise<void> {
  const nowMs = () => performance.timeOrigin + performance.now();

  async function iterate(index: number): Promise<Report> {
    const startMs = nowMs();
    const [outcome] = await Promise.allSettled([body(items[index]!, task)]);
    if (outcome.status === "rejected") outcome.reason = plainError(outcome.reason);
    return { index, startMs, endMs: nowMs(), outcome };
  }

  let reports: Report[] = [];
  let sentMs = 0;
  function send() {
    const message: FromThread = { from: ROLE, reports };
    reports = [];
    sentMs = performance.now();
    try {
      parentPort!.postMessage(message);
    } catch {
      parentPort!.postMessage({ ...message, reports: cloneable(message.reports) });
    }
  }

  async function lane() {
    for (;;) {
      const index = Atomics.add(next, 0, 1);
      if (index >= items.length) return;
      owners[index] = worker + 1;
      const report = await iterate(index);
      reports.push(report);
      // At once, but for iterations so short that a message for each would cost more than they do:
      // those share one, sent after 0.2 ms, or before the thread waits for anything.
      if (performance.now() - sentMs > 0.2) send();
      else if (reports.length === 1) setImmediate(() => reports.length > 0 && send());
    }
  }

  process.on("exit", () => reports.length > 0 && send());
  send(); // nothing yet, but that it is up
  await prepare(task);
  await Promise.all(Array.from({ length: inFlight }, lane));
  process.exit();
}

/** The same reports, except that a value that cannot be cloned fails its own iteration. */
function cloneable(reports: Report[]): Report[] {
  return reports.map((report) => {
    try {
      return structuredClone(report);
    } catch (error) {
      return { ...report, outcome: { status: "rejected", reason: plainError(error) } };
    }
  });
}

/** An error as an object that can be cloned and keeps its name and code, which clones lose. */
function plainError(error: unknown): object {
  if (!(error instanceof Error)) return { name: "Error", message: inspect(error) };
  const { name, message, stack, code } = error as NodeJS.ErrnoException;
  return { name, message, stack, ...(/string|number/.test(typeof code) && { code }) };
}

function toError(plain: object): Error {
  return Object.assign(new Error(), plain);
}

if (!isMainThread && workerData?.role === ROLE) await serveThread(workerData);

// 3. Run as a script.

if (isMain(import.meta.url)) {
  const { runScript } = await import("../lib/script.ts");
  await runScript({
    name: "threads",
    technique: inThreads,
    defaultWorkers: (cores) => Math.min(32, cores + 4), // as Python's ThreadPoolExecutor
    startsWorkersFrom: import.meta.url,
  });
}
