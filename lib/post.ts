// The POST helper: one JSON body to one URL over kept-alive connections, within a time limit.

import { setMaxListeners } from "node:events";
import querystring from "node:querystring";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import type { Dispatcher, Pool } from "undici";
// Of undici just the pool: to load the whole takes a worker three times as long.
// @ts-expect-error: undici has types for the whole, not for this file of it
import PoolClass from "undici/lib/dispatcher/pool.js";
import { sayRetried } from "./timing.ts";

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
  /** Request headers, by name, beside the content type. */
  headers?: Record<string, string>;
  /** The JSON to send, where `{i}` stands for the item; left out: `{"request":{i}}`. */
  data?: string | undefined;
}

/** The statuses and error codes after which a request is tried again. */
const RETRIED: unknown[] = [429, 503, "ECONNRESET", "EPIPE", "UND_ERR_SOCKET"];
const targets = new Map<string, ReturnType<typeof connect>>();

// Node 20 would optimize undici's parser (WebAssembly) in each worker anew: 80 ms of CPU time each,
// and no faster for it. (The flag is this whole process's: nothing else here runs WebAssembly.)
if (process.versions.node.startsWith("20.")) setFlagsFromString("--liftoff-only");

/** The JSON that is posted for an item. */
export function payload({ data = '{"request":{i}}' }: PostOptions, item: unknown): string {
  return data.replaceAll("{i}", () => JSON.stringify(item));
}

/**
 * Posts a JSON text and reads the answer to its end.
 *
 * @returns The answer's status, whatever it is, also 404 or 503.
 * @throws {Error} No complete answer: what failed, for which URL, why. `code` and `cause` are kept;
 *   its name is TimeoutError after `timeoutMs`, AbortError after {@link closeConnections}.
 */
export async function post(options: PostOptions, json: string): Promise<number> {
  const target = targets.get(options.url) ?? connect(options);
  for (let tried = 0; ; tried++) {
    const { status, retryAfter, error } = await postOnce(target, json, options.timeoutMs);
    if (tried >= options.retries || !RETRIED.includes(error ? error.code : status)) {
      if (error) throw readable(error, target.url);
      return status;
    }
    const isSeconds = /^\d+$/.test(retryAfter);
    const askedMs = isSeconds ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
    // At most a minute, whatever is asked for: it could hold up the loop for good.
    const waitMs = Math.min(askedMs >= 0 ? askedMs : 100 * 2 ** tried, 60_000);
    await sleep(waitMs, undefined, { signal: target.closing.signal });
    sayRetried();
  }
}

/** Closes this thread's or process's connections; what is in flight fails. A post opens new ones. */
export async function closeConnections(): Promise<void> {
  const closed = [...targets.values()];
  targets.clear();
  for (const { closing } of closed) closing.abort();
  await Promise.all(closed.map(({ pool }) => pool.destroy()));
}

function connect({ url: href, connections, headers }: PostOptions) {
  const url = new URL(href);
  // undici's own limits (300 s) would cut in before a longer one of the caller's.
  const pool: Pool = new PoolClass(url.origin, { connections, headersTimeout: 0, bodyTimeout: 0 });
  // A user and password in the URL go into a header, as with curl and Python's requests.
  const credentials = querystring.unescape(`${url.username}:${url.password}`);
  const authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  const basicAuth = credentials !== ":" && { authorization };
  const sent = { "content-type": "application/json", ...basicAuth, ...headers };
  const closing = new AbortController();
  setMaxListeners(0, closing.signal); // one for each request that waits for its next try
  const target = { pool, url, headers: sent, closing };
  targets.set(href, target);
  return target;
}

/** One try: its answer, or an error, which may come in the middle of one. */
function postOnce(target: ReturnType<typeof connect>, body: string, timeoutMs: number) {
  const { pool, url, headers } = target;
  const failed = undefined as (Error & { code?: string }) | undefined;
  const answer = { status: 0, retryAfter: "", error: failed };
  return new Promise<typeof answer>((resolve) => {
    let controller: Dispatcher.DispatchController | undefined;
    const end = (error?: Error) => {
      clearTimeout(timer);
      answer.error ??= error;
      resolve(answer);
    };
    const timer = setTimeout(() => {
      const late = new Error(`no complete answer within ${timeoutMs} ms`);
      end(Object.assign(late, { name: "TimeoutError" }));
      controller?.abort(late);
    }, timeoutMs);
    const request = { method: "POST", path: url.pathname + url.search, headers, body } as const;
    // Handlers of our own: undici's request() takes 1.2 times the CPU time, and 1.5 times with its
    // retry interceptor, which would also POST again for the rest of an answer that was cut off.
    pool.dispatch(request, {
      onRequestStart(started) {
        controller = started;
        if (answer.error) started.abort(answer.error);
      },
      onResponseStart(_controller, status, headers) {
        Object.assign(answer, { status, retryAfter: String(headers["retry-after"]) });
      },
      onResponseData() {}, // an answer that is not read keeps its connection busy for good
      onResponseEnd: () => end(),
      onResponseError: (_controller, error) => end(error),
    });
  });
}

/** The same error with a message that stands alone. */
function readable(error: Error, url: URL): Error {
  const { name, code, message, errors } = error as AggregateError & { code?: string };
  // `localhost` refused on every address gives an empty message and the reasons inside.
  const why = message || errors?.map((inner) => inner.message).join("; ") || code || name;
  const shown = new Error(`POST ${url.origin}${url.pathname} failed: ${why}`, { cause: error });
  return Object.assign(shown, { name }, code && { code });
}
