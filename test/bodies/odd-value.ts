// Returns a value that its item names, of those that may get lost on their way.

/** Those that arrive as they are. */
export const WHOLE = {
  undefined: () => undefined,
  null: () => null,
  "not a number": () => Number.NaN,
  "minus zero": () => -0,
  "a bigint": () => 2n ** 70n,
  "a Buffer": () => Buffer.from("some text"),
  "a Buffer within": () => ({ deep: [Buffer.from("some text")] }),
  "an empty Buffer": () => Buffer.alloc(0),
  "a Uint8Array": () => new Uint8Array([1, 2, 3]),
  "a part of a Float64Array": () => new Float64Array([1, 2, 3, 4]).subarray(1, 3),
  "a DataView": () => new DataView(new Uint8Array([1, 2, 3]).buffer, 1),
  "an ArrayBuffer": () => new Uint8Array([1, 2, 3]).buffer,
  "a Map": () => new Map<unknown, unknown>([[{ key: 1 }, new Map([["__proto__", 2]])]]),
  "a Set": () => new Set(["a", new Set([1])]),
  "a Date": () => new Date(0),
  "a RegExp": () => /a+/giu,
  "a boxed string": () => Object("text"),
  "a sparse array": () => Object.assign(new Array(3), { 0: 1, 2: 3 }),
  "a reference to itself": () => {
    const self: { self?: unknown } = {};
    self.self = self;
    return self;
  },
  "a long string": () => "ä".repeat(300_000),
  "what looks packed": () => ({ error: { value: 1 }, value: 2 }),
  "what looks like bytes": () => new Uint8Array([255, 15, 34]),
  "what looks like an answer": () => [[0, 1]],
};

/** Those that cannot be cloned. */
export const UNCLONEABLE = {
  "a function": () => () => {},
  "a function within": () => ({ deep: [() => {}] }),
  "a symbol": () => Symbol("of one"),
  "a symbol within": () => [Symbol("of one")],
  "a Promise within": () => [Promise.resolve(1)],
  "a WeakMap": () => new WeakMap(),
  "a getter that throws": () => ({
    get text() {
      throw new Error("could not be cloned");
    },
  }),
};

/** JSON that some runtimes write and do not read back. */
export const deepJson = (levels = 2000) =>
  JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`);

const ALL = { ...WHOLE, ...UNCLONEABLE, "deep JSON": () => deepJson() };
export type OddValue = keyof typeof ALL;

export function oddValue(name: OddValue): unknown {
  return ALL[name]();
}

export default function body(name: OddValue): unknown {
  return oddValue(name);
}
