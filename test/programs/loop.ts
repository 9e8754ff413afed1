// A program without handlers that runs the body "rules", as its first argument says, and prints what
// came of it.

import { existsSync, readFileSync } from "node:fs";
import { inProcesses } from "../../scripts/processes.ts";
import { inThreads } from "../../scripts/threads.ts";
import type { Rule } from "../bodies/rules.ts";

export interface Job {
  kind: "threads" | "processes";
  items: number;
  rules: Rule[];
  workers?: number;
  itemTimeoutMs?: number;
  /** How the program ends once so many lines stand in a file, or that it goes on, and prints a line. */
  ends?: { how: "throws" | "rejects" | "exits" | "prints"; lines: number; file: string };
  /** What it does on Ctrl-C: nothing but what is usual, unless given. */
  onInterrupt?: "exits";
}

const job: Job = JSON.parse(process.argv.at(-1)!);
const { kind, rules, ends, workers = 2, itemTimeoutMs } = job;
const items = Array.from({ length: job.items }, (_, index) => index);

if (job.onInterrupt) process.on("SIGINT", () => process.exit(130));
const looking = setInterval(() => ends && countLines(ends.file) >= ends.lines && end(), 10);
if (!ends) clearInterval(looking);

function countLines(file: string): number {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
}

function end() {
  clearInterval(looking);
  if (ends!.how === "prints") return console.log("the program prints");
  if (ends!.how === "exits") process.exit(5);
  if (ends!.how === "throws") throw new Error("not caught");
  void Promise.reject(new Error("not caught"));
}

const run = kind === "threads" ? inThreads : inProcesses;
const body = new URL("../bodies/rules.ts", import.meta.url);
const options = { workers, context: { rules }, ...(itemTimeoutMs && { itemTimeoutMs }) };
const results = await run(items, body, options);
const ok = results.filter(({ status }) => status === "fulfilled").length;
console.log(`${ok} ok, ${items.length - ok} failed`);
