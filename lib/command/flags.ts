// Strict command-line flags on top of node:util's parseArgs: a table of flags in, typed values out.

import { statSync } from "node:fs";
import { parseArgs } from "node:util";

/** One flag of a script. */
export interface Flag<T> {
  /** One-letter form, without the dash. */
  short?: string;
  /** Placeholder of its value in the help; a flag without one is a switch. */
  placeholder?: string;
  /** What it does, units included. */
  help: string;
  /** The value where the flag is not given. */
  initial: T;
  /** The default as the help shows it; left out: `initial`. */
  initialText?: string;
  /** What a good value is, for the error message: "a whole number from 1 to 8". */
  expected: string;
  /** Turns the text into a value; undefined for a bad one. */
  parse: (text: string) => T | undefined;
  /** For a flag that may be given several times: the values before it and its own, as one. */
  join?(before: T, now: T): T;
  /** Its value is shown nowhere, not even in the message on a bad one. */
  secret?: boolean;
}

/** The values of a table of flags, under the same names. */
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
  return { help, initial: false, expected: "no value", parse: () => true, ...(short && { short }) };
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
    const values = text.split(",").map(one.parse);
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

/** A request header as "Name: value", any number of times. The names become lower case. */
export function header(flag: Described<Record<string, string>>): Flag<Record<string, string>> {
  const parse = (text: string) => {
    const [, name, value] =
      /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(text) ?? [];
    return name === undefined ? undefined : { [name.toLowerCase()]: value!.trim() };
  };
  return {
    placeholder: '"NAME: VALUE"',
    expected: 'a header as "Name: value"',
    parse,
    join: (before, now) => ({ ...before, ...now }),
    secret: true,
    initialText: "none",
    ...flag,
  };
}

/** A JSON text in which `{i}` may stand for a number; undefined where it is not given. */
export function jsonTemplate(flag: Described<string | undefined>): Flag<string | undefined> {
  const parse = (text: string) => {
    try {
      JSON.parse(text.replaceAll("{i}", "0"));
      return text;
    } catch {
      return undefined;
    }
  };
  return { placeholder: "JSON", expected: "JSON, with {i} for the item's number", parse, ...flag };
}

/** The path of a file that is there; undefined where it is not given. */
export function readableFile(flag: Described<string | undefined>): Flag<string | undefined> {
  const parse = (text: string) => {
    try {
      return statSync(text).isFile() ? text : undefined;
    } catch {
      return undefined;
    }
  };
  return { placeholder: "FILE", expected: "a file that is there", parse, ...flag };
}

/** An http or https URL; undefined where it is not given. */
export function httpUrl(flag: Described<URL | undefined>): Flag<URL | undefined> {
  const parse = (text: string) =>
    /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  return { placeholder: "URL", expected: "an http:// or https:// URL", parse, ...flag };
}

/**
 * Reads the command line by a table of flags.
 *
 * @param table The flags, by name without dashes.
 * @param args The arguments after the script's name.
 * @returns One value for each flag of the table, its `initial` where it was not given.
 * @throws {UsageError} An unknown flag, a stray argument, a missing or a bad value.
 */
export function parseFlags<Table extends Record<string, Flag<unknown>>>(
  table: Table,
  args: string[] = process.argv.slice(2),
): Values<Table> {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, flag]) => [
      name,
      { type: flag.placeholder ? "string" : "boolean", ...(flag.short && { short: flag.short }) },
    ]),
  ) as Record<string, { type: "string" | "boolean"; short?: string }>;
  // Not parseArgs's own strictness: its messages name neither the value nor what is expected.
  const { tokens } = parseArgs({
    args,
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });

  const values = Object.fromEntries(
    Object.entries(table).map(([name, flag]) => [name, flag.initial]),
  );
  for (const token of tokens) {
    if (token.kind === "positional") {
      throw new UsageError(`unexpected argument ${quoted(token.value)}: only flags are expected`);
    }
    if (token.kind === "option-terminator") continue;
    const flag = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (!flag)
      throw new UsageError(`unknown flag ${token.rawName}: see --help for those there are`);
    if (!flag.placeholder === (token.value !== undefined)) {
      const found = token.value === undefined ? "nothing" : quoted(token.value);
      throw new UsageError(`${token.rawName}: expected ${flag.expected}, found ${found}`);
    }
    const value = flag.parse(token.value ?? "");
    if (value === undefined) {
      const found = flag.secret ? "something else (not shown)" : quoted(token.value);
      throw new UsageError(`${token.rawName}: expected ${flag.expected}, found ${found}`);
    }
    values[token.name] = flag.join ? flag.join(values[token.name], value) : value;
  }
  return values as Values<Table>;
}

/** What the user wrote, in quotes; a password in a URL is left out. */
function quoted(text = ""): string {
  return `"${text.replace(/\/\/.*@/, "//...@")}"`;
}

/** The help's lines on a table of flags: flag, what it does, default. */
export function describeFlags(table: Record<string, Flag<unknown>>): string {
  const rows = Object.entries(table).map(([name, flag]) => {
    const left = `${flag.short ? `-${flag.short}, ` : "    "}--${name} ${flag.placeholder ?? ""}`;
    const initial = flag.initialText ?? (flag.placeholder ? flag.initial : undefined);
    return [
      left.trimEnd(),
      flag.help + (initial === undefined ? "" : ` (default: ${initial})`),
    ] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
