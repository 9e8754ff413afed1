// Throws what its item names.

import { readFileSync } from "node:fs";

const own = (error: Error, more: object) => Object.assign(error, more);

/** Errors that arrive with all that is said here. */
export const ERRORS: Record<string, () => Error> = {
  "a plain one": () => new Error("plain"),
  "with a name and code": () => own(new RangeError("no two"), { code: "E_TWO", name: "TwoError" }),
  "with causes": () =>
    own(new TypeError("x", { cause: new Error("why", { cause: "deep" }) }), {
      code: "E_X",
      status: 418,
    }),
  "a cause with a code": () => new Error("x", { cause: own(new Error("why"), { code: "E_Y" }) }),
  "a cause that is an object": () => new Error("x", { cause: { reason: [1, new Date(0)] } }),
  "a cause that is undefined": () => new Error("x", { cause: undefined }),
  "an AggregateError": () =>
    new AggregateError([own(new RangeError("one"), { code: "E_ONE" }), "two"], "both"),
  "an AggregateError within": () =>
    new AggregateError([new AggregateError([new Error("deep", { cause: 1 })], "in")], "out"),
  "an AggregateError of 300": () =>
    new AggregateError(
      Array.from({ length: 300 }, (_, index) => own(new Error(`no ${index}`), { code: index })),
      "all of them",
    ),
  "with own properties": () =>
    own(new Error("x"), { response: { status: 503, headers: new Map([["a", "b"]]) }, retry: null }),
  "with a property that is an error": () =>
    own(new Error("x"), { inner: own(new TypeError("y"), { code: "E_INNER" }) }),
  "with a Buffer": () => own(new Error("x"), { bytes: Buffer.from("some text") }),
  "of a class of its own": () => new OwnError("x", 7),
  "without a message": () => new Error(),
  frozen: () => Object.freeze(own(new Error("x"), { code: "E_FROZEN" })),
  "a DOMException": () => new DOMException("stopped", "AbortError"),
  "as Node throws it": () => {
    try {
      readFileSync("/no/such/file");
    } catch (error) {
      return error as Error;
    }
    return new Error("there is such a file");
  },
};

class OwnError extends Error {
  override name = "OwnError";
  #secret = 1;
  readonly count: number;
  constructor(message: string, count: number) {
    super(message);
    this.count = count + this.#secret - 1;
  }
}

/** What is thrown, too, and cannot arrive as it is. */
export const OTHERS: Record<string, () => unknown> = {
  "a function as a property": () =>
    own(new RangeError("x"), { retry: () => {}, code: "E_X", deep: { retry: () => {} } }),
  "a symbol as a property": () => own(new RangeError("x"), { mark: Symbol("m"), code: "E_X" }),
  "a getter that throws": () =>
    Object.defineProperty(own(new RangeError("x"), { code: "E_X" }), "more", {
      enumerable: true,
      get() {
        throw new Error("not now");
      },
    }),
  "a cause that cannot be cloned": () =>
    own(new RangeError("x", { cause: () => {} }), { code: "E_X" }),
  "a reference to itself": () => {
    const error = own(new RangeError("x"), { code: "E_X" });
    return own(error, { cause: error, self: error });
  },
  "two that refer to each other": () => {
    const error = own(new RangeError("x"), { code: "E_X" });
    error.cause = new Error("y", { cause: error });
    return error;
  },
  "an AggregateError of itself": () => {
    const error = own(new AggregateError([], "x"), { code: "E_X", name: "RangeError" });
    (error as AggregateError).errors.push(error, new Error("y"));
    return error;
  },
  "a property named __proto__": () =>
    Object.defineProperty(own(new RangeError("x"), { code: "E_X" }), "__proto__", {
      enumerable: true,
      value: { admin: true },
    }),
  "10,000 causes": () => {
    let error = new Error("the first");
    for (let count = 0; count < 10_000; count++) error = new Error("because", { cause: error });
    return own(new RangeError("x", { cause: error }), { code: "E_X" });
  },
};

/** What is thrown and is no error. */
export const VALUES: Record<string, () => unknown> = {
  "a string": () => "a string",
  undefined: () => undefined,
  null: () => null,
  "a number": () => 0,
  "an object": () => ({ code: 1, list: [new Date(0)] }),
  "a Buffer": () => Buffer.from("some text"),
  "with a message that is no text": () => ({ name: 2n, message: 5 }),
  "what is not to be made a text": () => ({ toString: 1, valueOf: 2 }),
};

/** What is thrown, is no error, and cannot be cloned. */
export const UNCLONEABLE: Record<string, () => unknown> = {
  "a function": () => function thrown() {},
  "a symbol": () => Symbol("thrown"),
  "an object with a function": () => ({ thrown: () => {} }),
  "a Promise": () => Promise.resolve("thrown"),
  "a Proxy that cannot be read": () => {
    const get = () => {
      throw new Error("not this either");
    };
    return new Proxy({ thrown: 1 }, { get });
  },
};

/** What is thrown and cannot be read. */
export const UNREADABLE: Record<string, () => unknown> = {
  "an error whose name throws": () =>
    Object.defineProperty(new Error("x"), "name", {
      get() {
        throw new Error("not now");
      },
    }),
  "an error whose name is no text": () => own(new Error("x"), { name: Object.create(null) }),
};

const all = { ...ERRORS, ...OTHERS, ...VALUES, ...UNCLONEABLE, ...UNREADABLE };

/** Throws outside of the item's promise where the item says "later". @returns "none", if it is that. */
export default function body(item: string): unknown {
  if (item === "none") return item;
  const [name = "", isLater] = item.split(", later");
  const fail = () => {
    throw all[name]!();
  };
  if (isLater === undefined) return fail();
  return new Promise(() => setTimeout(fail));
}
