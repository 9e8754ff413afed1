// One worker as messages and an end: what threads and processes have in common.

import { fork } from "node:child_process";
import { inspect } from "node:util";
import { Worker, type WorkerOptions } from "node:worker_threads";

/** How to start a worker: from which file, with which flags of the runtime, and by what role it knows what it is. */
export interface ChannelStart {
  entry: URL;
  execArgv: string[] | undefined;
  role: string;
}

const readsTypeScript = Boolean((process.features as { typescript?: unknown }).typescript);

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
  const thread = startThread(entry, { workerData: { role }, execArgv });
  let why: string | undefined;
  thread.on("message", listen).on("error", (error) => {
    why = error instanceof Error ? error.message : inspect(error);
  });
  const closed = new Promise<string>((resolve) => {
    thread.on("exit", (code) => resolve(why ?? `exit code ${code}`));
  });
  const kill = () => void thread.terminate();
  return { name: "thread", send: (message) => thread.postMessage(message), kill, closed };
}

/** Node 20 cannot start a thread from a .ts file: there tsx, by which this runs, has to load it. */
function startThread(entry: URL, options: WorkerOptions): Worker {
  if (readsTypeScript || !entry.pathname.endsWith(".ts")) return new Worker(entry, options);
  const load = `import("tsx/esm/api").then((tsx) => (tsx.register(), import("${entry}")))`;
  return new Worker(load, { ...options, eval: true });
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
      why = error.message; // it could not even be started
    });
    child.on("close", (code, signal) => resolve(signal ?? why ?? `exit code ${code}`));
  });
  return {
    name: `process ${child.pid ?? ""}`.trimEnd(),
    send: (message) => {
      if (child.pid) child.send(message as object);
    },
    // Without a pid (too many open files) it never began, and a kill may hit this process's group.
    kill: () => void (child.pid && child.kill("SIGKILL")),
    closed,
  };
}
