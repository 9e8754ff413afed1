// APIs that count, in the process of the tests: one of their own would take half a second to start.

import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { after } from "node:test";
import { type ApiOptions, createPracticeApi } from "../../scripts/api/server.ts";
import { statsOf } from "./process.ts";

/** Serves HTTP until the tests of the file are over, or it is stopped. */
async function listen(server: Server) {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  after(stop);
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}/`, stop };
}

/** Serves HTTP until the tests of the file are over, and gives the URL. */
export async function serveHttp(listener: RequestListener): Promise<string> {
  return (await listen(createServer(listener))).url;
}

/** Serves the practice API: it answers after 1 ms, without faults, unless told otherwise. */
export async function servePracticeApi(options: Partial<ApiOptions> = {}) {
  const faultless = { jitterMs: 0, errorRate: 0, resetRate: 0, rateLimit: 0, seed: 1 };
  const { url, stop } = await listen(createPracticeApi({ latencyMs: 1, ...faultless, ...options }));
  return { url, stop, stats: () => statsOf(url) };
}

/** Starts an API that counts the POSTs of each item, and answers after `latencyMs`. */
export async function startCountingApi(latencyMs = 0) {
  const posts = new Map<string, number>();
  const url = await serveHttp(async (request, response) => {
    const item = await text(request);
    posts.set(item, (posts.get(item) ?? 0) + 1);
    setTimeout(() => response.end(item), latencyMs);
  });
  return {
    url,
    posts,
    /** Of all items together, and the most of one. */
    total: () => [...posts.values()].reduce((sum, count) => sum + count, 0),
    most: () => Math.max(0, ...posts.values()),
  };
}
