// The body of `--work post`: one POST an item. A thread or process opens its connections once.

import { closeConnections, type PostOptions, payload, post } from "../post.ts";

/** @returns The answer's status, whatever it is. */
export default function body(item: unknown, options: PostOptions): Promise<number> {
  return post(options, payload(options, item));
}

export { closeConnections as teardown };
