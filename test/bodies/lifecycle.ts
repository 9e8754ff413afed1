// Writes down in a file what its worker does, from setup to teardown, and fails where it is told to.

import { appendFileSync, mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { threadId } from "node:worker_threads";

export type Failure =
  | "throws"
  | "throws a string"
  | "rejects later"
  | "exits"
  | "throws for the first time"
  | "waits";

export interface Context {
  log: string;
  setup?: Failure;
  teardown?: Failure; // of the worker that had item 0
  itemMs?: number[]; // by item
}

let told: Context;
let hadFirst = false;

export async function setup(context: Context) {
  told = context;
  note("setup begins");
  await fail(context.setup, "no database");
  note("setup ends");
}

export default async function body(item: number) {
  hadFirst ||= item === 0;
  note(`item ${item} begins`);
  await sleep(told.itemMs?.[item] ?? 1);
  note(`item ${item} ends`);
  return item;
}

export async function teardown() {
  note("teardown begins");
  if (hadFirst) await fail(told.teardown, "not flushed");
  note("teardown ends");
}

function note(what: string) {
  appendFileSync(told.log, `${process.pid}/${threadId} ${what}\n`);
}

function fail(how: Failure | undefined, why: string): unknown {
  if (how === "throws") throw Object.assign(new RangeError(why), { code: "E_FAIL" });
  if (how === "throws a string") throw why;
  if (how === "rejects later") return sleep(20).then(() => Promise.reject(new RangeError(why)));
  if (how === "exits") process.exit(3);
  if (how === "waits") return sleep(1000);
  if (how === "throws for the first time") mkdirOnce(`${told.log}.once`, why);
  return undefined;
}

function mkdirOnce(folder: string, why: string) {
  try {
    mkdirSync(folder);
  } catch {
    return; // it was there
  }
  throw new RangeError(why);
}
