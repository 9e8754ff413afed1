// What 20,000 results of 25 bytes take in the parent: a small Buffer is a part of a larger memory, which
// it may bring along.
//
// Run: node test/bench/buffers.ts threads|processes   on Node 20: node --import tsx ...
// Prints one line of JSON: { "bytes": ... }, by which the memory in use has grown.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { loadable } from "../../lib/runtime.ts";

const files = ["../../scripts/threads.ts", "../../scripts/processes.ts", "./buffer-body.ts"];
const urls = await loadable(files.map((file) => new URL(file, import.meta.url)));
const [threads, processes, body] = urls as [URL, URL, URL];
const { inThreads }: typeof import("../../scripts/threads.ts") = await import(threads.href);
const { inProcesses }: typeof import("../../scripts/processes.ts") = await import(processes.href);

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");
function usedBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const technique = process.argv[2] === "threads" ? inThreads : inProcesses;
const run = (count: number) => {
  const items = Array.from({ length: count }, (_, index) => index);
  const options = { workers: 4, execArgv: [] };
  return technique<typeof import("./buffer-body.ts")>(items, body, options);
};

await run(100); // so that what is loaded once is
const beforeBytes = usedBytes();
const results = await run(20_000);
const bytes = usedBytes() - beforeBytes;
for (const result of results)
  if (result.status === "rejected" || result.value.length !== 25) throw new Error("no 25 bytes");
console.log(JSON.stringify({ bytes }));
