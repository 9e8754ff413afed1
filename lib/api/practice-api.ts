// The practice API: a real HTTP server that takes POSTs, waits as an API would, and counts.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createHistogram } from "node:perf_hooks";

/** What the practice API does to a POST. */
export interface ApiOptions {
  /** Service time of a POST, in milliseconds. (Node's timers may be up to 1 ms early.) */
  latencyMs: number;
  /** Spreads the latency evenly over latencyMs - jitterMs to latencyMs + jitterMs. */
  jitterMs: number;
  /** Share of POSTs answered 503, from 0 to 1. */
  errorRate: number;
  /** Share of POSTs whose connection is dropped instead, from 0 to 1. */
  resetRate: number;
  /** POSTs let through in each second, the rest being answered 429; 0 is no limit. */
  rateLimit: number;
  /** Start of the random numbers behind jitter, errors and resets. */
  seed: number;
}

/** What `GET /stats` answers. Counts everything but requests to /stats itself. */
export interface ApiStats {
  requests: number;
  inFlight: number;
  inFlightPeak: number;
  serviceMs: { mean: number; p99: number };
  /** Status -> count; a dropped connection counts as "reset". */
  statuses: Record<string, number>;
}

const MAX_BODY_BYTES = 1024 * 1024;

/**
 * The practice API as a server that does not listen yet.
 * POST to any path is answered 201 with `{"json": BODY}` and `Server-Timing: service;dur=MS`, the
 * time that it really took; `GET /stats` gives {@link ApiStats}, `DELETE /stats` starts them anew.
 *
 * @param onAnswered Called after each answered POST with the number answered so far.
 */
export function createPracticeApi(
  options: ApiOptions,
  onAnswered?: (count: number) => void,
): Server {
  const random = seededRandom(options.seed);
  const service = createHistogram(); // of whole microseconds
  let stats = { requests: 0, inFlightPeak: 0, statuses: {} as Record<string, number> };
  let inFlight = 0;
  let answered = 0;
  let window = { second: 0, count: 0 };

  function overLimit(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (window.second !== second) window = { second, count: 0 };
    return ++window.count > options.rateLimit && options.rateLimit > 0;
  }

  function count(status: number | string) {
    stats.statuses[status] = (stats.statuses[status] ?? 0) + 1;
  }

  function reply(response: ServerResponse, status: number, json: string, more: string[] = []) {
    const headers = [
      "Content-Type",
      "application/json",
      "Content-Length",
      `${Buffer.byteLength(json)}`,
    ];
    response.writeHead(status, [...headers, ...more]).end(json);
  }

  function replyStats(request: IncomingMessage, response: ServerResponse) {
    if (request.method === "DELETE") {
      service.reset();
      stats = { requests: 0, inFlightPeak: inFlight, statuses: {} };
    } else if (request.method !== "GET") {
      return reply(response, 405, '{"error":"/stats takes GET and DELETE"}', [
        "Allow",
        "GET, DELETE",
      ]);
    }
    const [mean, p99] = service.count
      ? [service.mean / 1000, service.percentile(99) / 1000]
      : [0, 0];
    reply(response, 200, JSON.stringify({ ...stats, inFlight, serviceMs: { mean, p99 } }));
  }

  /** Serves one request: reads it, then refuses it at once or answers after the latency. */
  function serve(request: IncomingMessage, response: ServerResponse) {
    if (request.url === "/stats") return replyStats(request, response);
    const arrivedMs = performance.now();
    stats.requests++;
    stats.inFlightPeak = Math.max(stats.inFlightPeak, ++inFlight);
    let isIn = true;
    response.once("close", leave); // by a client that did not wait

    /** Before the answer goes out: with it in hand, the client may be back at once. */
    function leave() {
      if (isIn) inFlight--;
      isIn = false;
    }

    function refuse(status: number, error: string, more: string[] = []) {
      leave();
      count(status);
      reply(response, status, JSON.stringify({ error }), more);
    }

    function answer(json: string) {
      const [reset, fail] = [random() < options.resetRate, random() < options.errorRate];
      const tookMs = performance.now() - arrivedMs;
      service.record(Math.max(1, Math.round(tookMs * 1000)));
      leave();
      if (reset) {
        count("reset");
        request.socket.resetAndDestroy();
      } else if (fail) {
        refuse(503, "the practice API fails on purpose (--error-rate)");
      } else {
        count(201);
        reply(response, 201, `{"json":${json}}`, [
          "Server-Timing",
          `service;dur=${tookMs.toFixed(3)}`,
        ]);
      }
      onAnswered?.(++answered);
    }

    if (request.method !== "POST")
      return refuse(405, "send a POST", ["Allow", "POST", "Connection", "close"]);
    readBody(request, (body) => {
      const json = body && compactJson(body);
      if (!body)
        return refuse(413, `a body has at most ${MAX_BODY_BYTES} bytes`, ["Connection", "close"]);
      if (!json) return refuse(400, "the body is not JSON");
      if (overLimit()) return refuse(429, "too many requests in this second", ["Retry-After", "1"]);
      const spread = options.jitterMs ? options.jitterMs * (2 * random() - 1) : 0;
      const waitMs = options.latencyMs + spread;
      // An open connection keeps the process alive, the wait alone does not.
      if (waitMs > 0) setTimeout(answer, waitMs, json).unref();
      else answer(json);
    });
  }

  return createServer({ keepAliveTimeout: 60_000 }, serve);
}

/** Hands over the whole body, or undefined once it is over the limit. */
function readBody(request: IncomingMessage, done: (body: Buffer | undefined) => void) {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  request.on("data", (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else if (sizeBytes - chunk.length <= MAX_BODY_BYTES) done(undefined);
  });
  request.on("end", () => {
    if (sizeBytes <= MAX_BODY_BYTES) done(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
  });
}

/** The JSON text without its white space; undefined where it is not JSON. */
function compactJson(body: Buffer): string | undefined {
  try {
    return JSON.stringify(JSON.parse(body.toString()));
  } catch {
    return undefined;
  }
}

/** Random numbers from 0 to 1 that a seed repeats (mulberry32, by Tommy Ettinger, public domain). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
