// Takes 400 ms to load; item 4 never ends.

import { setTimeout as sleep } from "node:timers/promises";

await sleep(400);

export default function body(item: number): unknown {
  return item === 4 ? new Promise(() => setTimeout(() => {}, 20_000)) : item;
}
