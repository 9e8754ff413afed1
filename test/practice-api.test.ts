import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtimeCommand } from "../lib/runtime.ts";
import { isAlive, run, start, statsOf, until } from "./support/process.ts";

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
  const slow = await startApiScript(["--latency", "1000"]);
  await post("1", slow.url);
  await fetch(new URL("/stats", slow.url), { method: "DELETE" });
  await Promise.all(Array.from({ length: 6 }, () => post("1", slow.url)));
  await post("{", slow.url);
  const stats = await slow.stats();
  await slow.stop();
  assert.equal(stats.requests, 7);
  assert.deepEqual(stats.statuses, { 201: 6, 400: 1 });
  assert.equal(stats.inFlightPeak, 6);
  assert.equal(stats.inFlight, 0);
  assert.ok(stats.serviceMs.mean > 990 && stats.serviceMs.p99 >= stats.serviceMs.mean);
});

test("api: errors, resets and jitter are repeated by the same seed", async () => {
  const flags = ["--latency", "3", "--jitter", "2", "--error-rate", "0.3", "--reset-rate", "0.2"];
  const outcomes = async () => {
    const bad = await startApiScript(flags);
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
  const first = await outcomes();
  assert.ok(first.includes(503) && first.includes("reset") && first.includes(201), first.join());
  assert.deepEqual(await outcomes(), first);
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

test("api: ends when its parent is killed", async () => {
  const [command, ...flags] = runtimeCommand;
  const script = fileURLToPath(new URL("../scripts/api.ts", import.meta.url));
  const code = `const { spawn } = require("node:child_process");
    const api = spawn(${JSON.stringify(command)}, ${JSON.stringify([...flags, script])}, { stdio: "inherit" });
    console.log(api.pid); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  parent.stdout.on("data", (text) => {
    output += text;
  });
  await until(() => output.includes("http://"));
  parent.kill("SIGKILL");
  const pid = Number.parseInt(output, 10);
  await until(() => !isAlive(pid), 2000);
});

test("api: ends where its parent was gone before it had loaded", async () => {
  const script = fileURLToPath(new URL("../scripts/api.ts", import.meta.url));
  const [, ...execArgv] = runtimeCommand;
  const code = `const { fork } = require("node:child_process");
    const options = { detached: true, silent: true, execArgv: ${JSON.stringify(execArgv)} };
    const api = fork(${JSON.stringify(script)}, options);
    console.log(api.pid);
    setTimeout(() => process.exit(), 20);`;
  const parent = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const [pid] = await once(parent.stdout, "data");
  await until(() => !isAlive(Number(pid)), 5000);
});

test("api: listens on 127.0.0.1 only", async () => {
  const one = start("scripts/api.ts");
  await until(() => one.output.stdout.includes("\n"));
  assert.match(one.output.stdout, /^http:\/\/127\.0\.0\.1:\d+\/\n$/);
  const other = await fetch(one.output.stdout.replace("127.0.0.1", "127.0.0.2")).catch(
    () => "refused",
  );
  one.child.kill();
  await one.ended;
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

test("api: who has stopped it goes on, also with nothing else that would keep a process alive", async () => {
  for (let time = 0; time < 3; time++)
    assert.equal((await run("test/programs/api-stopped.ts")).stdout, "went on\n");
});
