// A script whose technique throws.

import { runAsScript } from "../../lib/main.ts";

runAsScript(import.meta.url, {
  async inThisThread() {
    throw new Error("no memory");
  },
});
