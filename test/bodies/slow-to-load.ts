// Computes for long while it is loaded, then awaits at its top level.

import "./long.ts";
import { setTimeout as sleep } from "node:timers/promises";

await sleep(60_000);

export default function body(item: unknown): unknown {
  return item;
}
