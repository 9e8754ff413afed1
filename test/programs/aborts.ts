// Aborts loops whose threads load a body that takes long, each STEP_MS later than the one before.

import { inThreads } from "../../scripts/threads.ts";

const module = new URL("../bodies/slow-to-load.ts", import.meta.url);
const { TIMES, STEP_MS } = process.env;

for (let time = 0; time < Number(TIMES); time++) {
  const signal = AbortSignal.timeout(time * Number(STEP_MS));
  const results = await inThreads([1, 2], module, { workers: 2, signal });
  console.log(results.map((result) => result.status).join());
}
