// Its loop's body is in the file that starts the loop, and so is loaded again by each worker: Python's
// missing `if __name__ == "__main__"`.

import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { inProcesses } from "../../scripts/processes.ts";
import { inThreads } from "../../scripts/threads.ts";

const { KIND, LOADS, HOW } = process.env;
const depth = Number(process.env.DEPTH ?? 0); // 0 in the program itself, 1 in its workers
appendFileSync(LOADS!, `${depth}\n`);
process.env.DEPTH = `${depth + 1}`;
if (depth === 3) process.exit(9); // or there would be ever more of them

export default async function body(item: number): Promise<number> {
  await sleep(1000);
  return item;
}

async function main() {
  if (HOW === "a while later") await sleep(1);
  const run = KIND === "threads" ? inThreads : inProcesses;
  const results = await run([1, 2, 3, 4], new URL(import.meta.url), { workers: 2 });
  for (const result of results)
    console.log(result.status, result.status === "rejected" ? result.reason.message : result.value);
}

if (HOW === "at its top level") await main();
else void main();
