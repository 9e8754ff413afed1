// Strict command-line flags on top of node:util's parseArgs: a table of flags in, typed values out.
//
// Not commander: its messages name neither the value nor what is expected, so it took as many lines,
// and its import took 11 to 17 ms of a script's start, 4 %.

import { parseArgs } from "node:util";

/** One flag of a script, as parseArgs takes it: a switch, which has no value, is a "boolean". */
export interface Flag<T> {
  type: "string" | "boolean";
  short?: string;
  /** What a good value is, for the error message: "a whole number from 1 to 8". */
  expected: string;
  /** Turns the text into a value. For a bad one it throws, or gives false. */
  parse(text: string, before?: T): T | false;
  /** The value where the flag is not given. */
  initial: T | undefined;
  /** Its values are shown nowhere, not even in the message on a bad one. */
  isSecret: boolean;
}

/** Flags by name, without dashes. */
export type FlagTable = Record<string, Flag<unknown>>;
/** Their values, under the same names. */
export type Values<Table extends FlagTable> = {
  [Name in keyof Table]: Exclude<ReturnType<Table[Name]["parse"]>, false> | Table[Name]["initial"];
};

/** A command line that the script cannot run: its message is the one line that the user sees. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** @throws {UsageError} Always. */
export function refuse(message: string): never {
  throw new UsageError(message);
}

/** A flag with values of any kind, and none where it is not given. */
export function value<T>(expected: string, parse: Flag<T>["parse"], isSecret = false): Flag<T> {
  return { type: "string", expected, parse, initial: undefined, isSecret };
}

/** A flag that is either there or not. */
export const onOff = { ...value("no value", () => true), type: "boolean" as const, initial: false };

/** A number in plain digits, without sign and exponent: whole, or with an optional fraction. */
export function number(min: number, max: number, { fraction = false } = {}): Flag<number> {
  const digits = fraction ? /^\d{1,9}(\.\d+)?$/ : /^\d{1,15}$/;
  const expected = `a ${fraction ? "" : "whole "}number from ${min} to ${max}`;
  return value(expected, (text) => digits.test(text) && +text >= min && +text <= max && +text);
}

/** One of a few words, the first where it is not given. */
export function choice<T extends string>(words: readonly [T, ...T[]]) {
  const parse = (text: string) => words.find((word) => word === text) ?? false;
  return { ...value(`one of ${words.join(", ")}`, parse), initial: words[0] };
}

/** One or several of something, separated by commas. */
export function listOf<T>(single: Flag<T>): Flag<T[]> {
  return value(`${single.expected}, or several separated by commas`, (text) => {
    const values = text.split(",").map((part) => single.parse(part));
    return !values.includes(false) && (values as T[]);
  });
}

/** Reads a command line by a table of flags. @throws {UsageError} Part of it is unknown or bad. */
export function parseFlags<Table extends FlagTable>(table: Table, args = process.argv.slice(2)) {
  const values: Record<string, unknown> = {};
  for (const name in table) values[name] = table[name]!.initial;
  // Not parseArgs's own strictness: its messages name neither the value nor what is expected.
  for (const token of parseArgs({ args, options: table, strict: false, tokens: true }).tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      const isPlain = /^[\w.,-]{1,20}$/.test(token.value); // else it may have a secret in it
      refuse(`unexpected argument${isPlain ? ` "${token.value}"` : ""}: only flags are expected`);
    }
    const { name, rawName, value: text } = token;
    const flag = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!flag) refuse(`unknown flag ${rawName}: see --help for those there are`);
    try {
      // No flag takes an empty value, so that a missing one is bad as well.
      const isSwitch = flag.type === "boolean";
      values[name] = isSwitch ? text === undefined : flag.parse(text ?? "", values[name]);
      if (values[name] !== false) continue;
    } catch {} // a bad one
    // Whatever the flag, a URL's query, or the like of user:password@, may hold a secret.
    const isSecret = flag.isSecret || /\?|:.*@/.test(text ?? "");
    const shown = isSecret ? "something else (not shown)" : `"${text}"`;
    refuse(
      `${rawName}: expected ${flag.expected}, found ${text === undefined ? "nothing" : shown}`,
    );
  }
  return values as Values<Table>;
}

/**
 * The help's lines on a table of flags. `texts` has them as `--name VALUE  what it does`, with the
 * default only where that is not `initial`. An indented line goes on with the one before. Of
 * several on a flag the last counts.
 */
export function describeFlags(table: FlagTable, texts: string): string {
  const lines = texts.replaceAll(/\n +/g, " ").split("\n");
  const rows = Object.entries(table).map(([name, { type, short, initial = "none" }]) => {
    const line = lines.findLast((line) => line.startsWith(`--${name} `))!;
    const [left, what] = line.split("  ") as [string, string];
    const isSaid = type === "boolean" || what.includes("(default: ");
    const right = isSaid ? what : `${what} (default: ${initial})`;
    return [(short ? `-${short}, ` : "    ") + left, right] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
