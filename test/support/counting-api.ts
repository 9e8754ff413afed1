// An API that counts the POSTs of each item.

import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { text } from "node:stream/consumers";
import { after } from "node:test";

/** Serves HTTP until the tests of the file are over, and gives the URL. */
export async function serveHttp(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
}

/** Starts it: it answers after `latencyMs`. */
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
