// Does to its worker what it is told, by its context or else by the variable FAULTS, and returns its item
// as an entry, for merge-dict.ts. Where there is a dictionary, it gets the entry, too.

import { appendFileSync, writeSync } from "node:fs";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { parentPort } from "node:worker_threads";

type Dict = { set: (key: number, value: never) => unknown };
export type Fault = keyof typeof FAULTS;

export interface Context {
  /** The fault is for the items that leave this remainder. */
  faults: [divisor: number, remainder: number, fault: Fault][];
  /** How long the other items take, at least. */
  pauseMs?: number;
  /** The file that gets each item as a line, as it is begun. */
  file?: string;
}

const told: Context = JSON.parse(process.env.FAULTS ?? '{ "faults": [] }');

export default async function body(item: number, context = told, dict?: Dict) {
  const { faults, pauseMs = 0, file } = context;
  if (file) appendFileSync(file, `${item}\n`);
  for (const [divisor, remainder, fault] of faults) {
    if (item % divisor !== remainder) continue;
    const value = await FAULTS[fault](item);
    if (value) return value;
  }
  // By the clock: a timer of 1 ms may be over within 0.1 ms, and items so short travel in groups,
  // which are lost together.
  for (const begunMs = performance.now(); performance.now() - begunMs < pauseMs; )
    await sleep(pauseMs);
  dict?.set(item, item as never);
  return [[item, item]];
}

const FAULTS = {
  exit: () => process.exit(),
  "throw outside": () => {
    setTimeout(() => {
      throw new Error("outside");
    });
    return never();
  },
  "reject outside": () => {
    Promise.reject(new Error("unhandled"));
    return never();
  },
  async "fill the memory"(item: number) {
    // What has been done is reported by then: out of memory, a thread takes its last 0.2 ms along.
    await setImmediate();
    for (const all: unknown[] = []; ; ) all.push(new Array(1e5).fill(item));
  },
  "crash natively": () => {
    process.kill(process.pid, "SIGSEGV");
    return never();
  },
  "stop listening": () => {
    process.removeAllListeners("disconnect");
    process.disconnect();
    setTimeout(() => process.exit(3), 1000);
    return never();
  },
  "return a function": () => () => {},
  "compute for ever": () => {
    writeSync(2, "caught ");
    for (;;);
  },
  "print 50 lines": (item: number) => {
    for (let line = 0; line < 50; line++) console.log(`a line of item ${item}`);
  },
  "steer the terminal": () => {
    const evil = "\x1b[2J\x07\u202e\x9b31m\r";
    throw Object.assign(new Error(`${evil}it`), { code: `E${evil}`, name: evil });
  },
  async "print and wait"() {
    console.log("waiting");
    await sleep(60_000);
  },
  lie: () => {
    for (const lie of LIES) parentPort ? parentPort.postMessage(lie) : process.send!(lie);
  },
};

/** Messages that a technique, or the script around it, might take for its own. */
const LIES: unknown[] = [
  ...[null, 1, "text", [], [{ index: 3 }], { message: [] }, { list: [[0, "get", 1]] }],
  ...[{}, { role: 1 }, { role: "worker", reports: [[2, 0, 0, "lie"]] }, { from: "a process" }],
  ...[{ reports: [[2, 0, 0, "lie"]] }, { done: true }, { failed: "lie" }, { is: "done" }],
  ...[{ returned: [3] }, { on: [3], isLast: true }, { job: {} }, { keys: [], values: [] }],
];

function never(): Promise<undefined> {
  return new Promise(() => {});
}
