// Strict command-line flags on top of node:util's parseArgs: a table of flags in, typed values out.
//
// Not commander: its messages name neither the value nor what is expected, so it took as many lines,
// and its import took 11 to 17 ms of a script's start, 4 %.

import { parseArgs } from "node:util";

/** One flag of a script. */
export interface Flag<T> {
  /** One-letter form, without the dash. */
  short?: string | undefined;
  /** Placeholder of its value in the help; a flag without one is a switch. */
  placeholder?: string;
  /** What it does, units included. */
  help: string;
  /** The value where the flag is not given. */
  initial: T;
  /** The default as the help shows it; left out: `initial`, or "none". */
  initialText?: string;
  /** What a good value is, for the error message: "a whole number from 1 to 8". */
  expected: string;
  /** Turns the text into a value. For a bad one it throws, or gives undefined. */
  parse(text: string, before: T): T | undefined;
  /** Its values are shown nowhere, not even in the message on a bad one. */
  isSecret?: boolean;
}

/** Flags by name, without dashes. */
export type FlagTable = Record<string, Flag<unknown>>;
/** Their values, under the same names. */
export type Values<Table> = {
  [Name in keyof Table]: Table[Name] extends Flag<infer T> ? T : never;
};

/** A command line that the script cannot run: its message is the one line that the user sees. */
export class UsageError extends Error {
  override name = "UsageError";
}

type Described<T> = Pick<Flag<T>, "help" | "initial"> & Partial<Flag<T>>;

/** A flag that is either there or not. */
export function onOff(help: string, short?: string): Flag<boolean> {
  return { help, short, initial: false, expected: "no value", parse: () => true };
}

/** A flag that has no value where it is not given. */
export function optional<T>(flag: Omit<Flag<T>, "initial">): Flag<T | undefined> {
  return { initial: undefined, ...flag };
}

/** A whole number from `min` to `max`, in plain digits (no sign, point or exponent). */
export function wholeNumber<T = number>(min: number, max: number, flag: Described<T | number>) {
  const parse = (text: string) =>
    /^\d{1,15}$/.test(text) && +text >= min && +text <= max ? +text : undefined;
  return { placeholder: "N", expected: `a whole number from ${min} to ${max}`, parse, ...flag };
}

/** A number from 0 to `max` with an optional fraction: milliseconds, or a share. */
export function decimal(max: number, flag: Described<number>): Flag<number> {
  const parse = (text: string) =>
    /^\d{1,9}(\.\d+)?$/.test(text) && +text <= max ? +text : undefined;
  return { placeholder: "MS", expected: `a number from 0 to ${max}`, parse, ...flag };
}

/** One or several of something, separated by commas. */
export function listOf<T>(one: Flag<T>, flag: Described<T[]>): Flag<T[]> {
  const parse = (text: string) => {
    const values = text.split(",").map((part) => one.parse(part, one.initial));
    return values.includes(undefined) ? undefined : (values as T[]);
  };
  const expected = `${one.expected}, or several separated by commas`;
  return { placeholder: `${one.placeholder}[,...]`, expected, parse, ...flag };
}

/** One of a few words. */
export function choice<T extends string>(words: readonly T[], flag: Described<T>): Flag<T> {
  const parse = (text: string) => words.find((word) => word === text);
  return { placeholder: words.join("|"), expected: `one of ${words.join(", ")}`, parse, ...flag };
}

/**
 * Reads the command line by a table of flags.
 *
 * @param args The arguments after the script's name.
 * @returns One value for each flag of the table, its `initial` where it was not given.
 * @throws {UsageError} An unknown flag, a stray argument, a missing or a bad value.
 */
export function parseFlags<Table extends FlagTable>(
  table: Table,
  args: string[] = process.argv.slice(2),
): Values<Table> {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  const values: Record<string, unknown> = {};
  for (const [name, { placeholder, short, initial }] of Object.entries(table)) {
    options[name] = { type: placeholder ? "string" : "boolean", ...(short && { short }) };
    values[name] = initial;
  }
  // Not parseArgs's own strictness: its messages name neither the value nor what is expected.
  for (const token of parseArgs({ args, options, strict: false, tokens: true }).tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      const isPlain = /^[\w.,-]{1,20}$/.test(token.value); // else it may have a secret in it
      const shown = isPlain ? ` "${token.value}"` : "";
      throw new UsageError(`unexpected argument${shown}: only flags are expected`);
    }
    const { name, rawName, value: text } = token;
    const flag = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!flag) throw new UsageError(`unknown flag ${rawName}: see --help for those there are`);
    let value: unknown;
    try {
      const isWhole = Boolean(flag.placeholder) === (text !== undefined);
      if (isWhole) value = flag.parse(text ?? "", values[name]);
    } catch {} // a bad one
    if (value === undefined) {
      // Whatever the flag, a URL's query, or the like of user:password@, may hold a secret.
      const isSecret = flag.isSecret || /\?|:.*@/.test(text ?? "");
      const shown = isSecret ? "something else (not shown)" : `"${text}"`;
      const found = text === undefined ? "nothing" : shown;
      throw new UsageError(`${rawName}: expected ${flag.expected}, found ${found}`);
    }
    values[name] = value;
  }
  return values as Values<Table>;
}

/** The help's lines on a table of flags: flag, what it does, default. */
export function describeFlags(table: FlagTable): string {
  const rows = Object.entries(table).map(([name, flag]) => {
    const { short, placeholder = "", help, initial, initialText = initial ?? "none" } = flag;
    const left = `${short ? `-${short}, ` : "    "}--${name} ${placeholder}`.trimEnd();
    return [left, placeholder ? `${help} (default: ${initialText})` : help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
