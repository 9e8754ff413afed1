// The body of `--work post`: one POST an item. A thread or process opens its connections once.

import type { PostOptions } from "../post.ts";

let client: typeof import("../post.ts");

/** Loads the client only where there is an item: a worker that comes too late ends sooner. */
export async function setup(): Promise<void> {
  client = await import("../post.ts");
}

/** @returns The answer's status, whatever it is. */
export default function body(item: unknown, options: PostOptions): Promise<number> {
  return client.post(options, client.payload(options, item));
}

export function teardown(): Promise<void> {
  return client.closeConnections();
}
