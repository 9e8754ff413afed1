// Does with its item, a number, what rules say, and returns the item.

import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** For the items `from` to `to` (of each `every`, if that is given): what is done, in this order. */
export interface Rule {
  from: number;
  to?: number; // `from` unless given
  every?: number;
  writesTo?: string; // a file that gets the item as a line
  prints?: number; // so many lines, each of which ends with its own number
  printsErrors?: number; // the same on stderr
  computesMs?: number;
  waitsMs?: number;
  throws?: string; // a RangeError of that message
  throwsLater?: string; // an Error of that message, in a timer, outside of the item's promise
  exitsLater?: number;
  exits?: number; // with that exit code
  isKilled?: boolean; // its process is
  hangsMs?: number; // it never ends, and keeps its worker alive for so long
  returns?: "function" | "shared memory" | "a long text" | "how many are in flight";
}

export interface Context {
  rules?: Rule[];
  isEntry?: boolean; // returns entries, as merge-dict.ts expects
}

let inFlight = 0; // in this worker

export default async function body(item: number, { rules = [], isEntry }: Context = {}) {
  let value: unknown = item;
  inFlight++;
  try {
    for (const rule of rules) {
      const at = item % (rule.every ?? Number.POSITIVE_INFINITY);
      if (at >= rule.from && at <= (rule.to ?? rule.from)) value = await act(item, rule);
    }
  } finally {
    inFlight--;
  }
  return isEntry ? [[item, value]] : value;
}

/** Returns what it needs no promise for as it is: a short item stays short. */
function act(item: number, rule: Rule): unknown {
  const { writesTo, prints = 0, printsErrors = 0, computesMs = 0 } = rule;
  const beginMs = performance.now();
  if (writesTo) appendFileSync(writesTo, `${item}\n`);
  for (let line = 0; line < prints; line++) console.log(`item ${item}, line ${line}`);
  for (let line = 0; line < printsErrors; line++) console.error(`item ${item}, line ${line}`);
  while (performance.now() - beginMs < computesMs);
  return rule.waitsMs === undefined ? end(item, rule) : waitAndEnd(item, rule);
}

async function waitAndEnd(item: number, rule: Rule) {
  const most = inFlight;
  await sleep(rule.waitsMs);
  return rule.returns === "how many are in flight" ? most : end(item, rule);
}

function end(item: number, rule: Rule): unknown {
  if (rule.throws !== undefined) throw new RangeError(rule.throws);
  if (rule.throwsLater !== undefined)
    setTimeout(() => {
      throw new Error(rule.throwsLater);
    });
  if (rule.exitsLater !== undefined) setImmediate(() => process.exit(rule.exitsLater));
  if (rule.exits !== undefined) process.exit(rule.exits);
  if (rule.isKilled) process.kill(process.pid, "SIGKILL");
  const { hangsMs = rule.isKilled ? 1000 : undefined } = rule;
  if (hangsMs !== undefined) return new Promise(() => setTimeout(() => {}, hangsMs));
  if (rule.returns === "function") return () => item;
  if (rule.returns === "shared memory") return new SharedArrayBuffer(8);
  if (rule.returns === "a long text") return "x".repeat(20_000_000);
  return item;
}
