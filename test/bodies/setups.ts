// Its setup does what it is told, by its context or else by the variable SETUP: it exits, throws, waits
// for a minute, or until all workers are there, of which each puts something into a folder.

import { mkdtempSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export type Context = "exits" | "throws" | "waits" | { folder: string; workers: number };

export async function setup(what = process.env.SETUP as Context) {
  if (what === "exits") process.exit(3);
  if (what === "throws") throw new Error("no database");
  if (what === "waits") {
    console.error("waiting");
    return sleep(60_000);
  }
  mkdtempSync(`${what.folder}/`);
  while (readdirSync(what.folder).length < what.workers) await sleep(5);
}

export default function body(item: number) {
  return [[item, item]];
}
