// A worker of the script's own, on this machine: serves a body until its parent sends SIGTERM.

import type { Usage } from "../../lib/timing.ts";

/** What it is told: files by their URLs, and how to serve. */
export interface LocalJob {
  script: string; // distributed.ts, or what it was bundled to
  body: string;
  redis: string;
  concurrency: number;
}

/** What it says: that it has loaded, that it has joined the run; at its end what it took, how it failed. */
export type FromWorker = Partial<Usage> & { hasJoined?: boolean; failed?: string | undefined };

const say = (what: FromWorker) => process.send!(what, () => {}); // the parent may be gone

async function work({ script, body, redis, concurrency }: LocalJob) {
  const leaving = new AbortController();
  process.once("SIGTERM", () => leaving.abort());
  // Until it has joined the run, its setup may still fail.
  const onNews = (text: string) => say({ hasJoined: text.endsWith("joined") });
  let failed: string | undefined;
  try {
    const { serve }: typeof import("../distributed.ts") = await import(script);
    await serve(new URL(body), { redis, concurrency, signal: leaving.signal, onNews });
  } catch (error) {
    failed = `${Object(error).message ?? error}`;
  }
  const usage = { cpu: process.cpuUsage(), rssBytes: process.memoryUsage.rss() };
  say({ from: "the usage of a process", ...usage, failed });
}

process.on("SIGINT", () => {}); // Ctrl-C is its parent's to handle
process.once("message", work);
process.once("disconnect", () => process.exit()); // its parent is gone, or done with it
