// An API that counts the POSTs of each item.

import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { after } from "node:test";

/** Starts it: it answers after `latencyMs`. */
export async function startCountingApi(latencyMs = 0) {
  const posts = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const item = await text(request);
    posts.set(item, (posts.get(item) ?? 0) + 1);
    setTimeout(() => response.end(item), latencyMs);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/`,
    posts,
    /** Of all items together, and the most of one. */
    total: () => [...posts.values()].reduce((sum, count) => sum + count, 0),
    most: () => Math.max(0, ...posts.values()),
  };
}
