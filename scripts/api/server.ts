// The practice API: a real HTTP server that takes POSTs, waits as an API would, and counts.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createHistogram } from "node:perf_hooks";
import type { ApiStats } from "../../lib/timing.ts";

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

const MAX_BODY_BYTES = 1024 * 1024;

/**
 * The practice API as a server that does not listen yet.
 * POST to any path is answered 201 with `{"json": BODY}` and `Server-Timing: service;dur=MS`, the
 * time that it really took; `GET /stats` gives {@link ApiStats}, `DELETE /stats` also starts them anew.
 *
 * @param onAnswered Called after each answered POST with the number answered so far.
 */
export function createPracticeApi(options: ApiOptions, onAnswered?: (count: number) => void) {
  const random = seededRandom(options.seed);
  const service = createHistogram(); // of whole microseconds
  const inFlight = new Set<ServerResponse>();
  let stats = { requests: 0, inFlightPeak: 0, statuses: {} as Record<string, number> };
  let answered = 0;
  let window = { second: 0, count: 0 };

  function overLimit(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (window.second !== second) window = { second, count: 0 };
    return ++window.count > options.rateLimit && options.rateLimit > 0;
  }

  function replyStats({ method }: IncomingMessage, response: ServerResponse) {
    if (method !== "GET" && method !== "DELETE") {
      const error = '{"error":"/stats takes GET and DELETE"}';
      return reply(response, 405, error, ["Allow", "GET, DELETE"]);
    }
    const serviceMs = { mean: (service.mean || 0) / 1000, p99: service.percentile(99) / 1000 };
    reply(response, 200, JSON.stringify({ ...stats, inFlight: inFlight.size, serviceMs }));
    if (method === "GET") return;
    service.reset();
    stats = { requests: 0, inFlightPeak: inFlight.size, statuses: {} };
  }

  /** Serves one request: reads it, then refuses it at once or answers after the latency. */
  function serve(request: IncomingMessage, response: ServerResponse) {
    if (request.url === "/stats") return replyStats(request, response);
    const arrivedMs = performance.now();
    stats.requests++;
    inFlight.add(response);
    stats.inFlightPeak = Math.max(stats.inFlightPeak, inFlight.size);
    response.once("close", () => inFlight.delete(response)); // by a client that did not wait

    /** Counts it, then answers: with the answer in hand, the client may be back at once. */
    function end(status: number | "reset", json = "", headers?: string[]) {
      inFlight.delete(response);
      stats.statuses[status] = (stats.statuses[status] ?? 0) + 1;
      if (status === "reset") request.socket.resetAndDestroy();
      else reply(response, status, json, headers);
    }

    const refuse = (status: number, error: string, headers?: string[]) =>
      end(status, JSON.stringify({ error }), headers);

    function answer(json: string) {
      const [reset, fail] = [random() < options.resetRate, random() < options.errorRate];
      const tookMs = performance.now() - arrivedMs;
      const timing = ["Server-Timing", `service;dur=${tookMs.toFixed(3)}`];
      service.record(Math.max(1, Math.round(tookMs * 1000)));
      if (reset) end("reset");
      else if (fail) refuse(503, "the practice API fails on purpose (--error-rate)");
      else end(201, `{"json":${json}}`, timing);
      onAnswered?.(++answered);
    }

    const close = ["Connection", "close"];
    if (request.method !== "POST") return refuse(405, "send a POST", ["Allow", "POST", ...close]);
    readBody(request, (body) => {
      if (!body) return refuse(413, `a body has at most ${MAX_BODY_BYTES} bytes`, close);
      const json = compactJson(body);
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

function reply(response: ServerResponse, status: number, json: string, headers: string[] = []) {
  const length = ["Content-Length", `${Buffer.byteLength(json)}`];
  response.writeHead(status, ["Content-Type", "application/json", ...length, ...headers]).end(json);
}

/** Hands over the whole body, or undefined once it is over the limit. */
function readBody(request: IncomingMessage, done: (body: Buffer | undefined) => void) {
  const chunks: Buffer[] = [];
  let leftBytes = MAX_BODY_BYTES;
  request.on("data", (chunk: Buffer) => {
    if (leftBytes >= 0 && leftBytes < chunk.length) done(undefined);
    leftBytes -= chunk.length;
    if (leftBytes >= 0) chunks.push(chunk);
  });
  request.on("end", () => leftBytes >= 0 && done(Buffer.concat(chunks)));
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
