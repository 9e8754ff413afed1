// How values and errors cross from a worker to its parent, and back.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { inspect } from "node:util";
import { UNCLONEABLE, WHOLE } from "./bodies/odd-value.ts";
import * as thrown from "./bodies/throws.ts";
import { AS_CLONES, HARD } from "./bodies/values.ts";
import { ALL, POOLS, type Results, test, upTo } from "./support/call.ts";

/** What the reason of a rejected item is. */
const reasonOf = (result: PromiseSettledResult<unknown> | undefined) =>
  (result as PromiseRejectedResult).reason;

for (const { kind, call } of POOLS) {
  test(`${kind}: what can be cloned arrives as it is`, async () => {
    const results = await call("odd-value", Object.keys(WHOLE));
    for (const [index, [name, make]] of Object.entries(WHOLE).entries()) {
      const result = results[index]!;
      assert.deepEqual(result, { status: "fulfilled", value: make() }, name);
    }
  });

  test(`${kind}: an object arrives as a clone does, a Promise as its value`, async () => {
    const results = await call("values", Object.keys(AS_CLONES));
    for (const [index, [name, { arrives: value }]] of Object.entries(AS_CLONES).entries())
      assert.deepEqual(results[index], { status: "fulfilled", value }, name);
  });

  test(`${kind}: what cannot be cloned fails alone, and says what it is`, async () => {
    const names = Object.keys(UNCLONEABLE);
    const results = await call("odd-value", [...names, "null", ...names]);
    for (const [index, result] of results.entries()) {
      if (index === names.length) assert.deepEqual(result, { status: "fulfilled", value: null });
      else if (result.status === "fulfilled") assert.fail(names[index % names.length]);
      else assert.match(result.reason.message, /could not be cloned/);
    }
  });

  test(`${kind}: a result that may not be readable fails alone, or arrives`, async () => {
    // Also each on its own: the others might be lost with it.
    for (const names of [["JSON of 2,000 levels"], Object.keys(HARD)]) {
      const items = upTo(40).map((index) => names[index - 5] ?? "none");
      const results = await call("values", items, { concurrency: 2 });
      for (const [index, result] of results.entries()) {
        if (!names.includes(items[index]!)) {
          assert.deepEqual(result, { status: "fulfilled", value: items[index] });
        } else if (result.status === "rejected") {
          assert.ok(result.reason instanceof Error, items[index]);
          assert.notEqual(result.reason.name, "WorkerDied", items[index]);
          assert.notEqual(result.reason.message, "", items[index]);
        } else {
          assert.equal(typeof result.value, "object", items[index]);
        }
      }
    }
  });
}

/** What became of an item, in a text; what is deep only arrives, or does not. */
function tell(result: PromiseSettledResult<unknown>, isDeep: boolean): string {
  if (result.status === "rejected") return String(result.reason);
  if (isDeep) return "arrives";
  const { value } = result;
  if (value instanceof Error) return String(value);
  if (!ArrayBuffer.isView(value)) return inspect(value, { depth: 4, maxStringLength: 50 });
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return `${value.constructor.name} ${bytes.toString("hex")}`;
}

test("threads and processes: the same fails, for the same reason, and the same arrives", async () => {
  const names = [...Object.keys(HARD), ...Object.keys(UNCLONEABLE), ...Object.keys(WHOLE)];
  const told = (results: Results) =>
    results.map((result, index) => [names[index], tell(result, names[index]!.endsWith(" levels"))]);
  const [threads, processes] = await Promise.all(POOLS.map(({ call }) => call("values", names)));
  assert.deepEqual(told(threads!), told(processes!));
});

