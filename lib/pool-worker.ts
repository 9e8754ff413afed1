// The worker's side of lib/pool.ts: takes items, runs the worker's own code, reports.

import { serialize } from "node:v8";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { plainError } from "./plain-error.ts";

/**
 * Told of each iteration as it settles: its index, the worker that ran it, its start and its end
 * (milliseconds since 1970, the clock that threads and processes of one machine share).
 */
export type OnSettled = (index: number, worker: number, startMs: number, endMs: number) => void;

/** What one worker process took, as it reports itself at its end. */
export interface Usage {
  /** User + system, in microseconds. */
  cpu: { user: number; system: number };
  rssBytes: number;
}

/** The worker's side: how its own code talks to the parent, in order with what the pool says. */
export interface Port {
  send: (message: unknown) => Promise<void>;
  /** Throws where a value cannot be sent. */
  check: (value: unknown) => void;
  onMessage: (listener: (message: unknown) => void) => void;
}

/** What a worker does. */
export interface WorkerCode<Item, Result> {
  iterate: (item: Item) => Promise<Result>;
  /** After the last item: what is handed over to the parent. */
  end?: () => Promise<unknown>;
}

/** What a worker says of one iteration. */
export type Report<Result> = {
  index: number;
  startMs: number;
  endMs: number;
  outcome: PromiseSettledResult<Result>;
};
/** What the parent tells a worker, and what it hears from it. */
export type ToWorker<Item> =
  | { setup: unknown; inFlight: number }
  | { index: number; item: Item }
  | { end: true }
  | { message: unknown };
export type FromWorker<Result> =
  | { up: true }
  | { ready: true }
  | { report: Report<Result> }
  | { message: unknown }
  | { usage: Usage; handedOver: unknown };

/** Marks what a pool's worker says, apart from what its loop body may send. */
export const FROM_POOL = "a pool's worker";

/** True in a worker that a pool has started by this role. */
export function isPoolWorker(role: string): boolean {
  return isMainThread ? process.argv[2] === role : workerData?.role === role;
}

/**
 * The worker's side of `runPool`: await it where {@link isPoolWorker} is true. It never returns, for
 * what follows in the file is the parent's.
 *
 * @param begin Makes the worker's code from the pool's `setup`, once.
 */
export async function servePool<Setup, Item, Result>(
  begin: (setup: Setup, port: Port) => Promise<WorkerCode<Item, Result>>,
): Promise<never> {
  const nowMs = () => performance.timeOrigin + performance.now();
  const post = parentPort;
  const send = async (message: FromWorker<Result>): Promise<void> => {
    const marked = { from: FROM_POOL, ...message };
    if (post) post.postMessage(marked);
    else await new Promise<void>((resolve) => process.send!(marked, () => resolve()));
  };
  const queue: { index: number; item: Item }[] = [];
  let listener: (message: unknown) => void = () => {};
  let code: WorkerCode<Item, Result>;
  let idle = 0;

  async function lane() {
    idle--;
    for (let entry = queue.shift(); entry; entry = queue.shift()) {
      const { index, item } = entry;
      const startMs = nowMs();
      const [outcome] = await Promise.allSettled([code.iterate(item)]);
      if (outcome.status === "rejected") outcome.reason = plainError(outcome.reason);
      const report: Report<Result> = { index, startMs, endMs: nowMs(), outcome };
      // Sent before it begins another, so that the parent knows what was begun.
      await send({ report }).catch((error) => {
        const failed = { status: "rejected", reason: plainError(error) } as const;
        return send({ report: { ...report, outcome: failed } });
      });
    }
    idle++;
  }

  async function listen(message: ToWorker<Item>) {
    if ("message" in message) return listener(message.message);
    if ("setup" in message) {
      const port: Port = {
        send: (own) => send({ message: own }),
        check: post ? structuredClone : serialize,
        onMessage: (heard) => {
          listener = heard;
        },
      };
      await send({ up: true });
      code = await begin(message.setup as Setup, port);
      idle = message.inFlight;
      return send({ ready: true });
    }
    if ("index" in message) {
      queue.push(message);
      if (idle > 0) await lane();
      return;
    }
    const handedOver = await code.end?.();
    const usage = { cpu: process.cpuUsage(), rssBytes: process.memoryUsage.rss() };
    // What cannot be sent counts as not handed over, as if the worker had died.
    await send({ usage, handedOver }).catch(() => send({ usage, handedOver: undefined }));
  }

  if (post) {
    post.on("message", listen);
  } else {
    process.on("message", listen);
    process.on("disconnect", () => process.exit()); // the parent is gone
    process.on("SIGINT", () => {}); // Ctrl-C reaches all of the group: the parent decides
  }
  return new Promise(() => {});
}
