// A worker that does to the shared dictionary what a test tells it, one list of steps an item.

import { setTimeout as sleep } from "node:timers/promises";
import { type Port, servePool } from "../../lib/workers/pool-worker.ts";
import { isWorker } from "../../lib/workers/serve.ts";
import { sharedDict } from "../../scripts/shared-dict.ts";

/** The role that {@link runPool} starts this file by. */
export const ROLE = "--a-worker-of-a-test";

/** One operation by name; "die" ends the worker at once, "die holding" with the lock of a key, once three others wait for it (it sets "held"); "await" until there is such a key, "sleep" some milliseconds. */
export type Step = [name: string, ...args: unknown[]];

/** What a worker does with an item. */
export interface Job {
  steps: Step[];
  /** How often. */
  times?: number;
  /** All at once, rather than one after another. */
  pipelined?: boolean;
}

type Dict = Record<string, (...args: unknown[]) => Promise<unknown>>;

async function begin(_setup: unknown, port: Port) {
  const shared = sharedDict<unknown>(port);
  const dict = shared as unknown as Dict;
  const die = () => {
    process.kill(process.pid, "SIGKILL");
    return new Promise(() => {});
  };
  /** With the lock: until so many others are about to take it, and a moment longer. */
  const waitedFor = async (count: number) => {
    await shared.set("held", true);
    while (((await shared.get("waiting")) as number) !== count) await sleep(5);
    await sleep(50);
  };
  const awaitKey = async (key: string) => {
    while (!(await shared.has(key))) await sleep(2);
  };
  const addOne = async (key: string) =>
    shared.set(key, (((await shared.get(key)) as number) ?? 0) + 1);

  function step([name, ...args]: Step): Promise<unknown> {
    const key = args[0] as string;
    if (name === "die") return die();
    if (name === "await") return awaitKey(key);
    if (name === "sleep") return sleep(args[0] as number);
    if (name === "die holding") return shared.lock(key, () => waitedFor(3).then(die));
    if (name === "get then set") return addOne(key);
    if (name === "locked") return shared.lock(key, () => addOne(key));
    if (name === "locked without a key") return shared.lock(() => addOne(key));
    if (name === "set a function") return shared.set(key, () => {});
    return dict[name]!(...args);
  }

  return {
    async iterate({ steps, times = 1, pipelined = false }: Job) {
      const all = Array.from({ length: times }, () => steps).flat();
      if (pipelined) return Promise.all(all.map(step));
      const answers: unknown[] = [];
      for (const one of all) answers.push(await step(one));
      return answers;
    },
  };
}

if (isWorker(ROLE)) servePool(begin);
