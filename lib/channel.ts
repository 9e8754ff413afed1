// One worker as messages and an end: what threads and processes have in common.

import { fork } from "node:child_process";
import { Worker } from "node:worker_threads";
import type { WorkerEntry } from "./worker-entry.ts";

/** How to start a worker: from which file, and by what role it knows what it is. */
export type ChannelStart = WorkerEntry & { role: string };

/** A worker that runs. */
export interface Channel {
  name: string;
  send: (message: unknown) => void;
  kill: () => void;
  /** Why it ended, after its last message. */
  closed: Promise<string>;
}

/** Starts a thread; `listen` hears each of its messages. */
export function openThread(
  { entry, execArgv, role }: ChannelStart,
  listen: (message: unknown) => void,
): Channel {
  const thread = new Worker(entry, { workerData: { role }, execArgv });
  let why: string | undefined;
  thread.on("message", listen).on("error", (error) => {
    why = error.message;
  });
  const closed = new Promise<string>((resolve) => {
    thread.on("exit", (code) => resolve(why ?? `exit code ${code}`));
  });
  const kill = () => void thread.terminate();
  return { name: "thread", send: (message) => thread.postMessage(message), kill, closed };
}

/** Starts a process; `listen` hears each of its messages. */
export function openProcess(
  { entry, execArgv, role }: ChannelStart,
  listen: (message: unknown) => void,
): Channel {
  const child = fork(entry, [role], { serialization: "advanced", execArgv });
  let why: string | undefined;
  const closed = new Promise<string>((resolve) => {
    child.on("message", listen).on("error", (error) => {
      why = error.message;
      if (!child.pid) resolve(why); // it could not even be started
    });
    child.on("close", (code, signal) => resolve(signal ?? why ?? `exit code ${code}`));
  });
  return {
    name: `process ${child.pid ?? ""}`.trimEnd(),
    send: (message) => {
      if (child.pid) child.send(message as object);
    },
    kill: () => void child.kill("SIGKILL"),
    closed,
  };
}
