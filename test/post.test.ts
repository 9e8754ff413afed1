import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, test } from "node:test";
import { closeConnections, type PostOptions, post } from "../lib/post.ts";
import { until } from "./support/process.ts";

const closing: (() => void)[] = [];
afterEach(async () => {
  await closeConnections();
  for (const close of closing.splice(0)) close();
});

/** A server for one test, and how to post to it. */
async function serve(
  listener: RequestListener,
  more: Partial<PostOptions> = {},
): Promise<PostOptions> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close().closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/path?query=1`;
  return { url, connections: 4, timeoutMs: 1000, retries: 0, ...more };
}

test("post: sends the JSON to the path and gives the status, also of an error", async () => {
  const seen: unknown[] = [];
  const options = await serve(async (request, response) => {
    const body = (await request.toArray()).join("");
    seen.push([request.method, request.url, request.headers["content-type"], JSON.parse(body)]);
    response.writeHead(seen.length === 1 ? 201 : 404).end("answer");
  });
  assert.equal(await post(options, '{"a":[1]}'), 201);
  assert.equal(await post(options, '{"a":[1]}'), 404);
  assert.deepEqual(seen[0], ["POST", "/path?query=1", "application/json", { a: [1] }]);
});

test("post: reads large bodies to their end, so that few connections serve many requests", async () => {
  const sockets = new Set();
  const options = await serve((request, response) => {
    sockets.add(request.socket);
    request.resume().on("end", () => response.end("x".repeat(300_000)));
  });
  await Promise.all(Array.from({ length: 40 }, (_, index) => post(options, `${index}`)));
  assert.ok(sockets.size <= 4, `${sockets.size} connections`);
});

test("post: user and password of the URL go into a header, also where a % is just that", async () => {
  const seen: unknown[] = [];
  const options = await serve((request, response) => {
    seen.push(request.headers.authorization);
    response.end();
  });
  for (const user of ["us%C3%A9r:p%3Aw", "user:100%"])
    await post({ ...options, url: options.url.replace("http://", `http://${user}@`) }, "1");
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
  assert.deepEqual(seen, [basic("usér:p:w"), basic("user:100%")]);
});

test("post: a refused connection says what failed, where and why", async () => {
  const options = { url: "http://127.0.0.1:1/x", connections: 1, timeoutMs: 1000, retries: 0 };
  await assert.rejects(post(options, "1"), {
    code: "ECONNREFUSED",
    message: "POST http://127.0.0.1:1/x failed: connect ECONNREFUSED 127.0.0.1:1",
  });
});

for (const [what, listener] of [
  ["no answer at all", () => {}],
  ["an answer that never ends", (_, response) => response.write("x")],
  [
    "an answer byte by byte",
    (_, response) => void setInterval(() => response.write("x"), 20).unref(),
  ],
] as [string, RequestListener][]) {
  test(`post: ${what} is over at the time limit`, async () => {
    const options = await serve(listener, { timeoutMs: 150 });
    const begunMs = performance.now();
    await assert.rejects(post(options, "1"), {
      name: "TimeoutError",
      message: /no complete answer within 150 ms/,
    });
    assert.ok(performance.now() - begunMs < 1000);
  });
}

for (const [when, listener] of [
  ["before the answer", (request) => request.socket.destroy()],
  [
    "in the middle of the body",
    (_, response) => {
      response.writeHead(200, { "content-length": "100" }).write("half");
      setTimeout(() => response.destroy(), 20);
    },
  ],
] as [string, RequestListener][]) {
  test(`post: a connection lost ${when} is an error`, async () => {
    await assert.rejects(post(await serve(listener), "1"), { code: "UND_ERR_SOCKET" });
  });
}

test("post: tries again after 503, 429 and a lost connection, as often as told", async () => {
  let tries = 0;
  const listener: RequestListener = (request, response) => {
    tries++;
    if (tries === 1) response.writeHead(503).end();
    else if (tries === 2) response.writeHead(429, { "retry-after": "0" }).end();
    else if (tries === 3) request.socket.destroy();
    else response.writeHead(201).end();
  };
  assert.equal(await post(await serve(listener, { retries: 3 }), "1"), 201);
  assert.equal(tries, 4);
  tries = 0;
  assert.equal(await post(await serve(listener, { retries: 1 }), "1"), 429);
  assert.equal(tries, 2);
});

test("post: waits as long as Retry-After asks, in seconds or as a date", async () => {
  for (const after of [() => "1", () => new Date(Date.now() + 2000).toUTCString()]) {
    const times: number[] = [];
    const options = await serve(
      (_, response) => {
        times.push(performance.now());
        response.writeHead(times.length === 1 ? 503 : 200, { "retry-after": after() }).end();
      },
      { retries: 1 },
    );
    assert.equal(await post(options, "1"), 200);
    assert.ok(times[1]! - times[0]! >= 900, `${times[1]! - times[0]!} ms`);
  }
});

test("post: an absurdly long Retry-After is waited for, not taken for none", async () => {
  for (const after of ["99999999999", "Fri, 31 Dec 9999 23:59:59 GMT"]) {
    let tries = 0;
    const options = await serve(
      (_, response) => {
        tries++;
        response.writeHead(503, { "retry-after": after }).end();
      },
      { retries: 1 },
    );
    const waiting = assert.rejects(post(options, "1"), { name: "AbortError" });
    await until(() => tries > 0);
    await new Promise((resolve) => setTimeout(resolve, 200)); // a timer that overflows fires at once
    assert.equal(tries, 1);
    await closeConnections();
    await waiting;
  }
});

test("post: what is in flight, or waits to try again, ends when the connections are closed", async () => {
  const silent = await serve(() => {}, { timeoutMs: 60_000 });
  const busy = await serve(
    (_, response) => response.writeHead(503, { "retry-after": "60" }).end(),
    { retries: 5 },
  );
  const waiting = [post(silent, "1"), post(busy, "1")].map((one) => assert.rejects(one));
  await new Promise((resolve) => setTimeout(resolve, 100));
  await closeConnections();
  await Promise.all(waiting);
});
