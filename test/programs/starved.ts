// A script whose technique is called when no more files can be opened, as every process needs some.

import "../../lib/command/dictionary.ts"; // while it can be opened
import { openSync } from "node:fs";
import { runAsScript } from "../../lib/main.ts";
import { inProcesses } from "../../scripts/processes.ts";
import { intoSharedDict } from "../../scripts/shared-dict.ts";

export { inProcesses, intoSharedDict };

runAsScript(import.meta.url, {
  defaultWorkers: () => 2,
  inProcesses: true,
  inWorkers(self: typeof import("./starved.ts"), items, ...call) {
    try {
      for (;;) openSync("/dev/null", "r");
    } catch {}
    if (process.env.TECHNIQUE === "processes") return self.inProcesses(items, ...call);
    return self.intoSharedDict(new Map(), items, ...call);
  },
});
