// Item 1 posts a message of its own that nobody can read; all take a moment.

import { setTimeout as sleep } from "node:timers/promises";
import { parentPort } from "node:worker_threads";

const DEPTH = 2000;

export default async function body(item: number): Promise<number> {
  const deep = `${'{"a":'.repeat(DEPTH)}1${"}".repeat(DEPTH)}`;
  if (item === 1) parentPort!.postMessage(JSON.parse(deep));
  await sleep(300);
  return item;
}
