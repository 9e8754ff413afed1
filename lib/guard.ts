// Lets Ctrl-C end a loop body that never returns: where it runs in this thread, no handler gets a turn.

import { spawn } from "node:child_process";

/**
 * A shell that hears Ctrl-C as well, waits for this process to notice, and after a second kills it.
 * It ends together with this process, however that ends. Where there is no shell, nothing happens.
 */
const SHELL = `
  trap 'heard=1' INT
  read never_comes
  [ "$heard" ] || exit 0
  for tenth in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; done
  kill -KILL "$1" && echo "error: the loop body does not return: killed, nothing can be reported" >&2
`;

/**
 * Starts the guard of this process.
 *
 * @param signal Aborts once Ctrl-C was noticed.
 * @returns What ends it.
 */
export function startGuard(signal: AbortSignal): () => void {
  const shell = spawn("/bin/sh", ["-c", SHELL, "guard", `${process.pid}`], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  const end = () => void (shell.pid && shell.kill("SIGKILL"));
  shell.on("error", () => {});
  shell.stdin?.on("error", () => {});
  shell.unref();
  (shell.stdin as { unref?: () => void } | null)?.unref?.(); // a socket, though not typed as one
  if (signal.aborted) end();
  signal.addEventListener("abort", end);
  return end;
}
