// Posts its item to API_URL. An answer other than 201 is an error with a code; every DIES_EVERY-th item
// ends its worker instead.

import { setTimeout as sleep } from "node:timers/promises";
import { post } from "../../lib/post.ts";

export { closeConnections as teardown } from "../../lib/post.ts";

const { API_URL = "", RETRIES, DIES_EVERY, PAUSE_MS } = process.env;
const options = { url: API_URL, connections: 1, timeoutMs: 30_000, retries: Number(RETRIES ?? 0) };
const every = Number(DIES_EVERY ?? Number.POSITIVE_INFINITY);

type Dict = { set: (key: number, value: number) => unknown };

/** @returns An entry, as merge-dict.ts expects it. A dictionary that all share gets it, too. */
export default async function body(item: number, _context?: unknown, dict?: Dict) {
  if (item % every === every / 2) process.exit();
  try {
    const status = await post(options, `{"request":${item}}`);
    if (status !== 201) throw Object.assign(new Error("refused"), { code: `HTTP_${status}` });
    dict?.set(item, status);
    return [[item, status]];
  } catch (error) {
    await sleep(Number(PAUSE_MS ?? 0));
    throw error;
  }
}
