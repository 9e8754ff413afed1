// Starts one worker, a thread or a process: what both have in common is messages and an end.

import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { type WorkerOptions as ThreadOptions, Worker } from "node:worker_threads";

/** What workers are. */
export type WorkerKind = "processes" | "threads";

/** How to start a worker. */
export interface WorkerStart {
  /** The file that it runs. */
  entry: URL;
  /** By what this file knows that it runs as a worker: see `isWorker` in serve.ts. */
  role: string;
  /** Flags of the runtime; those of this process unless given. */
  execArgv?: string[] | undefined;
}

/** A worker that was started. */
export interface StartedWorker {
  /** For messages about it: "thread", or "process 4711". */
  name: string;
  /** @throws {Error} The message cannot be cloned. */
  send: (message: unknown) => void;
  kill: () => void;
  /** Why it ended, after its last message; of a thread also the error that ended it. */
  ended: Promise<{ why: string; cause?: unknown }>;
}

/** Starts a thread; `listen` hears each of its messages. */
export function startThread(
  { entry, role, execArgv }: WorkerStart,
  listen: (message: unknown) => void,
): StartedWorker {
  const thread = newThread(entry, { workerData: { role }, execArgv });
  let thrown: { why: string; cause: unknown } | undefined;
  // Without a listener for errors, one over there would end the program here.
  thread.on("message", listen).on("error", (cause: unknown) => {
    thrown = { why: cause instanceof Error ? cause.message : inspect(cause), cause };
  });
  const ended = new Promise<{ why: string; cause?: unknown }>((resolve) => {
    thread.on("exit", (code) => resolve(thrown ?? { why: `exit code ${code}` })); // perhaps without a word
  });
  // Before Node 24, a thread that is terminated as it comes to evaluate a module with a top-level
  // await takes the whole program along (as in nodejs/node#43182). Its first message comes after
  // that; from one that hangs before, there is none.
  const loaded = once(thread, "message").catch(() => {}); // it may fail as it loads
  async function kill() {
    if (Number.parseInt(process.versions.node, 10) < 24)
      await Promise.race([loaded, ended, sleep(1000, undefined, { ref: false })]);
    await thread.terminate();
  }
  return { name: "thread", send: (message) => thread.postMessage(message), kill, ended };
}

/** Node 20 cannot start a thread from a .ts file: there tsx, by which this runs, has to load it. */
function newThread(entry: URL, options: ThreadOptions): Worker {
  const { typescript } = process.features as { typescript?: unknown };
  if (typescript || !entry.pathname.endsWith(".ts")) return new Worker(entry, options);
  const tsx = import.meta.resolve("tsx/esm/api"); // from here: there, it is the current folder's
  const load = `import("${tsx}").then((tsx) => (tsx.register(), import("${entry}")))`;
  return new Worker(load, { ...options, eval: true });
}

/** Starts a process; `listen` hears each of its messages. */
export function startProcess(
  { entry, role, execArgv }: WorkerStart,
  listen: (message: unknown) => void,
): StartedWorker {
  // By default, messages are JSON: a Map, a Date or an Error would arrive as something else.
  const child = fork(entry, [role], { serialization: "advanced", execArgv });
  child.on("message", listen);
  const ended = new Promise<{ why: string }>((resolve) => {
    // It could not even be started. (If it has a pid, it could not be sent something: it is dead.)
    child.on("error", ({ message }) => !child.pid && resolve({ why: message }));
    // Not "exit", which may come before the last messages.
    child.on("close", (code, signal) => resolve({ why: signal ?? `exit code ${code}` }));
  });
  return {
    name: `process ${child.pid ?? ""}`.trimEnd(),
    send: (message) => {
      if (child.pid) child.send(message as object);
    },
    // Without a pid (too many open files) it never began, and a kill may hit this process's group.
    kill: () => void (child.pid && child.kill("SIGKILL")),
    ended,
  };
}
