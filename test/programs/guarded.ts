// Computes for ever, guarded.

import { writeSync } from "node:fs";
import { startGuard } from "../../lib/guard.ts";

process.on("SIGINT", () => {});
await startGuard(new AbortController().signal);
writeSync(1, "it runs");
for (;;);
