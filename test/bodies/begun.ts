// Writes down in a file what it begins; some items end their worker, at once or soon after.

import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export default async function body(item: number, { file }: { file: string }) {
  appendFileSync(file, `${item}\n`);
  if (item % 20 === 5) setImmediate(() => process.exit());
  if (item % 20 === 15) process.exit();
  await sleep(item % 3);
  return [[item, item]];
}
