// The body of `--work post`: one POST an item. A thread or process opens its connections once.

import { closeConnections, loadClient, type PostOptions, payload, post } from "../post.ts";

/** @returns The answer's status, whatever it is. */
export default async function body(item: number, options: PostOptions): Promise<number> {
  const reply = await post(options, payload(options, item));
  return reply.status;
}

export { closeConnections as teardown, loadClient as setup };
