// What every script starts with: is it the one that was started, and what if it cannot run?

import { existsSync, realpathSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { isMainThread } from "node:worker_threads";
import type { Script } from "./command/technique.ts";
import { escapeControl } from "./terminal/terminal.ts";

/** Runs the script with this `import.meta.url`, if that was started. What it takes is loaded only then. */
export async function runAsScript<Exports>(url: string, script: Script<Exports>): Promise<void> {
  if (isMain(url))
    await main(async () => (await import("./command/script.ts")).runScript(url, script));
}

/**
 * True for the file that was started, not imported, and not as a worker: `import.meta.main`, which
 * Node 20 does not have, and which is true in worker threads.
 */
function isMain(moduleUrl: string): boolean {
  const [, started = "", mark] = process.argv;
  if (!isMainThread || mark?.startsWith("--worker-of=") || !existsSync(started)) return false;
  return realpathSync(started) === realpathSync(fileURLToPath(moduleUrl));
}

/** Runs a script; an error becomes one line on stderr and exit status 2 for bad usage, else 1. */
export async function main(run: () => Promise<void>): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {}); // see print()
  try {
    await run();
  } catch (error) {
    const { name, message = error } = Object(error); // a body may throw anything
    // Ctrl-C also ends the esbuild that loads this; it then ends this process before it complains.
    if (name !== "UsageError") await sleep(200);
    console.error(
      `error: ${escapeControl(typeof message === "string" ? message : inspect(message))}`,
    );
    process.exitCode = name === "UsageError" ? 2 : 1;
  }
}
