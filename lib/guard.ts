// Lets Ctrl-C end a loop body that never returns: where it runs in this thread, no handler gets a turn.

import { spawn } from "node:child_process";

/**
 * A shell that hears Ctrl-C as well, waits for this process to notice, and after a second kills it.
 * It says when it is ready, and ends together with this process, however that ends.
 */
const SHELL = `
  trap '
    for tenth in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; done
    kill -KILL "$1" && echo "error: the loop body does not return: killed, nothing can be reported" >&2
    exit
  ' INT
  echo ready
  read never_comes
`;

/**
 * Starts the guard of this process, and waits until it hears. Where no shell can be started, nothing happens.
 *
 * @param signal Aborts once Ctrl-C was noticed.
 * @returns What ends it.
 */
export async function startGuard(signal: AbortSignal): Promise<() => void> {
  const shell = spawn("/bin/sh", ["-c", SHELL, "guard", `${process.pid}`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  shell.on("error", () => {});
  if (!shell.pid) return () => {};
  const end = () => void shell.kill("SIGKILL");
  signal.addEventListener("abort", end);
  shell.stdin.on("error", () => {});
  await new Promise<void>((resolve) => {
    shell.stdout.once("data", () => resolve());
    shell.on("close", () => resolve());
  });
  // They alone do not keep this process alive. (The streams are sockets, though not typed as such.)
  for (const one of [shell, shell.stdin, shell.stdout] as Partial<typeof shell>[]) one.unref?.();
  if (signal.aborted) end();
  return end;
}
