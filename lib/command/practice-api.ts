// Starts the practice API in a process of its own, so that it shares no event loop with a technique.

import { fork } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { json } from "node:stream/consumers";
import { readsTypeScript } from "../runtime.ts";
import type { ApiStats } from "../timing.ts";

/**
 * Starts `scripts/api.ts` on a free port of 127.0.0.1.
 *
 * @param flags Its command line, for example `["--latency", "20"]`.
 * @throws {Error} It could not be started, or ended before it accepted connections.
 */
export async function startApi(flags: string[]) {
  const child = fork(new URL("../../scripts/api.ts", import.meta.url), flags, {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    // Out of the terminal's group: Ctrl-C is this process's to handle, the API goes last.
    detached: true,
    ...(readsTypeScript && { execArgv: [] }),
  });
  const ended = Promise.allSettled([once(child, "close")]).then(() => []);
  await once(child, "spawn"); // or throws why not: too many open files, say
  const [firstLine] = await Promise.race([once(child.stdout!, "data"), ended]);
  if (!firstLine) throw new Error("the practice API ended before it accepted connections");
  const url = new URL(String(firstLine));
  child.unref(); // not before: if it dies, its end must be heard

  return {
    url,
    /** Counts since the start or the last call, and starts them anew. */
    async takeStats() {
      // With an agent of its own: the one that all share may go through a proxy, and so may fetch.
      const asking = request(new URL("/stats", url), { method: "DELETE", agent: false }).end();
      const [answer] = await once(asking, "response");
      return (await json(answer)) as ApiStats;
    },
    /** Ends it; resolves once its process is gone. */
    async stop() {
      child.ref(); // or this process might end as it waits, in the middle of what it has to say
      child.kill("SIGKILL"); // there is nothing that it would have to finish
      await ended;
    },
  };
}
