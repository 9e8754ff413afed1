import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { servePracticeApi } from "./support/counting-api.ts";
import { start, statsOf, until } from "./support/process.ts";

/** Starts the practice API by its script. */
async function startApiScript(args: string[]) {
  const api = start("scripts/api.ts", args);
  await until(() => api.output.stdout.includes("\n"));
  const url = api.output.stdout.split("\n")[0]!;
  return {
    ...api,
    url,
    stats: () => statsOf(url),
    stop() {
      api.child.kill("SIGTERM");
      return api.ended;
    },
  };
}

let api: Awaited<ReturnType<typeof startApiScript>>;
before(async () => {
  api = await startApiScript(["--latency", "5"]);
});
after(() => api.stop());

const post = (body: string | Uint8Array<ArrayBuffer>, url = api.url) =>
  fetch(url, { method: "POST", body, headers: { "content-type": "application/json" } });

test("api: a POST of JSON is answered 201 with the body and the time that it took", async () => {
  const begunMs = performance.now();
  const reply = await post('{"request": 7,\n "text": "ä"}');
  const tookMs = performance.now() - begunMs;
  assert.equal(reply.status, 201);
  assert.deepEqual(await reply.json(), { json: { request: 7, text: "ä" } });
  const [, serviceMs] = /^service;dur=([\d.]+)$/.exec(reply.headers.get("server-timing") ?? "")!;
  assert.ok(Number(serviceMs) >= 4 && Number(serviceMs) <= tookMs, `${serviceMs} of ${tookMs}`);
});

test("api: bad JSON is 400, another method 405, a body over 1 MiB 413", async () => {
  assert.equal((await post("{nope")).status, 400);
  assert.equal((await post("")).status, 400);
  for (const method of ["GET", "PUT", "DELETE"]) {
    assert.equal((await fetch(api.url, { method })).status, 405);
  }
  assert.equal((await post(`"${"x".repeat(1024 * 1024 - 2)}"`)).status, 201);
  assert.equal((await post(`"${"x".repeat(1024 * 1024 - 1)}"`)).status, 413);
  assert.equal((await post("1")).status, 201);
});

test("api: /stats counts requests, statuses and the peak in flight, and DELETE starts anew", async () => {
  const slow = await servePracticeApi({ latencyMs: 1000 });
  await post("1", slow.url);
  await fetch(new URL("/stats", slow.url), { method: "DELETE" });
  await Promise.all(Array.from({ length: 6 }, () => post("1", slow.url)));
  await post("{", slow.url);
  const stats = await slow.stats();
  slow.stop();
  assert.equal(stats.requests, 7);
  assert.deepEqual(stats.statuses, { 201: 6, 400: 1 });
  assert.equal(stats.inFlightPeak, 6);
  assert.equal(stats.inFlight, 0);
  assert.ok(stats.serviceMs.mean > 990 && stats.serviceMs.p99 >= stats.serviceMs.mean);
});

test("api: errors, resets and jitter are repeated by the same seed", async () => {
  const outcomesOf = async (bad: { url: string; stop: () => unknown }) => {
    const seen: (number | string)[] = [];
    for (let i = 0; i < 30; i++) {
      seen.push(
        await post("1", bad.url).then(
          (reply) => reply.status,
          () => "reset",
        ),
      );
    }
    await bad.stop();
    return seen;
  };
  const flags = ["--latency", "3", "--jitter", "2", "--error-rate", "0.3", "--reset-rate", "0.2"];
  const first = await outcomesOf(await startApiScript(flags));
  assert.ok(first.includes(503) && first.includes("reset") && first.includes(201), first.join());
  const same = { latencyMs: 3, jitterMs: 2, errorRate: 0.3, resetRate: 0.2 };
  assert.deepEqual(await outcomesOf(await servePracticeApi(same)), first);
});

test("api: --rate-limit answers 429 with Retry-After beyond so many a second", async () => {
  const limited = await startApiScript(["--latency", "0", "--rate-limit", "5"]);
  const replies = await Promise.all(Array.from({ length: 20 }, () => post("1", limited.url)));
  const refused = replies.filter((reply) => reply.status === 429);
  await limited.stop();
  assert.ok(refused.length >= 10 && refused.length <= 15, `${refused.length} refused`);
  assert.equal(refused[0]!.headers.get("retry-after"), "1");
});

test("api: --max-requests ends it after so many, all answered", async () => {
  const short = await startApiScript(["--max-requests", "3"]);
  const replies = await Promise.all([1, 2, 3].map(() => post("1", short.url)));
  assert.deepEqual(
    replies.map((reply) => reply.status),
    [201, 201, 201],
  );
  assert.equal((await short.ended).code, 0);
});

test("api: SIGINT and SIGTERM end it with status 0, connections open or not", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const one = await startApiScript([]);
    const socket = connect(Number(new URL(one.url).port), "127.0.0.1").on("error", () => {});
    await until(() => socket.readyState === "open");
    one.child.kill(signal);
    assert.equal((await one.ended).code, 0);
    socket.destroy();
  }
});

test("api: listens on 127.0.0.1 only", async () => {
  assert.match(api.output.stdout, /^http:\/\/127\.0\.0\.1:\d+\/\n$/);
  const other = await fetch(api.url.replace("127.0.0.1", "127.0.0.2")).catch(() => "refused");
  assert.equal(other, "refused");
});

test("api: survives what is no HTTP, headers without an end and clients that stop half way", async () => {
  const api = await startApiScript(["--latency", "1"]);
  const { port } = new URL(api.url);
  /** Sends it; after 300 ms it goes away, or it waits until the API ends the connection. */
  const attack = (text: string, leaves = true) =>
    new Promise<string>((resolve) => {
      let answer = "";
      const socket = connect(Number(port), "127.0.0.1", () => {
        socket.write(text);
        if (leaves) setTimeout(() => socket.destroy(), 300);
      });
      socket.setEncoding("latin1").on("data", (more: string) => (answer += more));
      socket.on("error", () => {}).on("close", () => resolve(answer));
    });
  const post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const answers = await Promise.all([
    attack("HELLO\r\n\r\n", false),
    attack(`${post}X: ${"x".repeat(100_000)}\r\n\r\n`, false),
    attack(`${post}Content-Length: 100\r\n\r\nhalf`),
    attack(`${post}Content-Length: -1\r\n\r\n`),
    attack(`${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n`),
    attack(`${post}Content-Length: 19\r\n\r\n{"__proto__":{"a":1}}`),
    ...Array.from({ length: 50 }, () => attack("P")),
  ]);
  assert.match(answers[0]!, /^HTTP\/1\.1 400 /);
  assert.match(answers[1]!, /^HTTP\/1\.1 431 /);
  const { status } = await fetch(api.url, { method: "POST", body: '{"still":"here"}' });
  assert.equal(status, 201);
  const { inFlight, requests } = await api.stats();
  assert.equal(inFlight, 0, "a client that went away is in flight no longer");
  assert.ok(requests >= 1);
  assert.equal((await api.stop()).code, 0);
});
