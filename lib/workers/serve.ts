// The worker's side: what a thread or a process does that supervise.ts has started.

import { serialize } from "node:v8";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { plainError, type Report } from "./report.ts";

/** What one worker process took, as it reports itself at its end. */
export interface Usage {
  /** User + system, in microseconds. */
  cpu: { user: number; system: number };
  rssBytes: number;
}

/** What a worker says: reports of iterations, messages of its technique's own, or both in one. */
export interface Said {
  reports?: Report[];
  own?: unknown;
}

/** What the parent hears: that a worker is up, what it says, and at its end what it hands over. */
export type FromWorker = { from: typeof FROM_WORKER } & (
  | { up: true }
  | Said
  | { usage: Usage; handedOver: unknown }
);

/** Marks what a worker says, apart from what a loop body may send. */
export const FROM_WORKER = "a worker of this loop";

/** The parent, as a worker sees it. */
export interface Parent {
  /** Done when it is on its way. A result that cannot be cloned fails its own iteration. */
  say: (what: Said) => Promise<void>;
  /** Hears each message of the technique's own. */
  onMessage: (listener: (message: unknown) => void) => void;
  /** @throws {Error} A value cannot be cloned, and so not be sent. */
  check: (value: unknown) => void;
}

/** True in a worker that was started by this role. */
export function isWorker(role: string): boolean {
  return isMainThread ? process.argv[2] === role : workerData?.role === role;
}

/**
 * Runs `work`, as soon as the parent has sent the setup, and then ends. Await it where
 * {@link isWorker} is true: it never returns, for what follows in the file is the parent's.
 *
 * @param work What it resolves to is handed over to the parent.
 */
export async function serve<Setup>(
  work: (setup: Setup, parent: Parent) => Promise<unknown>,
): Promise<never> {
  const thread = parentPort;
  const check = thread ? structuredClone : serialize;
  let listener: ((message: unknown) => void) | undefined;

  /** Throws at once: a worker that exits does not come back to a promise. */
  function send(message: object): Promise<void> {
    const marked = { from: FROM_WORKER, ...message };
    if (thread) {
      thread.postMessage(marked);
      return Promise.resolve();
    }
    let onItsWay = () => {}; // a process that exits by force loses what is not
    const sent = new Promise<void>((resolve) => {
      onItsWay = resolve;
    });
    process.send!(marked, () => onItsWay());
    return sent;
  }

  const parent: Parent = {
    check,
    onMessage: (heard) => {
      listener = heard;
    },
    async say(what) {
      try {
        return send(what);
      } catch {
        return send({ ...what, reports: what.reports?.map((report) => cloneable(report, check)) });
      }
    },
  };

  // Once this module is evaluated, and not before: see startThread in start.ts.
  const up = Promise.resolve().then(() => send({ up: true }));

  async function begin({ setup }: { setup: Setup }) {
    await up;
    const handedOver = await work(setup, parent);
    await printed();
    const usage = { cpu: process.cpuUsage(), rssBytes: process.memoryUsage.rss() };
    try {
      await send({ usage, handedOver });
    } catch {
      await send({ usage, handedOver: undefined }); // it cannot be cloned: as if this worker had died
    }
  }

  let begun = false;
  function hear(message: unknown) {
    if (begun) return listener?.(message);
    begun = true;
    return begin(message as { setup: Setup });
  }
  if (thread) {
    thread.on("message", hear);
  } else {
    process.on("message", hear);
    process.on("disconnect", () => process.exit()); // the parent is gone
    process.on("SIGINT", () => {}); // Ctrl-C reaches all of the group: the parent decides
  }
  return new Promise(() => {});
}

/** Waits until what was printed is out: the parent ends this worker by force. */
async function printed(): Promise<void> {
  for (const stream of [process.stdout, process.stderr])
    if (stream.writableLength > 0)
      await new Promise<void>((resolve) => stream.write("", () => resolve()));
}

/** The same report, or where its result cannot be cloned, one that says so. */
function cloneable(report: Report, check: (value: unknown) => void): Report {
  try {
    check(report);
    return report;
  } catch (error) {
    return { ...report, outcome: { status: "rejected", reason: plainError(error) } };
  }
}
