// processes.ts: run a for loop on a pool of child processes.
//
// Python: ProcessPoolExecutor(max_workers=2).map(body, items)
// Node:   await inProcesses(items, { workers: 2, task })
//
// For CPU work that may crash (native code) or must not share a process: what kills one leaves the
// others alone. They do not pay for waiting (async.ts), nor where threads do (threads.ts): each
// takes 100 to 300 ms to start, 50 MB and more of memory, and a message for what it does.
//
// Copy: parts 1 and 2, with your own loop in part 1; and the folder ../lib/workers.
// Run:  npx tsx scripts/processes.ts
//       npx tsx scripts/processes.ts --work cpu --workers 2

import { type Report, settle } from "../lib/workers/report.ts";
import { isWorker, type Parent, serve } from "../lib/workers/serve.ts";
import { supervise, type WorkerOptions } from "../lib/workers/supervise.ts";

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

const ROLE = "--a-worker-of-processes.ts";

/** Items that travel together: one, or several where they are short. */
type Claim = { index: number; item: Item }[];
/** What a process says of a claim, by its first index: how many are done, how long each took. */
type Progress = { id: number; done: number; eachMs: number; notBegun: Claim };

/**
 * Runs the loop body for all items in child processes. A process that dies costs the claims it was
 * working on (one iteration each, or several where they take less than 0.1 ms), and another takes
 * its place.
 *
 * @returns One settled result for each item, in order; those not done when `signal` aborted are
 *   rejected with its reason, and all where the task cannot be cloned.
 * @throws {RangeError} `workers` or `inFlight` is no whole number from 1.
 */
export async function inProcesses(
  items: readonly Item[],
  options: WorkerOptions<Result> & { task: Task },
): Promise<PromiseSettledResult<Result>[]> {
  const { workers, task, inFlight = 1, entry = new URL(import.meta.url) } = options;
  const lanes = Math.min(workers, items.length) * inFlight;
  const handedBack: Claim[] = []; // begun by nobody: a process died or gave them back
  let next = 0;

  /** The next item, or several where they are so short that a message for each would cost more. */
  function takeClaim(eachMs: number): Claim | undefined {
    if (handedBack.length > 0 || next === items.length) return handedBack.shift();
    const most = Math.min(0.2 / eachMs, (items.length - next) / (4 * lanes));
    const first = next;
    next = Math.min(first + Math.max(1, Math.floor(most)), items.length);
    return items.slice(first, next).map((item, offset) => ({ index: first + offset, item }));
  }

  return supervise<Result>(items.length, {
    ...{ ...options, with: "processes", entry, role: ROLE },
    setup: () => ({ task, inFlight }),
    isWorkLeft: () => next < items.length || handedBack.length > 0,
    attend(child) {
      // What it was handed and has not reported, the oldest first, by a claim's first index.
      const claims = new Map<number, Claim>();

      function feed(eachMs: number) {
        // One claim ahead hides the way there and back; not at the end, where others are free.
        const ahead = items.length - next > 2 * lanes ? inFlight : 0;
        while (claims.size < inFlight + ahead) {
          const claim = takeClaim(eachMs);
          if (!claim) break;
          try {
            child.send(claim);
            claims.set(claim[0]!.index, claim);
          } catch (reason) {
            // An item cannot be cloned. Of several each is sent again by itself: only that one fails.
            if (claim.length > 1) handedBack.push(...claim.map((entry) => [entry]));
            else child.fail(claim[0]!.index, reason);
          }
        }
        if (claims.size === 0) child.send([]); // there is no more
      }

      return {
        onMessage(own) {
          if (!own) return feed(Number.POSITIVE_INFINITY); // it is ready
          const { id, done, eachMs, notBegun } = own as Progress;
          handedBack.push(...notBegun.map((entry) => [entry]));
          const left = claims.get(id)!.slice(done, -notBegun.length || undefined);
          if (left.length > 0) claims.set(id, left);
          else claims.delete(id);
          feed(eachMs);
        },
        begun() {
          // It reports a claim before it begins another: the oldest are what it was on.
          const oldest = [...claims.values()];
          handedBack.push(...oldest.splice(inFlight));
          return oldest.flat().map(({ index }) => index);
        },
      };
    },
  });
}

/** The process's side: as many lanes as may be in flight, each working off claim after claim. */
async function work(job: { task: Task; inFlight: number }, parent: Parent): Promise<void> {
  const queue: Claim[] = [];
  let idle = job.inFlight;

  async function lane() {
    idle--;
    for (let claim = queue.shift(); claim; claim = queue.shift()) await workOff(claim);
    idle++;
  }

  async function workOff(claim: Claim) {
    const id = claim[0]!.index;
    const begunMs = performance.now();
    const reports: Report[] = [];

    async function report(waits: boolean) {
      const done = reports.length;
      const eachMs = waits ? Number.POSITIVE_INFINITY : (performance.now() - begunMs) / done;
      const own: Progress = { id, done, eachMs, notBegun: claim.splice(0) };
      await parent.say({ reports: reports.splice(0), own });
    }

    // Several are claimed where they are short. If one waits after all, the rest is handed back.
    const waiting = claim.length > 1 ? setImmediate(report, true) : undefined;
    for (let one = claim.shift(); one; one = claim.shift()) {
      const { index, item } = one;
      reports.push(await settle(index, () => body(item, job.task)));
    }
    clearImmediate(waiting);
    await report(false); // sent before it begins another, so that the parent knows what was begun
  }

  await prepare(job.task);
  await new Promise<void>((resolve) => {
    parent.onMessage((message) => {
      const claim = message as Claim;
      if (claim.length === 0) return resolve(); // there is no more
      queue.push(claim);
      if (idle > 0) void lane();
    });
    void parent.say({}); // it is ready
  });
}

if (isWorker(ROLE)) await serve(work);

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
