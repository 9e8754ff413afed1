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

import { type Report, runIteration } from "../lib/workers/report.ts";
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
type ToChild = { claim: Claim } | { end: true };
/** What a process says of a claim, by its first index: how many are done, how long each took. */
type Done = { id: number; done: number; eachMs: number; notBegun: Claim };
/** And of which claim it begins; neither of them: it is ready. */
type Progress = { of?: Done; begins?: number | undefined };

/**
 * Runs the loop body for all items in child processes. A process that dies costs the claims it was
 * on (one iteration each; of short ones, killed, all that travelled together), and another takes its
 * place.
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
    ...options,
    with: "processes",
    entry,
    role: ROLE,
    setup: () => ({ task, inFlight }),
    isWorkLeft: () => next < items.length || handedBack.length > 0,
    attend(child) {
      // By a claim's first index: what it was handed and has not reported, and which of it is begun.
      const claims = new Map<number, Claim>();
      const begun = new Set<number>();

      function feed(eachMs: number) {
        // One claim ahead hides the way there and back; not at the end, where others are free.
        const ahead = items.length - next > 2 * lanes ? inFlight : 0;
        while (claims.size < inFlight + ahead) {
          const claim = takeClaim(eachMs);
          if (!claim) break;
          try {
            child.send({ claim } satisfies ToChild);
            claims.set(claim[0]!.index, claim);
          } catch (reason) {
            // An item cannot be cloned. Of several each is sent again by itself: only that one fails.
            if (claim.length > 1) handedBack.push(...claim.map((entry) => [entry]));
            else child.fail(claim[0]!.index, reason);
          }
        }
        if (claims.size === 0) child.send({ end: true } satisfies ToChild);
      }

      return {
        onMessage(own) {
          const { of, begins } = own as Progress;
          if (begins !== undefined) begun.add(begins);
          if (of) {
            handedBack.push(...of.notBegun.map((entry) => [entry]));
            const left = claims.get(of.id)!.slice(of.done, -of.notBegun.length || undefined);
            claims.delete(of.id);
            if (left.length > 0) claims.set(of.id, left);
            else begun.delete(of.id);
          }
          feed(of?.eachMs ?? Number.POSITIVE_INFINITY);
        },
        died() {
          const lost: number[] = [];
          for (const [id, claim] of claims) {
            if (begun.has(id)) lost.push(...claim.map(({ index }) => index));
            else handedBack.push(claim);
          }
          return lost;
        },
      };
    },
  });
}

/** The process's side: as many lanes as may be in flight, each working off claim after claim. */
async function work(job: { task: Task; inFlight: number }, parent: Parent): Promise<void> {
  const queue: Claim[] = [];
  const underWay = new Set<() => void>();
  let idle = job.inFlight;
  const say = (own: Progress, reports: Report[] = []) => parent.say({ own, reports });

  /** Announces each claim before it begins it: should this process die, the parent knows. */
  async function lane(first: Claim) {
    let current: ReturnType<typeof take> | undefined = take(first);
    await say({ begins: current.id });
    while (current) {
      const { claim, reports, report, early }: ReturnType<typeof take> = current;
      const begunMs = performance.now();
      // Several are claimed where they are short: if one is not after all, the rest is handed back.
      const waiting = claim.length > 1 ? setImmediate(early) : undefined;
      for (let one = claim.shift(); one; one = claim.shift()) {
        const { index, item } = one;
        reports.push(await runIteration(index, () => body(item, job.task)));
        if (performance.now() - begunMs > 10) break;
      }
      clearImmediate(waiting);
      underWay.delete(early);

      const eachMs = (performance.now() - begunMs) / reports.length;
      const following = queue.shift();
      current = following && take(following);
      if (!current) idle++; // before it waits: what arrives meanwhile gets a lane
      await report(eachMs, current?.id);
    }
  }

  /** A claim under way: if the loop body ends this process, what is done of it is reported. */
  function take(claim: Claim) {
    const id = claim[0]!.index;
    const reports: Report[] = [];
    function report(eachMs: number, begins?: number) {
      const of = { id, done: reports.length, eachMs, notBegun: claim.splice(0) };
      return say({ of, begins }, reports.splice(0));
    }
    const early = () => void report(Number.POSITIVE_INFINITY);
    underWay.add(early);
    return { id, claim, reports, report, early };
  }

  process.on("exit", () => {
    for (const early of underWay) early();
  });
  await prepare(job.task);
  await new Promise<void>((resolve) => {
    parent.onMessage((message) => {
      const told = message as ToChild;
      if ("end" in told) return resolve();
      if (idle === 0) return queue.push(told.claim);
      idle--;
      void lane(told.claim);
    });
    void parent.say({ own: {} }); // it is ready
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
