// processes.ts: run a for loop on a pool of child processes.
//
// Python: ProcessPoolExecutor(max_workers=2).map(body, items)
// Node:   await inProcesses(items, { workers: 2, task })
//
// For CPU work that may crash (native code) or must not share a process: what kills one leaves the
// others alone. They do not pay for waiting (async.ts), nor where threads do (threads.ts): each
// takes 100 to 300 ms to start, 50 MB and more of memory, and a message for what it does.
//
// Copy: parts 1 and 2, with your own loop in part 1, which alone uses ../lib.
// Run:  npx tsx scripts/processes.ts
//       npx tsx scripts/processes.ts --work cpu --workers 2

import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { inspect } from "node:util";
import { serialize } from "node:v8";

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

// 2. The technique: processes that are handed the next items by message, each one claim ahead.

interface Options {
  workers: number;
  inFlight?: number; // iterations in flight inside each process
  task: Task;
  signal?: AbortSignal;
  onSettled?: (index: number, worker: number, startMs: number, endMs: number) => void;
  onUsage?: (usage: Usage) => void; // what a process took, at its end
  entry?: URL; // the file to start processes from, this one unless given
  execArgv?: string[];
}

const ROLE = "--a-worker-of-processes.ts";
type Usage = { cpu: NodeJS.CpuUsage; rssBytes: number };
type Outcome = PromiseSettledResult<Result>;
type Report = { index: number; startMs: number; endMs: number; outcome: Outcome };
type Claim = { index: number; item: Item }[];
type ToChild = { task: Task; inFlight: number } | { claim: Claim } | { end: true };
type Said = { up: true } | { ready: true } | Progress | { usage: Usage };
type FromChild = { from: typeof ROLE } & Said;
type Progress = { id: number; reports: Report[]; notBegun: Claim };

/**
 * Runs the loop body for all items in child processes. A process that dies costs the claims it was
 * working on (one iteration each, or several where they take less than 0.1 ms), and another takes
 * its place.
 *
 * @returns One settled result for each item, in order; those not done when `signal` aborted are
 *   rejected with its reason, and all where the task cannot be cloned.
 * @throws {RangeError} `workers` or `inFlight` is no whole number from 1.
 */
export async function inProcesses(items: readonly Item[], options: Options): Promise<Outcome[]> {
  const { inFlight = 1, task, signal, entry = new URL(import.meta.url) } = options;
  if (![options.workers, inFlight].every((count) => Number.isInteger(count) && count >= 1))
    throw new RangeError("Expected whole numbers of workers and in flight, at least 1");
  const workers = Math.min(options.workers, items.length);
  const flags = options.execArgv && { execArgv: options.execArgv };
  const outcomes = new Array<Outcome | undefined>(items.length).fill(undefined);
  const children = new Set<ChildProcess>();
  const starting = new Set<ChildProcess>();
  const handedBack: Claim[] = []; // begun by nobody: a process died or gave them back
  let next = 0;
  let started = 0;
  let unsettled = items.length;
  let deadStarts = 0;
  let stopped = false;
  let stopReason: unknown;

  function settle(index: number, outcome: Outcome) {
    outcomes[index] = outcome;
    if (--unsettled === 0) for (const child of starting) child.kill("SIGKILL");
  }

  function stop(reason: unknown) {
    stopped = true;
    stopReason = reason;
    for (const child of children) child.kill("SIGKILL");
  }

  /** The next item, or several where they are so short that a message for each would cost more. */
  function takeClaim(eachMs: number): Claim | undefined {
    if (handedBack.length > 0 || next === items.length) return handedBack.shift();
    const most = Math.min(0.2 / eachMs, (items.length - next) / (4 * workers * inFlight));
    const first = next;
    next = Math.min(first + Math.max(1, Math.floor(most)), items.length);
    return items.slice(first, next).map((item, offset) => ({ index: first + offset, item }));
  }

  /** Keeps one process running for as long as there are items to claim, and starts the next one. */
  async function keepProcess(): Promise<void> {
    if (started === workers) return;
    const worker = started++;
    let another: Promise<void> | undefined;
    while (!stopped && (next < items.length || handedBack.length > 0)) {
      // What it was handed and has not reported, the oldest first, by a claim's first index.
      const claims = new Map<number, Claim>();
      let eachMs = Number.POSITIVE_INFINITY; // what its last iterations took
      let why: string | undefined;
      let ended = false;
      let child: ChildProcess;
      try {
        child = fork(entry, [ROLE], { serialization: "advanced", ...flags });
      } catch (reason) {
        if (children.size === 0) stop(reason); // not even one can be had
        break;
      }
      // One that could not be started (too many open files) has no pid: to kill it may kill this
      // process's whole group.
      if (child.pid) {
        children.add(child);
        starting.add(child);
        try {
          child.send({ task, inFlight } satisfies ToChild);
        } catch (reason) {
          stop(reason); // the task cannot be cloned
        }
      }

      function feed() {
        // One claim ahead hides the way there and back; not at the end, where others are free.
        const ahead = items.length - next > 2 * workers * inFlight ? inFlight : 0;
        while (claims.size < inFlight + ahead) {
          const claim = takeClaim(eachMs);
          if (!claim) break;
          try {
            child.send({ claim } satisfies ToChild);
            claims.set(claim[0]!.index, claim);
          } catch (reason) {
            // An item cannot be cloned. Of several each is sent again by itself: only that one fails.
            if (claim.length > 1) handedBack.push(...claim.map((entry) => [entry]));
            else settle(claim[0]!.index, { status: "rejected", reason });
          }
        }
        if (claims.size === 0) child.send({ end: true } satisfies ToChild);
      }

      child.on("message", (message: FromChild) => {
        if (message?.from !== ROLE) return; // something that the loop body sent
        another ??= keepProcess();
        if ("up" in message) return;
        starting.delete(child);
        if ("usage" in message) {
          ended = true;
          options.onUsage?.(message.usage);
          // Its last word. An orderly exit would first finish what V8 compiles, up to 300 ms.
          child.kill("SIGKILL");
          return;
        }
        if ("reports" in message) {
          deadStarts = 0;
          const { id, reports, notBegun } = message;
          for (const { index, startMs, endMs, outcome } of reports) {
            if (outcome.status === "rejected") outcome.reason = toError(outcome.reason);
            settle(index, outcome);
            options.onSettled?.(index, worker, startMs, endMs);
          }
          handedBack.push(...notBegun.map((entry) => [entry]));
          const left = claims.get(id)!.slice(reports.length, -notBegun.length || undefined);
          if (left.length > 0) claims.set(id, left);
          else claims.delete(id);
          // One that waits says nothing of the others: they are claimed one by one again.
          eachMs = Infinity;
          if (notBegun.length === 0)
            eachMs = (reports.at(-1)!.endMs - reports[0]!.startMs) / reports.length;
        }
        feed();
      });
      await new Promise<void>((resolve) => {
        child.on("error", (error) => {
          why = error.message; // it could not even be started
        });
        // Not "exit", which may come before the last messages.
        child.on("close", (code, signal) => {
          why = signal ?? why ?? `exit code ${code}`;
          resolve();
        });
      });
      children.delete(child);
      starting.delete(child);
      if (stopped) break;

      // It reports a claim before it begins another: the oldest are what it was on. They are lost,
      // and not tried again, for they may have been carried out. The rest it never began.
      const message = `process ${child.pid} died: ${why}`;
      const lost = [...claims.values()].slice(0, inFlight).flat();
      for (const { index } of lost) {
        const reason = toError({ name: "WorkerDied", message: `${message} (on item ${index})` });
        settle(index, { status: "rejected", reason });
      }
      handedBack.push(...[...claims.values()].slice(inFlight));
      deadStarts = ended || lost.length > 0 ? 0 : deadStarts + 1;
      if (deadStarts === Math.max(3, workers))
        stop(toError({ name: "WorkerDied", message: `${message} (at start)` }));
    }
    await another;
  }

  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  // As many at a time as there are cores: more would only delay the first.
  await Promise.all(Array.from({ length: availableParallelism() }, keepProcess));
  signal?.removeEventListener("abort", onAbort);
  return outcomes.map((outcome) => outcome ?? { status: "rejected", reason: stopReason });
}

