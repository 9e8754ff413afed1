// The POST helper: one JSON body to one URL over kept-alive connections, within a time limit.

import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
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
  /** Request headers, by name, beside the content type. */
  headers?: Record<string, string>;
  /** The JSON to send, where `{i}` stands for the item's number; left out: `{"request":{i}}`. */
  data?: string | undefined;
}

/** What came back: any status is an answer, also 404 or 503. */
export interface Reply {
  status: number;
  /** How long the answer asks to wait before the next try, in milliseconds. */
  retryAfterMs: number | undefined;
}

const RETRY_STATUSES = [429, 503];
const RETRY_CODES = ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"];
/** What a server may ask for at most; a longer wait is cut, or it could hold up the loop for good. */
const LONGEST_WAIT_MS = 60_000;

let PoolClass: typeof Pool | undefined;
const targets = new Map<string, { pool: Pool; url: URL; headers: Record<string, string> }>();
let closing = newClosing();

/** Loads undici, when it is needed, and of it just the pool: the whole takes three times as long. */
export async function loadClient(): Promise<void> {
  // Node 20 would optimize undici's parser (WebAssembly) in the background, in every worker anew:
  // 80 ms of CPU time each, and no faster for it. Newer ones do so only where it is run a lot.
  // (The flag is this whole process's: nothing else here runs WebAssembly.)
  if (process.versions.node.startsWith("20.")) setFlagsFromString("--liftoff-only");
  // @ts-expect-error: undici has types for the whole, not for this file of it
  PoolClass ??= (await import("undici/lib/dispatcher/pool.js")).default as typeof Pool;
}

/** The JSON that is posted for an item. */
export function payload({ data = '{"request":{i}}' }: PostOptions, item: number): string {
  return data.replaceAll("{i}", `${item}`);
}

/**
 * Posts a JSON text and reads the answer to its end.
 *
 * @returns The reply, whatever its status.
 * @throws {Error} No complete reply: what failed, for which URL, why. `code` and `cause` are kept;
 *   its name is TimeoutError after `timeoutMs`, AbortError after {@link closeConnections}.
 */
export async function post(options: PostOptions, json: string): Promise<Reply> {
  for (let tried = 0; ; tried++) {
    let waitMs = 100 * 2 ** tried;
    try {
      const reply = await postOnce(options, json);
      if (tried >= options.retries || !RETRY_STATUSES.includes(reply.status)) return reply;
      waitMs = reply.retryAfterMs ?? waitMs;
    } catch (error) {
      const { code = "" } = error as { code?: string };
      if (tried >= options.retries || !RETRY_CODES.includes(code)) throw error;
    }
    await sleep(Math.min(waitMs, LONGEST_WAIT_MS), undefined, { signal: closing.signal });
  }
}

/** Closes the connections of this thread or process; what is in flight fails. The next post opens new ones. */
export async function closeConnections(): Promise<void> {
  const pools = [...targets.values()].map(({ pool }) => pool);
  targets.clear();
  closing.abort();
  closing = newClosing();
  await Promise.all(pools.map((pool) => pool.destroy()));
}

function newClosing(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // one for each request that waits for its next try
  return controller;
}

async function postOnce(options: PostOptions, body: string): Promise<Reply> {
  const { pool, url, headers } = targets.get(options.url) ?? (await connect(options));
  return new Promise((resolve, reject) => {
    const reply: Reply = { status: 0, retryAfterMs: undefined };
    let request: Dispatcher.DispatchController | undefined;
    let late: Error | undefined;
    const timer = setTimeout(() => {
      const message = `no complete answer within ${options.timeoutMs} ms`;
      late = Object.assign(new Error(message), { name: "TimeoutError" });
      request?.abort(late);
      reject(readable(late, url));
    }, options.timeoutMs);

    // dispatch() is what undici's request() and fetch() are made of: the least work for a reply
    // of which only the status counts.
    pool.dispatch(
      {
        method: "POST",
        path: url.pathname + url.search,
        headers,
        body,
      },
      {
        onRequestStart(controller) {
          request = controller;
          if (late) controller.abort(late);
        },
        onResponseStart(_controller, status, headers) {
          reply.status = status;
          reply.retryAfterMs = retryAfterMs(headers["retry-after"]);
        },
        // Read to the end, though not kept: an unread body keeps its connection busy for good.
        onResponseData() {},
        onResponseEnd() {
          clearTimeout(timer);
          resolve(reply);
        },
        onResponseError(_controller, error) {
          clearTimeout(timer);
          reject(readable(error, url));
        },
      },
    );
  });
}

async function connect({ url: href, connections, headers }: PostOptions) {
  await loadClient();
  const url = new URL(href);
  // undici's own limits (300 s) would cut in before a longer one of the caller's.
  const limits = { headersTimeout: 0, bodyTimeout: 0 };
  const target = targets.get(href) ?? {
    pool: new PoolClass!(url.origin, { connections, ...limits }),
    url,
    headers: { "content-type": "application/json", ...basicAuth(url), ...headers },
  };
  targets.set(href, target);
  return target;
}

/** A user and password in the URL go into a header, as with curl and Python's requests. */
function basicAuth({ username, password }: URL): Record<string, string> {
  if (!username && !password) return {};
  const credentials = `${decoded(username)}:${decoded(password)}`;
  return { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}

/** A part of a URL without its percent-encoding; as it stands where a "%" is none. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The same error with a message that stands alone. */
function readable(error: unknown, url: URL): Error {
  const { name, code, message, errors } = error as AggregateError & { code?: string };
  // `localhost` refused on every address gives an empty message and the reasons inside.
  const why = message || errors?.map((inner) => inner.message).join("; ") || code || name;
  const shown = new Error(`POST ${url.origin}${url.pathname} failed: ${why}`, { cause: error });
  return Object.assign(shown, { name }, code && { code });
}

/** Milliseconds that a Retry-After header asks for, in either form; undefined for none or a broken one. */
function retryAfterMs(header: string | string[] | undefined): number | undefined {
  if (typeof header !== "string") return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const ms = /[a-z]/i.test(header) ? Date.parse(header) - Date.now() : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
