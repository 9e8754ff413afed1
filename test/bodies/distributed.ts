// What tests of distributed.ts let it do: return values, use the dictionary, compute, say how many
// are in flight.

import { setTimeout as sleep } from "node:timers/promises";
import type { redisDict } from "../../scripts/distributed.ts";

export type Item =
  | "values"
  | "error"
  | "function"
  | "undefined"
  | "count"
  | "lock"
  | "compute"
  | "in flight"
  | "slow";

let inFlight = 0;
let setups = 0;

export function setup(context?: { fails?: boolean }): void {
  if (context?.fails) throw new RangeError("no set-up here");
  setups++;
}

export default async function body(
  item: Item,
  context?: { fails?: boolean },
  dict?: ReturnType<typeof redisDict>,
): Promise<unknown> {
  const values = [new Map([["a", 1n]]), new Date(5), Buffer.from("bytes"), Number.NaN, undefined];
  if (item === "values") return [...values, context, setups > 0];
  if (item === "error")
    throw Object.assign(new TypeError("no", { cause: new Error("why") }), { code: "E_NO" });
  if (item === "function") return () => 1;
  if (item === "count") return void dict!.increment("count");
  if (item === "lock")
    return dict!.lock(async () => {
      const before = ((await dict!.get(7)) ?? []) as unknown[];
      await dict!.set(7, [...before, new Date(before.length)]);
    });
  if (item === "compute") for (const ms = performance.now(); performance.now() - ms < 100; );
  if (item === "slow") await sleep(500);
  if (item !== "in flight") return undefined;
  inFlight++;
  await sleep(5);
  return inFlight--;
}
