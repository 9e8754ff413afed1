// Says odd things to the parent, as a program may that has messages of its own, and returns its item. In
// a dictionary it counts what it hears from the parent.

import { isMainThread, parentPort } from "node:worker_threads";

export const SAID = [
  null,
  0,
  5,
  "text",
  "",
  true,
  { role: "a role of its own" },
  { role: null },
  [],
];

interface Dict {
  set: (key: number, value: number) => Promise<void>;
}

function say(): void {
  for (const message of SAID)
    if (isMainThread) process.send!(message);
    else parentPort!.postMessage(message);
}

export function setup(): void {
  say();
}

export default async function body(item: number, _context: unknown, dict?: Dict): Promise<number> {
  say();
  await dict?.set(item, item);
  say();
  return item;
}

export function teardown(): void {
  say();
}
