// Running scripts as a user does, and seeing what they leave behind.

import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { resolve } from "node:path";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ApiStats } from "../../lib/practice-api.ts";
import type { RunRecord } from "../../lib/record.ts";
import { runtimeCommand } from "../../lib/worker-entry.ts";

/** What a script said and how it ended. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The exit status as a shell shows it: for a signal 128 and its number. */
  status: number;
  stdout: string;
  stderr: string;
  records: RunRecord[];
}

/** A script that runs. */
export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** What it has printed so far. */
  output: { stdout: string; stderr: string };
}

// A test that fails leaves running what it started, which would keep its file's process from ending.
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a file of the project (or one anywhere, by its whole path), in a process group of its own as a shell would. */
export function start(
  file: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Running {
  const path = resolve(fileURLToPath(new URL("../../", import.meta.url)), file);
  const [command, ...flags] = runtimeCommand;
  const child = spawn(command!, [...flags, path, ...args], {
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.add(child);
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code, signal) => {
      running.delete(child);
      const lines = output.stdout.split("\n").filter((line) => line.startsWith("{"));
      const status = code ?? 128 + constants.signals[signal!];
      resolve({ code, signal, status, ...output, records: lines.map((line) => JSON.parse(line)) });
    });
  });
  return { child, ended, output };
}

/** Runs a file of the project to its end. */
export function run(
  file: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<Ended> {
  return start(file, args, env).ended;
}

/** Starts the practice API by its script. */
export async function startApiScript(args: string[]) {
  const api = start("scripts/api.ts", args);
  await until(() => api.output.stdout.includes("\n"));
  const url = api.output.stdout.split("\n")[0]!;
  return {
    ...api,
    url,
    stats: async () => (await (await fetch(new URL("/stats", url))).json()) as ApiStats,
    stop() {
      api.child.kill("SIGTERM");
      return api.ended;
    },
  };
}

/** The processes below one, at any depth, that have not ended. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(Number(name));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (one: number): number[] =>
    (children.get(one) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

/** The parent's id of a process that has not ended. */
function parentOf(pid: number): number | undefined {
  try {
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .split(") ")
      .at(-1)!
      .split(" ");
    return state === "Z" ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

/** A process's command line. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

export function isAlive(pid: number): boolean {
  return parentOf(pid) !== undefined;
}

/** Waits for a condition; gives up after 15 s. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  limitMs = 15_000,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${condition}`);
    await sleep(10);
  }
}
