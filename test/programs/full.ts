// Opens files until there can be no more, then starts the guard and the practice API.

import { openSync } from "node:fs";
import { startApi } from "../../lib/api-process.ts";
import { startGuard } from "../../lib/guard.ts";

try {
  for (;;) openSync("/dev/null", "r");
} catch {}
(await startGuard(new AbortController().signal))();
await startApi([]).catch((error) => console.log(error.message));
