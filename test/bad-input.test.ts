// What threads and processes answer to arguments and modules that they cannot run.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { pathToFileURL } from "node:url";
import { concurrently } from "../scripts/async.ts";
import { POOLS, reasonsOf, test, upTo } from "./support/call.ts";
import { inProcesses, inThreads } from "./support/load.ts";

const folder = mkdtempSync(join(tmpdir(), "modules-"));
after(() => rmSync(folder, { recursive: true }));
const module = (file: string, text?: string) => {
  if (text !== undefined) writeFileSync(join(folder, file), text);
  return pathToFileURL(join(folder, file));
};

const NO_ARRAYS: Record<string, unknown> = {
  "a generator": (function* () {
    yield 1;
  })(),
  "an async generator": (async function* () {
    yield 1;
  })(),
  "a Set": new Set([1, 2]),
  "a Map": new Map([[1, 2]]),
  "a text": "ab",
  "an object like an array": { length: 2, 0: 1, 1: 2 },
  "a typed array": new Uint8Array(2),
  "an object without a prototype": Object.create(null),
  "a symbol": Symbol("items"),
  "a Promise": Promise.resolve([1, 2]),
  nothing: undefined,
  null: null,
};

const NO_NUMBERS = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "2", null, 2n ** 60n];

for (const { kind, call } of POOLS) {
  test(`${kind}: items that are no array are a TypeError that says what is expected`, async () => {
    for (const [name, items] of Object.entries(NO_ARRAYS)) {
      let started = 0;
      const loop = call("same", items as unknown[], { onWorker: () => void started++ });
      await assert.rejects(loop, { name: "TypeError", message: /array of items/ }, name);
      assert.equal(started, 0, name);
    }
  });

  test(`${kind}: a module that is no URL is a TypeError that says what is expected`, async () => {
    const technique = kind === "threads" ? inThreads : inProcesses;
    for (const given of ["./body.ts", undefined, (item: unknown) => item, { href: "file:///" }])
      await assert.rejects(technique([1], given as URL, { workers: 1 }), {
        name: "TypeError",
        message: /URL/,
      });
  });

  test(`${kind}: numbers that make no sense are a RangeError, before anything is started`, async () => {
    let started = 0;
    const onWorker = () => void started++;
    for (const name of ["workers", "concurrency", "itemTimeoutMs"])
      for (const number of [...NO_NUMBERS, -5]) {
        const options = { workers: 1, [name]: number, onWorker };
        await assert.rejects(call("same", [1, 2], options), RangeError, `${name} ${number}`);
        await assert.rejects(call("same", [], options), RangeError, `${name} ${number}, no items`);
      }
    assert.equal(started, 0);
  });

  test(`${kind}: a module that cannot be loaded fails each item with its reason, at once`, async () => {
    for (const [name, body, reason] of modules()) {
      const heard: number[] = [];
      let started = 0;
      const results = await call(body, upTo(200), {
        workers: 2,
        onWorker: () => void started++,
        onSettled: ({ index }) => heard.push(index),
      });
      const reasons = reasonsOf(results);
      assert.equal(reasons.length, 200, name);
      for (const error of reasons) {
        assert.ok(error instanceof Error, name);
        assert.match(`${error.name}: ${error.message}`, reason, name);
      }
      assert.deepEqual(heard, upTo(200), name);
      assert.ok(started <= 2, `${name}: ${started} were started`);
    }
  });

  test(`${kind}: a module that ends its worker as it is loaded is given up soon`, async () => {
    let started = 0;
    const onWorker = () => void started++;
    const results = await call("load-exits", upTo(200), { workers: 4, onWorker });
    const reasons = reasonsOf(results);
    assert.equal(reasons.length, 200);
    for (const { name, message } of reasons) {
      assert.equal(name, "WorkerDied");
      assert.match(message, /^(thread|process \d+) died: exit code 3 \(at start\)$/);
    }
    assert.ok(started <= 8, `${started} were started`);
  });

  test(`${kind}: a module may be any that can be imported`, async () => {
    const data = new URL("data:text/javascript,export default (item) => item + 1");
    const [result] = await call(data, [1], { workers: 1 });
    assert.deepEqual(result, { status: "fulfilled", value: 2 });
  });
}

function modules(): [name: string, module: string | URL, reason: RegExp][] {
  return [
    ["missing", module("missing.ts"), /^Error: Cannot find module .*missing\.ts/],
    ["throws", "load-throws", /^RangeError: no database$/],
    ["throws a text", "load-throws-text", /^Error: .*no database/],
    ["broken", module("broken.mjs", "export default function ("), /^SyntaxError: /],
    ["imports what is missing", module("in.mjs", 'import "./none.mjs";'), /Cannot find module/],
    ["no default", "no-default", /^TypeError: .*no-default.* has no default function$/],
    ["no function", "no-function", /^TypeError: .*no-function.* has no default function$/],
    ["one of Node's", new URL("node:fs"), /^TypeError: node:fs has no default function$/],
    ["an unknown scheme", new URL("gopher://none"), /^Error: .*gopher/],
  ];
}

test("threads and processes: a module that cannot be loaded fails for the same reason", async () => {
  for (const [name, body] of modules()) {
    const [threads, processes] = await Promise.all(
      POOLS.map(({ call }) => call(body, [1], { workers: 1 })),
    );
    // Who imported it differs.
    const told = (results = threads) =>
      reasonsOf(results!).map((error) => ({
        name: error.name,
        code: (error as NodeJS.ErrnoException).code,
        message: error.message.replace(/ imported from .*/, ""),
      }));
    assert.deepEqual(told(threads), told(processes), name);
  }
});

test("async: a concurrency that makes no sense is a RangeError", async () => {
  for (const concurrency of [...NO_NUMBERS, undefined, -5])
    await assert.rejects(
      concurrently([1], (item) => item, { concurrency: concurrency as number }),
      RangeError,
    );
});
