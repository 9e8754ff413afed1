// Runs a technique's script in a fresh process and reads its records as they come.

import { fileURLToPath } from "node:url";
import { $ } from "zx/core";
import type { RunRecord } from "../../lib/command/record.ts";
import { runtimeCommand } from "../../lib/runtime.ts";
import { escapeControl } from "../../lib/terminal/terminal.ts";

/**
 * Starts `scripts/NAME.ts --json` with more flags and calls back with each record.
 * When `signal` aborts, the script is asked to stop as by Ctrl-C; what it still reports is taken.
 *
 * @returns How the script ended: its exit status and its last words on stderr.
 */
export async function runTechnique(
  name: string,
  flags: string[],
  signal: AbortSignal,
  onRecord: (record: RunRecord) => void,
): Promise<string> {
  const script = fileURLToPath(new URL(`../${name}.ts`, import.meta.url));
  // exec: the shell becomes the script, so that a signal reaches it and its parent is this process.
  // Any POSIX shell will do: zx's own choice, bash, is not everywhere.
  const shell = $({
    shell: "/bin/sh",
    quote: (text) => `'${text.replaceAll("'", "'\\''")}'`,
    quiet: true,
    nothrow: true,
    prefix: "exec ",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const running = shell`${runtimeCommand} ${script} ${flags} --json`;
  const interrupt = () => running.child?.kill("SIGINT");
  signal.addEventListener("abort", interrupt);
  for await (const line of running) {
    const record = recordOf(line);
    // By its file's name, which a copied script's own may not be yet.
    if (record) onRecord({ ...record, technique: name });
  }
  const { exitCode, signal: killedBy, stderr } = await running;
  signal.removeEventListener("abort", interrupt);
  const lastWords = escapeControl(stderr.trim().split("\n").at(-1) ?? "");
  return `${killedBy ?? `exit status ${exitCode}`}${lastWords && `, "${lastWords}"`}`;
}

/** The record in a line, if it is one: a loop body that a reader changed may print lines of its own. */
function recordOf(line: string): RunRecord | undefined {
  if (!line.startsWith('{"technique"')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
