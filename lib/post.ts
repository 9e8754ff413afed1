// The POST helper: one JSON body to one URL over kept-alive connections, within a time limit.

import { setTimeout as sleep } from "node:timers/promises";
import type { Dispatcher, Pool } from "undici";

/** How to post. */
export interface PostOptions {
  /** Where to: an http or https URL. */
  url: string;
  /** Most connections that this thread or process opens to it at once. */
  connections: number;
  /** Time limit of one request, from its start to the end of its answer, in milliseconds. */
  timeoutMs: number;
  /** How often to try again after 429, 503 or a lost connection: a POST may be carried out twice. */
  retries: number;
}

/** What came back: any status is an answer, also 404 or 503. */
export interface Reply {
  status: number;
}

const RETRY_STATUSES = [429, 503];
const RETRY_CODES = ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"];
const LONGEST_WAIT_MS = 30_000;

let Client: typeof Pool | undefined;
let pools = new Map<string, Pool>();

/** Loads undici, some 80 ms that work without requests need not pay. */
export async function loadClient(): Promise<void> {
  Client ??= (await import("undici")).default.Pool;
}

/**
 * Posts `json` and reads the answer to its end.
 *
 * @returns The reply, whatever its status.
 * @throws {Error} No complete reply: what failed, for which URL, why. `code` and `cause` are kept;
 *   `TimeoutError` by name after `timeoutMs`, the signal's reason when it was aborted.
 */
export async function post(
  options: PostOptions,
  json: unknown,
  signal?: AbortSignal,
): Promise<Reply> {
  for (let tried = 0; ; tried++) {
    let waitMs = Math.min(100 * 2 ** tried, LONGEST_WAIT_MS);
    try {
      const reply = await postOnce(options, json, signal);
      if (tried >= options.retries || !RETRY_STATUSES.includes(reply.status)) return reply;
      waitMs = Math.min(reply.retryAfterMs ?? waitMs, LONGEST_WAIT_MS);
    } catch (error) {
      const { code = "" } = error as { code?: string };
      if (tried >= options.retries || !RETRY_CODES.includes(code)) throw error;
    }
    await sleep(waitMs, undefined, signal && { signal });
  }
}

/** Closes this thread's or process's connections; the next post opens new ones. */
export async function closeConnections(): Promise<void> {
  const closing = [...pools.values()];
  pools = new Map();
  await Promise.all(closing.map((pool) => pool.destroy()));
}

async function postOnce(options: PostOptions, json: unknown, signal?: AbortSignal) {
  signal?.throwIfAborted();
  const url = new URL(options.url);
  const stop = new AbortController();
  const timer = setTimeout(() => {
    const error = new Error(`no complete answer within ${options.timeoutMs} ms`);
    error.name = "TimeoutError";
    stop.abort(error);
  }, options.timeoutMs);
  const onAbort = () => stop.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const pool = await poolFor(url.origin, options.connections);
    const { statusCode, headers, body } = await pool.request({
      method: "POST",
      path: url.pathname + url.search,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(json),
      signal: stop.signal,
    });
    await readToEnd(body);
    return { status: statusCode, retryAfterMs: retryAfterMs(headers["retry-after"]) };
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw readable(stop.signal.aborted ? stop.signal.reason : error, url);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Reads a body and forgets it: an unread one keeps its connection busy for good. */
function readToEnd(body: Dispatcher.ResponseData["body"]): Promise<void> {
  return new Promise((resolve, reject) => {
    body.once("end", resolve).once("error", reject).resume();
  });
}

/** The connections to one origin, kept alive between requests. */
async function poolFor(origin: string, connections: number): Promise<Pool> {
  await loadClient();
  let pool = pools.get(origin);
  if (!pool) {
    // undici's own limits (300 s) would cut in before a longer one of the caller's.
    pool = new Client!(origin, { connections, headersTimeout: 0, bodyTimeout: 0 });
    pools.set(origin, pool);
  }
  return pool;
}

/** The same error with a message that stands alone. */
function readable(error: unknown, url: URL): Error {
  const { name, code, message, errors } = error as AggregateError & { code?: string };
  // `localhost` refused on every address gives an empty message and the reasons inside.
  const why = message || errors?.map((inner) => inner.message).join("; ") || code || name;
  const shown = new Error(`POST ${url.origin}${url.pathname} failed: ${why}`, { cause: error });
  shown.name = name;
  return code ? Object.assign(shown, { code }) : shown;
}

/** Milliseconds that a Retry-After header asks for, in either form; undefined for none or a broken one. */
function retryAfterMs(header: string | string[] | undefined): number | undefined {
  if (typeof header !== "string") return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
