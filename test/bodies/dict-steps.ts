// Does to the shared dictionary what its item says, one step after another or all at once, and
// returns the answers.

import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, parentPort } from "node:worker_threads";
import type { SharedDict } from "../../scripts/shared-dict.ts";
import { type OddValue, oddValue } from "./odd-value.ts";

/**
 * An operation by its name; or one of these:
 *
 * - "await" until there is this key, "sleep" so many milliseconds, "die" at once;
 * - "die holding" the lock of a key, once so many others wait for it;
 * - "die asking" for the lock of a key, once the question is on its way;
 * - "in turn" asks for the lock of a key as the so manieth of so many, see {@link inTurn};
 * - "locked until" holds the lock of a key until there is another key, and has set "held";
 * - "get then set", "locked", "locked without a key" add one to a key's value;
 * - "locked and thrown" throws under the lock of a key;
 * - "release of another's" asks for the end of a lock that this worker does not hold;
 * - "set odd, not awaited" is what it says;
 * - "set odd", "update odd" and "increment odd" send an odd value, by its name.
 */
export type Step = [name: string, ...args: unknown[]];

export interface Job {
  steps: Step[];
  /** How often, 1 unless given. */
  times?: number;
  /** All at once, rather than one after another: until one fails, or until all have settled. */
  pipelined?: boolean | "settled";
}

type Dict = SharedDict<unknown>;

export default async function body(
  { steps, times = 1, pipelined = false }: Job,
  _context: unknown,
  dict: Dict,
): Promise<unknown[]> {
  const all = Array.from({ length: times }, () => steps).flat();
  if (pipelined === "settled") return Promise.allSettled(all.map((step) => take(step, dict)));
  if (pipelined) return Promise.all(all.map((step) => take(step, dict)));
  const answers: unknown[] = [];
  for (const step of all) answers.push(await take(step, dict));
  return answers;
}

function take([name, ...args]: Step, dict: Dict): Promise<unknown> {
  const [key, value] = args as [string, unknown];
  const odd = () => oddValue(value as OddValue) as never;
  if (name === "await") return awaitKey(dict, key);
  if (name === "sleep") return sleep(args[0] as number);
  if (name === "die") return die();
  if (name === "die holding")
    return dict.lock(key, () => waitedFor(dict, value as number).then(die));
  if (name === "die asking")
    return Promise.all([dict.lock(key, async () => {}), sleep(1).then(die)]);
  if (name === "locked until")
    return dict.lock(key, async () => {
      await dict.set("held", true);
      await awaitKey(dict, value as string);
    });
  if (name === "in turn") return inTurn(dict, key, args[1] as number, args[2] as number);
  if (name === "get then set") return addOne(dict, key);
  if (name === "locked") return dict.lock(key, () => addOne(dict, key));
  if (name === "locked without a key") return dict.lock(() => addOne(dict, key));
  if (name === "locked and thrown")
    return dict.lock(key, () => Promise.reject(new Error("thrown")));
  if (name === "release of another's") return releaseOther(dict, key);
  if (name === "set odd, not awaited") return void dict.set(key, odd()) as never;
  if (name === "set odd") return dict.set(key, odd());
  if (name === "update odd")
    return dict.update([
      ["before it", 1],
      [key, odd()],
    ]);
  if (name === "increment odd") return dict.increment(key, odd());
  return (dict as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]!(
    ...args,
  );
}

function die(): Promise<unknown> {
  if (isMainThread) process.kill(process.pid, "SIGKILL");
  else process.exit(1); // ends this thread
  return new Promise(() => {});
}

/** With the lock: until so many others are about to take it, and a moment longer. */
async function waitedFor(dict: Dict, count: number) {
  await dict.set("held", true);
  while (((await dict.get("waiting")) as number) !== count) await sleep(5);
  await sleep(50);
}

async function awaitKey(dict: Dict, key: string) {
  while (!(await dict.has(key))) await sleep(2);
}

async function addOne(dict: Dict, key: string) {
  await dict.set(key, (((await dict.get(key)) as number) ?? 0) + 1);
}

/**
 * Asks for a lock after `number` others have asked, and holds it until all have; notes in "order" who
 * had it, and returns how many did at once.
 */
async function inTurn(dict: Dict, key: string, number: number, all: number) {
  if (number > 0) await awaitKey(dict, `asked ${number - 1}`);
  const holding = dict.lock(key, async () => {
    const inside = await dict.increment("inside");
    await awaitKey(dict, `asked ${all - 1}`);
    await dict.set("order", [...(((await dict.get("order")) as number[]) ?? []), number]);
    await dict.increment("inside", -1);
    return inside;
  });
  await dict.set(`asked ${number}`, true); // it travels behind the question for the lock
  return holding;
}

/** No operation does this: so a question for something else is made one for the end of a lock. */
async function releaseOther(dict: Dict, key: string) {
  const port = (parentPort ?? process) as unknown as Record<string, (message: never) => unknown>;
  const send = parentPort ? "postMessage" : "send";
  const original = port[send]!;
  port[send] = ({ list, ...rest }: { list: unknown[][] }) => {
    for (const question of list) if (question[1] === "has") question[1] = "release";
    return original.call(port, { list, ...rest } as never);
  };
  const answer = dict.has(key);
  await Promise.resolve(); // it is sent
  port[send] = original;
  return answer;
}