for (const { kind, call } of POOLS) {
  test(`${kind}: an item arrives as it is, and so does a context`, async () => {
    const values = Object.values(WHOLE).map((make) => make());
    const expected = values.map((value) => ({ status: "fulfilled", value }));
    assert.deepEqual(await call("same", values), expected);
    for (const context of [values, Buffer.from("some text"), WHOLE["what looks packed"]()]) {
      const [result] = await call("told", [1], { context, workers: 1 });
      assert.deepEqual(result, { status: "fulfilled", value: context });
    }
  });

  test(`${kind}: an item that cannot be cloned, or may not be readable, fails alone`, async () => {
    const odd = Object.entries({ ...UNCLONEABLE, ...HARD });
    // Each between two that are as usual.
    const items = odd.flatMap(([name, make]) => [name, make()]).concat("the last");
    const results = await call("same", items, { concurrency: 2 });
    for (const [index, value] of items.entries()) {
      const name = odd[index >> 1]?.[0] ?? "";
      const result = results[index]!;
      if (index % 2 === 0) assert.deepEqual(result, { status: "fulfilled", value });
      else if (name in UNCLONEABLE) assert.match(reasonOf(result).message, /could not be cloned/);
      else if (result.status === "rejected") {
        assert.ok(reasonOf(result) instanceof Error, name);
        assert.notEqual(reasonOf(result).name, "WorkerDied", name);
      }
    }
  });

  test(`${kind}: a context that cannot be cloned fails all at once, and starts no worker`, async () => {
    for (const [name, make] of Object.entries(UNCLONEABLE)) {
      let started = 0;
      const heard: number[] = [];
      const results = await call("told", upTo(40), {
        context: make(),
        onWorker: () => started++,
        onSettled: ({ index }) => heard.push(index),
      });
      for (const result of results)
        assert.match(reasonOf(result).message, /could not be cloned/, name);
      assert.equal(started, 0, name);
      assert.deepEqual(heard, upTo(40), name);
    }
  });

  test(`${kind}: a context that may not be readable fails all for one reason, or arrives`, async () => {
    for (const name of [
      "JSON of 2,000 levels",
      "arrays of 100,000 levels",
      "a WebAssembly.Module",
    ]) {
      const results = await call("same", upTo(40), { context: HARD[name]!() });
      const reasons = new Set(results.map((result) => reasonOf(result)?.message));
      assert.equal(reasons.size, 1, name);
      if (results[0]!.status === "fulfilled") continue;
      assert.ok(reasonOf(results[0]) instanceof Error, name);
      assert.notEqual(reasonOf(results[0]).name, "WorkerDied", name);
    }
  });

  test(`${kind}: of 5,000 small Buffers none brings along a pool that it was a part of`, async () => {
    for (const [name, unwrap, mostBytes] of [
      ["a Buffer", (value: unknown) => value as Buffer, 9],
      ["a Buffer within", (value: unknown) => (value as { deep: [Buffer] }).deep[0], 512],
    ] as const) {
      const results = await call("odd-value", new Array(20_000).fill(name));
      const memory = new Set<ArrayBufferLike>();
      for (const result of results) {
        const buffer = unwrap((result as PromiseFulfilledResult<unknown>).value);
        assert.equal(buffer.toString("utf8"), "some text");
        memory.add(buffer.buffer);
      }
      const bytes = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
      assert.ok(bytes <= 20_000 * mostBytes, `${name}: ${bytes} bytes`);
    }
  });

  test(`${kind}: typed arrays keep their type and content, and have memory of their own`, async () => {
    const [threeBytes, part] = (await call("odd-value", [
      "a Uint8Array",
      "a part of a Float64Array",
    ])) as PromiseFulfilledResult<{ buffer: ArrayBufferLike }>[];
    assert.deepEqual(threeBytes!.value, new Uint8Array([1, 2, 3]));
    assert.deepEqual(part!.value, new Float64Array([2, 3]));
    assert.deepEqual([threeBytes!.value.buffer.byteLength, part!.value.buffer.byteLength], [3, 16]);
  });
}

/** All that must arrive of a value that was thrown. */
function described(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, code, cause, errors, ...own } = value as NodeJS.ErrnoException &
    AggregateError;
  return {
    ...{ name, message, code, cause: described(cause) },
    ...(errors && { errors: errors.map(described) }),
    own: Object.entries(own).map(([key, more]) => [key, described(more)]),
  };
}

for (const { kind, call } of ALL) {
  test(`${kind}: an error arrives with all that it says`, async () => {
    const results = await call("throws", [...Object.keys(thrown.ERRORS), "none"]);
    assert.deepEqual(results.pop(), { status: "fulfilled", value: "none" });
    for (const [index, [name, make]] of Object.entries(thrown.ERRORS).entries()) {
      const reason = reasonOf(results[index]);
      assert.ok(reason instanceof Error, name);
      assert.deepEqual(described(reason), described(make()), name);
      assert.match(reason.stack ?? "", /throws/, name);
    }
  });

  test(`${kind}: what of an error cannot be cloned is left out, or shown`, async () => {
    const results = await call("throws", [...Object.keys(thrown.OTHERS), "none"]);
    assert.deepEqual(results.pop(), { status: "fulfilled", value: "none" });
    const names = Object.keys(thrown.OTHERS);
    const found = names.map((name, index) => {
      const reason = reasonOf(results[index]);
      const { name: called, message, code, stack } = reason;
      return [name, reason instanceof Error, called, message, code, /throws/.test(stack)];
    });
    assert.deepEqual(
      found,
      names.map((name) => [name, true, "RangeError", "x", "E_X", true]),
    );
    const crosses = kind === "threads" || kind === "processes";
    assert.equal("retry" in reasonOf(results[0]), !crosses);
  });

  test(`${kind}: what is thrown and is no error arrives as it is, or shown as a text`, async () => {
    const names = [...Object.keys(thrown.VALUES), ...Object.keys(thrown.UNCLONEABLE)];
    const results = await call("throws", [...names, "none"]);
    assert.deepEqual(results.pop(), { status: "fulfilled", value: "none" });
    for (const [index, name] of names.entries()) {
      assert.equal(results[index]!.status, "rejected", name);
      const reason = reasonOf(results[index]);
      if (name in thrown.VALUES) assert.deepEqual(reason, thrown.VALUES[name]!(), name);
      else assert.match(inspect(reason), /thrown/, name);
    }
  });

  test(`${kind}: what is thrown and cannot be read fails alone`, async () => {
    const names = Object.keys(thrown.UNREADABLE);
    const items = names.flatMap((name) => [name, "none"]);
    const results = await call("throws", items, { concurrency: 2 });
    for (const [index, name] of items.entries()) {
      const result = results[index]!;
      if (name === "none") assert.deepEqual(result, { status: "fulfilled", value: name });
      else assert.equal(reasonOf(result).message, "x", name);
    }
  });

  test(`${kind}: a failed fetch says why`, async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    const urls = [`http://127.0.0.1:${port}/`, `http://localhost:${port}/`, "http://no host/"];
    const results = await call("fetches", urls);
    assert.equal(reasonOf(results[0]).cause.code, "ECONNREFUSED");
    for (const [index, url] of urls.entries()) {
      const here = await fetch(url).catch((error) => error);
      assert.deepEqual(described(reasonOf(results[index])), described(here), url);
    }
  });
}
