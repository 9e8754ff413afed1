// A server that does to each request what its item number says: the ways in which APIs fail.

import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

/** What comes of a request: a status, or an error's code or name. */
export type Outcome = number | string;

const CRLF = "\r\n";
const answer = (status: number | string, headers: string[] = [], body = "") =>
  [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${body.length}`, "", body].join(CRLF);
const retryAfter = (when: string) => answer("429 Too Many Requests", [`Retry-After: ${when}`]);

/** The faults by item number: a name, what the server does, what must come of it. */
export const FAULTS: [name: string, act: (socket: Socket) => void, outcome: Outcome][] = [
  ["none", (socket) => socket.write(answer("201 Created")), 201],
  ["a reset at once", (socket) => socket.resetAndDestroy(), "ECONNRESET"],
  ["a reset in the middle of the headers", cutAfter("HTTP/1.1 201 Created\r\nX-He"), "ECONNRESET"],
  [
    "a reset in the middle of the body",
    cutAfter(answer(201, [], "x".repeat(99)).slice(0, -40)),
    "ECONNRESET",
  ],
  ["no answer", () => {}, "TimeoutError"],
  ["an answer byte by byte", drip(answer("201 Created", [], "body")), 201],
  [
    "an answer byte by byte, without an end",
    drip(answer(201, [], "x".repeat(1e5))),
    "TimeoutError",
  ],
  ["an unannounced end after the answer", (socket) => socket.end(answer("201 Created")), 201],
  ["an end instead of an answer", (socket) => socket.end(), "UND_ERR_SOCKET"],
  [
    "an answer that is too short",
    (socket) => socket.end(answer(201, [], "body").slice(0, -2)),
    "UND_ERR_SOCKET",
  ],
  ["an answer of 100 MB", flood(100e6), 201],
  ["429 for a second", (socket) => socket.write(retryAfter("1")), 429],
  ["429 until a date", (socket) => socket.write(retryAfter(new Date().toUTCString())), 429],
  ["429 for ages", (socket) => socket.write(retryAfter("99999999999999999999")), 429],
  [
    "429 with a broken Retry-After",
    (socket) => socket.write(retryAfter("soon\x7f")),
    "HTTPParserError",
  ],
  ["429 with a senseless Retry-After", (socket) => socket.write(retryAfter("-5 o'clock")), 429],
  ["503", (socket) => socket.write(answer("503 Service Unavailable")), 503],
  [
    "a redirect",
    (socket) => socket.write(answer("307 Temporary Redirect", ["Location: /other"])),
    307,
  ],
  ["204", (socket) => socket.write("HTTP/1.1 204 No Content\r\n\r\n"), 204],
  ["304", (socket) => socket.write("HTTP/1.1 304 Not Modified\r\n\r\n"), 304],
  ["999", (socket) => socket.write(answer("999 Request denied")), 999],
  [
    "103 Early Hints first",
    (socket) => socket.write(`HTTP/1.1 103 Early Hints\r\n\r\n${answer(201)}`),
    201,
  ],
  ["no HTTP at all", (socket) => socket.write("HELLO\r\n\r\n"), "HTTPParserError"],
  [
    "a control sequence as status text",
    (socket) => socket.write(answer("500 \x1b[2J\x1b]0;owned\x07")),
    500,
  ],
  [
    "headers without an end",
    (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(50_000)}`),
    "UND_ERR_HEADERS_OVERFLOW",
  ],
  [
    "chunks that are none",
    (socket) => socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "HTTPParserError",
  ],
];

function cutAfter(text: string) {
  return (socket: Socket) => {
    socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 30));
  };
}

function drip(text: string) {
  return (socket: Socket) => {
    let at = 0;
    const timer = setInterval(() => {
      if (socket.destroyed || at >= text.length) clearInterval(timer);
      else socket.write(text[at++]!);
    }, 2);
  };
}

function flood(bytes: number) {
  return (socket: Socket) => {
    socket.write(["HTTP/1.1 201 Created", `Content-Length: ${bytes}`, "", ""].join(CRLF));
    const chunk = Buffer.alloc(1e6, 0x1b);
    let left = bytes / chunk.length;
    const more = () => {
      while (left > 0 && !socket.destroyed) {
        left--;
        if (!socket.write(chunk)) return socket.once("drain", more);
      }
      return undefined;
    };
    more();
  };
}

/** Starts the server, with a certificate that nobody trusts where there is one. */
export async function startHostileServer(tls?: { key: string; cert: string }) {
  const sockets = new Set<Socket>();
  const serve = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    let received = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      received += text;
      const [, body] = received.split(`${CRLF}${CRLF}`);
      if (!body?.endsWith("}")) return; // the payload is JSON
      received = "";
      const { request } = JSON.parse(body) as { request: number };
      FAULTS[request % FAULTS.length]![1](socket);
    });
  };
  const server = tls ? createTlsServer(tls, serve) : createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}/`,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A connection that was cut shows as one or the other, depending on who notices first. */
const LOST = ["ECONNRESET", "UND_ERR_SOCKET"];

/** Counts of errors, those of lost connections as one. */
export function lostAsOne(errors: Record<string, number>): Record<string, number> {
  const others = Object.entries(errors).filter(([key]) => !LOST.includes(key));
  const lost = LOST.reduce((sum, key) => sum + (errors[key] ?? 0), 0);
  return Object.fromEntries([...others, ["lost connection", lost]]);
}

/** What a record must count for items 0 to `count`. */
export function expectedCounts(count: number) {
  const statuses: Record<string, number> = {};
  const errors: Record<string, number> = {};
  for (let item = 0; item < count; item++) {
    const [, , outcome] = FAULTS[item % FAULTS.length]!;
    const counts = typeof outcome === "number" ? statuses : errors;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return { statuses, errors: lostAsOne(errors) };
}
