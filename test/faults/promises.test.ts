// What threads and processes promise of setup and teardown, and of time limits.

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { Context } from "../bodies/lifecycle.ts";
import {
  type Handle,
  hasEnded,
  POOLS,
  reasonsOf,
  rules,
  shown,
  test,
  upTo,
} from "../support/call.ts";

const folder = mkdtempSync(join(tmpdir(), "promises-"));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = () => join(folder, `${files++}`);
const linesOf = (file: string) =>
  existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];

/** A server for rows that come over connections, and what it has seen. */
async function startRowServer() {
  const seen = { opened: 0, closed: 0, rows: [] as number[], batches: [] as number[] };
  const connections: { socket: Socket; failed: boolean }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const batch: number[] = JSON.parse(Buffer.concat(chunks).toString());
    if (request.url === "/opened") seen.opened++;
    if (request.url === "/closed") seen.closed++;
    if (request.url === "/rows") {
      seen.rows.push(...batch);
      seen.batches.push(batch.length);
    }
    response.end();
  });
  server.on("connection", (socket) => {
    const connection = { socket, failed: false };
    connections.push(connection);
    socket.on("error", () => {
      connection.failed = true;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { seen, connections, server, url: `http://127.0.0.1:${port}/` };
}

for (const { kind, call } of POOLS) {
  for (const concurrency of [1, 3])
    test(`${kind}: rows sent in batches and in teardown all arrive, concurrency ${concurrency}`, async () => {
      const { seen, connections, server, url } = await startRowServer();
      const options = { workers: 4, concurrency, context: { url } };
      const results = await call("rows", upTo(5030), options);
      server.close();
      await once(server, "close"); // so every connection was closed
      assert.deepEqual(new Set(shown(results)), new Set([undefined]));
      assert.deepEqual(
        seen.rows.sort((a, b) => a - b),
        upTo(5030),
      );
      assert.ok(seen.batches.every((rows) => rows <= 100));
      assert.ok(seen.opened >= 1 && seen.opened <= 4, `${seen.opened} workers`);
      assert.equal(seen.closed, seen.opened);
      assert.equal(connections.length, seen.opened);
      assert.ok(connections.every(({ failed }) => !failed));
    });

  test(`${kind}: setup comes once before a worker's first item, teardown once after its last`, async () => {
    const log = newFile();
    const context: Context = { log, setup: "waits", teardown: "waits" };
    const started: Handle[] = [];
    const results = await call("lifecycle", upTo(60), {
      ...{ workers: 3, concurrency: 3, context },
      onWorker: (worker) => started.push(worker),
    });
    assert.deepEqual(shown(results), upTo(60));
    const byWorker = new Map<string, string[]>();
    for (const line of linesOf(log)) {
      const [worker, ...words] = line.split(" ");
      byWorker.set(worker!, [...(byWorker.get(worker!) ?? []), words.join(" ")]);
    }
    assert.ok(byWorker.size >= 1 && byWorker.size <= 3 && started.length <= 3);
    for (const [, lines] of byWorker) {
      assert.deepEqual(lines.splice(0, 2), ["setup begins", "setup ends"]);
      assert.deepEqual(lines.splice(-2), ["teardown begins", "teardown ends"]);
      assert.ok(lines.every((line) => line.startsWith("item ")));
    }
  });

  for (const [teardown, reason] of [
    ["throws", { name: "RangeError", message: "not flushed", code: "E_FAIL" }],
    ["rejects later", { name: "RangeError", message: "not flushed" }],
    ["throws a string", { name: "Error", message: /not flushed/ }],
    ["exits", { name: "WorkerDied", message: /exit code 3/ }],
  ] as const)
    test(`${kind}: a teardown that ${teardown} is thrown by the call, with the results`, async () => {
      const heard: number[] = [];
      const started: Handle[] = [];
      const loop = call("lifecycle", upTo(30), {
        context: { log: newFile(), teardown } satisfies Context,
        onSettled: ({ index }) => heard.push(index),
        onWorker: (worker) => started.push(worker),
      });
      const error = await loop.then(
        () => assert.fail("it was not heard"),
        (error) => error,
      );
      await assert.rejects(Promise.reject(error), reason);
      assert.deepEqual(shown(error.results), upTo(30));
      assert.deepEqual(
        heard.sort((a, b) => a - b),
        upTo(30),
      );
      assert.ok(started.every(hasEnded));
    });

  test(`${kind}: a teardown that throws while another worker is at work costs no item`, async () => {
    const context: Context = { log: newFile(), teardown: "throws", itemMs: [500, 800] };
    const error = await call("lifecycle", [0, 1], { context }).catch((error) => error);
    assert.equal(error.message, "not flushed");
    assert.deepEqual(shown(error.results), [0, 1]);
  });

  for (const [setup, why] of [
    ["throws", "no database"],
    ["rejects later", "no database"],
    ["throws a string", ".*no database.*"],
    ["exits", "exit code 3"],
  ] as const)
    for (const workers of [1, 4])
      test(`${kind}: a setup that ${setup} on ${workers} workers fails all items with its reason`, async () => {
        const log = newFile();
        let started = 0;
        const context: Context = { log, setup };
        const onWorker = () => void started++;
        const results = await call("lifecycle", upTo(40), { workers, context, onWorker });
        const reasons = reasonsOf(results);
        assert.equal(reasons.length, 40);
        for (const { name, message, cause } of reasons) {
          assert.equal(name, "WorkerDied");
          assert.match(message, new RegExp(`^(thread|process \\d+) died: ${why} \\(at start\\)$`));
          if (setup === "throws") assert.equal((cause as { code: string }).code, "E_FAIL");
        }
        assert.ok(started <= Math.max(3, workers) + workers, `${started} were started`);
        assert.ok(linesOf(log).every((line) => line.endsWith("setup begins")));
      });

  test(`${kind}: a setup that throws for the first time costs nothing but time`, async () => {
    const context: Context = { log: newFile(), setup: "throws for the first time" };
    const results = await call("lifecycle", upTo(30), { workers: 1, context });
    assert.deepEqual(shown(results), upTo(30));
  });

  for (const [what, never] of [
    ["computes", { computesMs: 60_000 }],
    ["hangs", { hangsMs: 60_000 }],
  ] as const)
    test(`${kind}: of 100 items, one that ${what} for ever fails as TimeoutError, 99 are ok`, async () => {
      const heard: number[] = [];
      const started: Handle[] = [];
      const results = await call("rules", upTo(100), {
        ...rules({ from: 0, to: 99, waitsMs: 1 }, { from: 7, ...never }),
        itemTimeoutMs: 500,
        onSettled: ({ index }) => heard.push(index),
        onWorker: (worker) => started.push(worker),
      });
      const [late] = reasonsOf(results);
      assert.equal(late?.message, "item 7 took longer than 500 ms");
      const expected = upTo(100).map((item) => (item === 7 ? "TimeoutError" : item));
      assert.deepEqual(shown(results), expected);
      assert.deepEqual(
        heard.sort((a, b) => a - b),
        upTo(100),
      );
      assert.ok(started.length <= 3 && started.every(hasEnded), `${started.length} workers`);
    });

  test(`${kind}: items beside one that hangs end well, with three in flight`, async () => {
    for (const workers of [1, 2]) {
      const results = await call("rules", upTo(60), {
        ...rules({ from: 0, to: 59, waitsMs: 100 }, { from: 7, hangsMs: 60_000 }),
        ...{ workers, concurrency: 3, itemTimeoutMs: 1000 },
      });
      const expected = upTo(60).map((item) => (item === 7 ? "TimeoutError" : item));
      assert.deepEqual(shown(results), expected);
    }
  });

  test(`${kind}: one that computes takes along only those in flight beside it`, async () => {
    const results = await call("rules", upTo(60), {
      ...rules({ from: 0, to: 59, waitsMs: 5 }, { from: 7, computesMs: 60_000 }),
      ...{ concurrency: 3, itemTimeoutMs: 500 },
    });
    assert.equal(shown(results)[7], "TimeoutError");
    const lost = shown(results).filter((value, index) => value !== index);
    assert.ok(lost.length <= 3, `${lost}`);
    for (const name of lost) assert.match(String(name), /^(TimeoutError|WorkerDied)$/);
  });

  test(`${kind}: one that ends after its time has failed, and is heard of once`, async () => {
    const heard: number[] = [];
    const results = await call("rules", upTo(6), {
      ...rules({ from: 1, waitsMs: 4000 }, { from: 2, to: 3, waitsMs: 1000 }),
      ...{ workers: 1, concurrency: 2, itemTimeoutMs: 1500 },
      onSettled: ({ index }) => heard.push(index),
    });
    assert.deepEqual(shown(results), [0, "TimeoutError", 2, 3, 4, 5]);
    assert.deepEqual(
      heard.sort((a, b) => a - b),
      upTo(6),
    );
  });

  test(`${kind}: a worker that is ended for a late item may be in its teardown by then`, async () => {
    // Item 1 is late, ends nevertheless before the last one does, and so does the worker's work.
    const context: Context = { log: newFile(), itemMs: [1600, 3100, 1600], teardown: "waits" };
    const inOne = { workers: 1, concurrency: 2, itemTimeoutMs: 2000 };
    const results = await call("lifecycle", upTo(3), { context, ...inOne });
    const [first, late, last] = shown(results);
    assert.deepEqual([first, last], [0, 2]);
    assert.ok(late === "TimeoutError" || late === 1, `${late}`); // on a busy machine, none looked
  });

  test(`${kind}: all may hang, and each has its time`, async () => {
    const results = await call("rules", upTo(6), {
      ...rules({ from: 0, to: 5, hangsMs: 60_000 }),
      ...{ concurrency: 2, itemTimeoutMs: 300 },
    });
    assert.deepEqual(shown(results), new Array(6).fill("TimeoutError"));
  });

  test(`${kind}: an item's time begins when it does, not while its worker loads or it waits`, async () => {
    const slow = await call("slow-module", upTo(10), { workers: 1, itemTimeoutMs: 150 });
    const expected = upTo(10).map((item) => (item === 4 ? "TimeoutError" : item));
    assert.deepEqual(shown(slow), expected);
    const context: Context = { log: newFile(), setup: "waits" };
    const setUp = await call("lifecycle", upTo(10), { context, itemTimeoutMs: 800 });
    assert.deepEqual(shown(setUp), upTo(10));
    const many = { ...rules({ from: 0, to: 9, computesMs: 200 }), itemTimeoutMs: 1500 };
    assert.deepEqual(shown(await call("rules", upTo(10), { ...many, workers: 1 })), upTo(10));
  });
}