/** The process's side: as many lanes as may be in flight, each working off claim after claim. */
async function serveProcess(): Promise<never> {
  const nowMs = () => performance.timeOrigin + performance.now();
  const send = (message: Said) =>
    new Promise<void>((resolve) => process.send!({ from: ROLE, ...message }, () => resolve()));
  const queue: Claim[] = [];
  let task: Task;
  let idle = 0;

  async function iterate({ index, item }: Claim[number]): Promise<Report> {
    const startMs = nowMs();
    const [outcome] = await Promise.allSettled([body(item, task)]);
    if (outcome.status === "rejected") outcome.reason = plainError(outcome.reason);
    return { index, startMs, endMs: nowMs(), outcome };
  }

  async function lane() {
    idle--;
    for (let claim = queue.shift(); claim; claim = queue.shift()) {
      const todo = claim;
      const id = todo[0]!.index;
      const reports: Report[] = [];
      const report = () => {
        const part = { id, reports: reports.splice(0), notBegun: todo.splice(0) };
        return send(part).catch(() => send({ ...part, reports: cloneable(part.reports) }));
      };
      // Several are claimed where they are short. If one waits after all, the rest is handed back.
      const waiting = todo.length > 1 ? setImmediate(report) : undefined;
      for (let next = todo.shift(); next; next = todo.shift()) reports.push(await iterate(next));
      clearImmediate(waiting);
      await report(); // sent before it begins another, so that the parent knows what was begun
    }
    idle++;
  }

  process.on("message", async (message: ToChild) => {
    if ("task" in message) {
      task = message.task;
      await send({ up: true });
      await prepare(task);
      idle = message.inFlight;
      await send({ ready: true });
    } else if ("claim" in message) {
      queue.push(message.claim);
      if (idle > 0) await lane();
    } else {
      await send({ usage: { cpu: process.cpuUsage(), rssBytes: process.memoryUsage.rss() } });
    }
  });
  // The parent is gone.
  process.on("disconnect", () => process.exit());
  // Ctrl-C reaches parent and children alike: the parent decides.
  process.on("SIGINT", () => {});
  return new Promise(() => {}); // what follows in this file is the parent's
}

/** The same reports, except that a value that cannot be sent fails its own iteration. */
function cloneable(reports: Report[]): Report[] {
  return reports.map((report) => {
    try {
      serialize(report);
      return report;
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

if (process.argv[2] === ROLE) await serveProcess();

// 3. Run as a script.

if (isMain(import.meta.url)) {
  const { runScript } = await import("../lib/script.ts");
  await runScript({
    name: "processes",
    technique: inProcesses,
    defaultWorkers: (cores) => cores, // as Python's ProcessPoolExecutor
    startsWorkersFrom: import.meta.url,
  });
}
