// What the scripts tell of a run is what was: in cases in which it is easy to say something else.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { run, start, until } from "./support/process.ts";

/** An API that is told by the item and by how often that came before what to do. */
async function serve(act: (response: ServerResponse, item: number, before: number) => void) {
  const seen = new Map<number, number>();
  const server = createServer(async (request, response) => {
    const { request: item } = JSON.parse(await text(request));
    const before = seen.get(item) ?? 0;
    seen.set(item, before + 1);
    act(response, item, before);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as { port: number };
  const total = () => [...seen.values()].reduce((sum, count) => sum + count, 0);
  return { flags: ["--url", `http://127.0.0.1:${port}/`], total };
}

const refuse = (response: ServerResponse) => response.writeHead(429, { "Retry-After": "0" }).end();
const answer = (response: ServerResponse) => response.writeHead(201).end();

for (const [technique, flags] of [
  ["sequential", []],
  ["async", []],
  ["threads", []],
  ["processes", []],
  ["shared-dict", ["--with", "processes"]],
  ["shared-dict", ["--with", "threads"]],
  ["merge-dict", []],
] as const) {
  test(`${[technique, ...flags].join(" ")}: requests that were sent again are counted`, async () => {
    const api = await serve((response, item, before) =>
      before < item % 3 ? refuse(response) : answer(response),
    );
    const { records, stderr } = await run(`scripts/${technique}.ts`, [
      "-n",
      "10",
      "-w",
      "2",
      "--retries",
      "5",
      "--json",
      ...api.flags,
      ...flags,
    ]);
    assert.equal(records[0]?.ok, 10, stderr);
    assert.equal(records[0].retried, 9);
    assert.equal(api.total(), 19);
  });
}

test("retries: a connection that was lost counts, and what was given up; the report says it", async () => {
  const api = await serve((response, item) => (item === 1 ? response.destroy() : answer(response)));
  const flags = ["-n", "3", "-w", "1", "--retries", "2", ...api.flags];
  const { stdout, code } = await run("scripts/threads.ts", flags);
  assert.match(stdout, /2 ok, 1 failed\n[\s\S]*\nretries {4}2, each of them a POST more\n/);
  assert.equal(code, 1);
  assert.equal(api.total(), 5);
});

test("retries: none are spoken of where none may be; none are made up where none were", async () => {
  const api = await serve(answer);
  for (const [more, retried] of [
    [[], undefined],
    [["--retries", "3"], 0],
  ] as const) {
    const flags = ["-n", "3", "--json", ...more, ...api.flags];
    const { records } = await run("scripts/async.ts", flags);
    assert.equal(records[0]?.retried, retried);
  }
});

test("retries: those before Ctrl-C are counted", async () => {
  const api = await serve((response, item, before) =>
    item > 3 ? undefined : before === 0 ? refuse(response) : answer(response),
  );
  const flags = ["-n", "9", "-w", "2", "--retries", "3", "--json", ...api.flags];
  const script = start("scripts/processes.ts", flags);
  await until(() => api.total() === 10);
  script.child.kill("SIGINT");
  const { records } = await script.ended;
  assert.equal(records[0]?.retried, 4);
  assert.equal(records[0].interrupted, true);
});

const clock = new URL("./programs/clock-steps.mjs", import.meta.url).href;
for (const [technique, steppedMs, isKnown] of [
  ["processes", -200, false],
  ["processes", 3_600_000, false],
  ["merge-dict", 200, false],
  ["processes", 0, true],
  ["threads", -200, true],
  ["async", 200, true],
] as const) {
  test(`${technique}: with a clock that stepped by ${steppedMs} ms, no time is told that is none`, async () => {
    const env = { NODE_OPTIONS: `--import=${clock}`, STEPPED_MS: `${steppedMs}` };
    const flags = ["-n", "4", "-w", "2", "--latency", "5", "--timeline"];
    const { records } = await run(`scripts/${technique}.ts`, [...flags, "--json"], env);
    const { ok, startupMs, clockMovedMs, timeline, ms, p50Ms = 0 } = records[0]!;
    assert.equal(ok, 4);
    assert.ok(p50Ms >= 4 && p50Ms < ms, `median ${p50Ms} of ${ms}`);
    if (isKnown) {
      assert.ok(startupMs! >= 0 && startupMs! < ms, `start-up ${startupMs} of ${ms}`);
      assert.equal(clockMovedMs, undefined);
    } else {
      assert.ok(Math.abs(clockMovedMs! - steppedMs) < 50, `${clockMovedMs}`);
      assert.deepEqual([startupMs, timeline], [undefined, undefined]);
      const { stdout } = await run(`scripts/${technique}.ts`, flags, env);
      assert.match(stdout, /\nstart-up +unknown: the clock moved by \d/);
    }
  });
}
