// Items of every kind for the plain loop and for async.ts: both ask for them one by one.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { concurrently } from "../scripts/async.ts";
import { inSequence } from "../scripts/sequential.ts";
import { type Results, shown, test, upTo } from "./support/call.ts";

type Items = Iterable<unknown> | AsyncIterable<unknown>;
type Body = (item: unknown) => unknown;
interface Options {
  signal?: AbortSignal;
  onSettled?: (report: { index: number }) => unknown;
}

const LOOPS: [
  kind: string,
  lanes: number,
  run: (...call: [Items, Body, Options?]) => Promise<Results>,
][] = [
  ["sequential", 1, (items, body, options) => inSequence(items, body, options)],
  ["async", 4, (items, body, options) => concurrently(items, body, { ...options, concurrency: 4 })],
];

const same = (item: unknown) => item;

/** A source of `length` items that writes down how it is asked. */
function source(length: number) {
  const seen = { asked: 0, finished: 0, most: 0, closed: 0 };
  function ask() {
    seen.asked++;
    seen.most = Math.max(seen.most, seen.asked - seen.finished);
  }
  function* generator() {
    try {
      for (let item = 0; item < length; item++) {
        ask();
        yield item;
      }
    } finally {
      seen.closed++;
    }
  }
  async function* asyncGenerator() {
    try {
      for (let item = 0; item < length; item++) {
        await sleep(item % 3);
        ask();
        yield item;
      }
    } finally {
      seen.closed++;
    }
  }
  async function body(item: unknown) {
    await sleep((item as number) % 5);
    seen.finished++;
    return item;
  }
  return { seen, body, generator, asyncGenerator };
}

for (const [kind, lanes, run] of LOOPS) {
  for (const [how, name] of [
    ["generator", "a generator"],
    ["asyncGenerator", "an async generator"],
  ] as const) {
    test(`${kind}: of what ${name} gives, it asks for no more than it can run`, async () => {
      const { seen, body, [how]: items } = source(100);
      assert.deepEqual(shown(await run(items(), body)), upTo(100));
      const { most, ...others } = seen;
      assert.deepEqual(others, { asked: 100, finished: 100, closed: 1 });
      // An async one may give its items more slowly than they are done.
      assert.ok(how === "generator" ? most === lanes : most <= lanes, `${most} at once`);
    });

    test(`${kind}: aborted, it closes ${name} that has no end`, async () => {
      const { seen, body, [how]: items } = source(Number.POSITIVE_INFINITY);
      const stop = new AbortController();
      const onSettled = ({ index }: { index: number }) =>
        index === 50 && stop.abort(new Error("enough"));
      const results = await run(items(), body, { signal: stop.signal, onSettled });
      assert.ok(results.length >= 51 && results.length <= seen.asked, `${results.length}`);
      assert.equal(shown(results)[50], 50);
      for (const [index, value] of shown(results).entries())
        assert.ok(value === index || (index > 46 && value === "Error"), `${index}: ${value}`);
      await sleep(50);
      assert.equal(seen.closed, 1);
      assert.ok(seen.asked <= 51 + lanes, `asked for ${seen.asked}`);
      assert.deepEqual(getEventListeners(stop.signal, "abort"), []);
    });

    test(`${kind}: what onSettled throws closes ${name}`, async () => {
      const { seen, body, [how]: items } = source(1000);
      const onSettled = () => Promise.reject(new RangeError("enough"));
      await assert.rejects(run(items(), body, { onSettled }), { message: "enough" });
      await sleep(50);
      assert.equal(seen.closed, 1);
      assert.ok(seen.asked <= 2 * lanes, `asked for ${seen.asked}`);
    });
  }

  test(`${kind}: what a generator throws is thrown by the call, and no more is begun`, async () => {
    for (const isAsync of [false, true]) {
      const { seen, body, generator } = source(20);
      function* failing() {
        yield* generator();
        throw new RangeError("no more pages");
      }
      async function* failingLater() {
        yield* failing();
      }
      const items = isAsync ? failingLater() : failing();
      await assert.rejects(run(items, body), { message: "no more pages" });
      await sleep(50);
      assert.deepEqual([seen.asked, seen.finished], [20, 20]);
    }
  });

  test(`${kind}: an async generator that never gives its next item is left by an abort`, async () => {
    const stop = new AbortController();
    async function* stuck() {
      yield 1;
      await new Promise(() => {});
    }
    setTimeout(() => stop.abort(new Error("enough")), 50);
    assert.deepEqual(shown(await run(stuck(), same, { signal: stop.signal })), [1]);
  });

  test(`${kind}: takes all that can be iterated`, async () => {
    const expected = ["a", "b", "c"];
    for (const [name, items] of Object.entries({
      "an array": ["a", "b", "c"],
      "a Set": new Set(expected),
      "a text": "abc",
      keys: new Map(expected.map((key) => [key, 1])).keys(),
      "a stream": Readable.from(expected),
      "a web stream": Readable.toWeb(Readable.from(expected)) as AsyncIterable<unknown>,
      arguments: (function (..._given: string[]) {
        // biome-ignore lint/complexity/noArguments: they are what is iterated
        return arguments as Iterable<unknown>;
      })("a", "b", "c"),
    }))
      assert.deepEqual(shown(await run(items, same)), expected, name);
    for (const nothing of [[], new Set(), (async function* () {})()])
      assert.deepEqual(await run(nothing, same), []);
  });

  test(`${kind}: what cannot be iterated is a TypeError`, async () => {
    for (const items of [undefined, null, 3, {}, Promise.resolve([1])])
      await assert.rejects(run(items as unknown as Items, same), TypeError);
  });

  test(`${kind}: an array with holes is as many items`, async () => {
    const items = new Array<unknown>(60);
    items[7] = "not a hole";
    assert.deepEqual(shown(await run(items, same)), Array.from(items));
  });

  test(`${kind}: an array that is emptied meanwhile leaves no item with an unknown fate`, async () => {
    const items: unknown[] = upTo(60);
    const results = await run(items, same, { onSettled: () => items.splice(0) });
    for (const result of results) assert.equal(result.status, "fulfilled", `${results.length}`);
    assert.equal(shown(results)[0], 0);
  });
}

test("sequential and async: Promises as items become the same, also those that reject", async () => {
  function* promises() {
    yield Promise.resolve(1);
    yield Promise.reject(new Error("no item"));
    yield 3;
  }
  const seen = [];
  for (const [, , run] of LOOPS)
    seen.push(await run(promises(), same).then(shown, (error) => `thrown: ${error}`));
  assert.deepEqual(seen[0], seen[1]);
});
