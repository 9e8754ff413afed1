// Returns a value that its item names: as odd-value.ts, and more that are hard to send.

import { type OddValue, oddValue } from "./odd-value.ts";

class Counter {
  readonly shown = 1;
  #hidden = 2;
  count() {
    return ++this.#hidden;
  }
}

interface Wasm {
  Module: new (bytes: Uint8Array) => object;
}

const nested = (levels: number, open: string, close: string) =>
  JSON.parse(`${open.repeat(levels)}1${close.repeat(levels)}`);

/** With what arrives in their place. */
export const AS_CLONES: Record<string, { make: () => unknown; arrives: unknown }> = {
  "a class instance with a private field": { make: () => new Counter(), arrives: { shown: 1 } },
  "a Promise": { make: () => Promise.resolve(3), arrives: 3 },
  "a thenable": {
    // biome-ignore lint/suspicious/noThenProperty: what is awaited may have one
    make: () => ({ then: (resolve: (value: number) => void) => resolve(4) }),
    arrives: 4,
  },
  "a frozen object": { make: () => Object.freeze({ a: 1 }), arrives: { a: 1 } },
  "an object without a prototype": {
    make: () => Object.assign(Object.create(null), { a: 1 }),
    arrives: { a: 1 },
  },
  "a getter": {
    make: () => ({
      get a() {
        return 1;
      },
    }),
    arrives: { a: 1 },
  },
  "a key __proto__": {
    make: () => JSON.parse('{ "__proto__": { "a": 1 } }'),
    arrives: JSON.parse('{ "__proto__": { "a": 1 } }'),
  },
  "a symbol as a key": { make: () => ({ a: 1, [Symbol("key")]: 2 }), arrives: { a: 1 } },
};

/** Each fails, or arrives: which of both may differ between runtimes, and must not between pools. */
export const HARD: Record<string, () => unknown> = {
  "JSON of 2,000 levels": () => nested(2000, '{"a":', "}"),
  "JSON of 1,600 levels": () => nested(1600, '{"a":', "}"),
  "arrays of 3,000 levels": () => nested(3000, "[", "]"),
  "arrays of 100,000 levels": () => {
    let array: unknown[] = [];
    for (let level = 0; level < 100_000; level++) array = [array];
    return array;
  },
  "a Map of 3,000 levels": () => {
    let map = new Map();
    for (let level = 0; level < 3000; level++) map = new Map([[1, map]]);
    return map;
  },
  "a WebAssembly.Module": () =>
    // Not among the types that the project has.
    new (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly.Module(
      Buffer.from("0061736d01000000", "hex"),
    ),
  "shared memory": () => new SharedArrayBuffer(8),
  "a shared view": () => new Int32Array(new SharedArrayBuffer(8)),
  "a detached ArrayBuffer": () => {
    const buffer = new ArrayBuffer(8);
    structuredClone(buffer, { transfer: [buffer] });
    return buffer;
  },
  "a generator": () => (function* () {})(),
  "a Proxy": () => new Proxy({}, {}),
  "a revoked Proxy": () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return { proxy };
  },
  "a module": () => import("./same.ts"),
  "a URL": () => new URL("http://127.0.0.1/"),
  "a Response": () => new Response("text"),
  "a Blob": () => new Blob(["text"]),
  "an AbortSignal": () => new AbortController().signal,
  "a MessagePort": () => {
    const { port1 } = new MessageChannel();
    port1.unref();
    return port1;
  },
  globalThis: () => globalThis,
  "an Error": () => new TypeError("returned", { cause: "why" }),
};

export default function body(item: string): unknown {
  if (item in AS_CLONES) return AS_CLONES[item]!.make();
  if (item in HARD) return HARD[item]!();
  return item === "none" ? item : oddValue(item as OddValue);
}
