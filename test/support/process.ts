// Running scripts as a user does, and seeing what they leave behind.

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { resolve } from "node:path";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RunRecord } from "../../lib/command/record.ts";
import { runtimeCommand } from "../../lib/runtime.ts";
import type { ApiStats } from "../../lib/timing.ts";
import type { Context } from "../bodies/faults.ts";

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
  /** The ids of all processes that live and began in it, in whatever group or whoever's child they are now. */
  left: () => number[];
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
  input?: string,
): Running {
  const path = resolve(fileURLToPath(new URL("../../", import.meta.url)), file);
  const [command, ...flags] = runtimeCommand;
  const mark = randomUUID(); // in a variable that all of them inherit
  const child = spawn(command!, [...flags, path, ...args], {
    env: { ...process.env, NO_COLOR: "1", ...env, STARTED_BY: mark },
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    detached: true,
  });
  child.stdin?.on("error", () => {}).end(input); // it may have ended before it has read that
  running.add(child);
  const output = { stdout: "", stderr: "" };
  child.stdout!.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code, signal) => {
      running.delete(child);
      const lines = output.stdout.split("\n").filter((line) => line.startsWith("{"));
      const status = code ?? 128 + constants.signals[signal!];
      resolve({ code, signal, status, ...output, records: lines.map((line) => JSON.parse(line)) });
    });
  });
  const left = () => processes().filter((pid) => contentOf(pid, "environ").includes(mark));
  return { child, ended, output, left };
}

/** Runs a file of the project to its end. */
export function run(
  file: string,
  args: string[] = [],
  env: Record<string, string> = {},
  input?: string,
): Promise<Ended> {
  return start(file, args, env, input).ended;
}

/** The flags by which a script runs test/bodies/NAME.ts. */
export function withBody(name: string): string[] {
  return ["--body", fileURLToPath(new URL(`../bodies/${name}.ts`, import.meta.url))];
}

/** The variable by which test/bodies/faults.ts in a script is told what to do. */
export function faultsAre(faults: Context["faults"], pauseMs = 0): Record<string, string> {
  return { FAULTS: JSON.stringify({ faults, pauseMs } satisfies Context) };
}

/** What a practice API has counted. */
export async function statsOf(url: string): Promise<ApiStats> {
  return (await (await fetch(new URL("/stats", url))).json()) as ApiStats;
}

/** Waits until nothing of it is left, for a second. */
export function noneLeft({ left }: Running): Promise<void> {
  return until(() => left().length === 0, 1000);
}

/** The worker processes of a script. */
export function workersOf({ child }: Running): number[] {
  return descendants(child.pid!).filter((pid) => commandLine(pid).includes("--worker-of="));
}

/** The processes below one, at any depth, that have not ended. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const child of processes()) {
    const parent = parentOf(child);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const below = (one: number): number[] =>
    (children.get(one) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

function processes(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** The parent's id of a process that has not ended. */
function parentOf(pid: number): number | undefined {
  const [state, parent] = contentOf(pid, "stat").split(") ").at(-1)!.split(" ");
  return parent === undefined || state === "Z" ? undefined : Number(parent);
}

/** A process's command line. */
export function commandLine(pid: number): string {
  return contentOf(pid, "cmdline").replaceAll("\0", " ");
}

/** What the system tells of a process: nothing, once it has ended. */
function contentOf(pid: number, file: "stat" | "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
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
