// Runs the loops of the modules beside it, two at once and, unless told otherwise, nested; prints what
// came of them.

import { loop as firstLoop, type Kind } from "./first-loop.ts";
import { loop as nestedLoop } from "./nested-loop.ts";
import { loop as secondLoop } from "./second-loop.ts";

const kinds: Kind[] = ["threads", "processes"];
const results: Record<string, unknown> = {};

for (const kind of kinds)
  [results[`first, ${kind}`], results[`second, ${kind}`]] = await Promise.all([
    firstLoop(kind, [1, 2, 3]),
    secondLoop(kind, [1, 2, 3]),
  ]);
for (const kind of process.argv[2] === "not nested" ? [] : kinds)
  for (const inner of kinds) results[`${inner} in ${kind}`] = await nestedLoop(kind, [10], inner);
console.log(JSON.stringify(results));
