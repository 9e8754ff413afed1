// Everything that ends a script early, as one AbortSignal.

import { setTimeout as sleep } from "node:timers/promises";

/** How long a signal waits: tsx asks for an answer twice, 30 ms apart, and kills what is too busy. */
const ANSWERED_MS = 100;

/** Whether a signal was aborted by an error that nothing caught, not by Ctrl-C and its like. */
export function isError(reason: unknown): boolean {
  return reason !== undefined && (reason as Error)?.name !== "AbortError";
}

/** Whether Ctrl-C may be why something failed; waits for it, since `signal` aborts after that. */
export async function isInterrupted(signal: AbortSignal): Promise<boolean> {
  if (!signal.aborted) await sleep(2 * ANSWERED_MS);
  return signal.aborted;
}

/**
 * A signal that aborts on Ctrl-C (SIGINT), SIGTERM, a terminal that goes away (SIGHUP), a reader
 * of stdout that goes away (EPIPE), and when the parent process is gone. Its reason is an
 * AbortError that says which. An error that nothing catches aborts it too, and is the reason then.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const abort = (why: string) =>
    controller.abort(new DOMException(`interrupted: ${why}`, "AbortError"));
  onInterrupt(abort);
  process.on("uncaughtException", (error) => controller.abort(error));
  onParentGone(() => abort("the parent process is gone"));
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (code === "EPIPE") abort("nobody reads the output");
    });
  }
  return controller.signal;
}

/**
 * Calls back 0.1 s after Ctrl-C (SIGINT), SIGTERM, and SIGHUP. Half a second after the first, another
 * one ends the process: its user will not wait.
 */
export function onInterrupt(callback: (name: string) => void): void {
  let firstMs = Number.POSITIVE_INFINITY;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(name, () => {
      if (performance.now() - firstMs > 500) process.exit(130); // tsx may repeat one sooner
      firstMs = Math.min(firstMs, performance.now());
      setTimeout(callback, ANSWERED_MS, name);
    });
}

/**
 * Calls back when this process's parent has ended, also by SIGKILL; perhaps more than once.
 * A closed IPC channel tells at once; without one, a look at the parent's id does within 250 ms.
 * Keeps the process alive for no longer than it has other work.
 */
export function onParentGone(callback: () => void): void {
  const parent = process.ppid;
  // The channel may have been closed before anyone listened.
  const isGone = () => process.ppid !== parent || process.connected === false;
  setInterval(() => isGone() && callback(), 250).unref();
  process.once("disconnect", callback);
  process.channel?.unref(); // listening alone would keep the process alive
}
