// The flags that every technique takes, and what they mean for the loop body.

import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { PostOptions } from "../post.ts";
import * as kinds from "./flags.ts";
import { KINDS, type Kind } from "./record.ts";

/**
 * What undici refuses, and then has all that comes later wait for ever, or drops: see its
 * lib/core/request.js. It keeps the connection and counts the bytes itself.
 */
const REFUSED =
  /^((content-length|expect|keep-alive|transfer-encoding|upgrade):|connection:(?!(close|keep-alive)$))/i;

/** A request header as "Name: value", any number of times. The names become lower case. */
const header: kinds.Flag<Record<string, string>> = {
  placeholder: '"NAME: VALUE"',
  expected:
    'a header as "Name: value", none of Content-Length, Expect, Keep-Alive, Transfer-Encoding ' +
    "and Upgrade, and of Connection only close or keep-alive",
  isSecret: true,
  initial: {},
  initialText: "none",
  help: "request header, any number of them; the values are never printed or saved",
  parse(text, before) {
    const [, name = "", value = ""] =
      /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(text) ?? [];
    if (name === "" || REFUSED.test(`${name}:${value}`)) return undefined;
    return { ...before, [name.toLowerCase()]: value };
  },
};

/**
 * The table of flags.
 *
 * @param defaultWorkers How many, for the help; undefined for the plain loop, which has one.
 */
export function scriptFlags(defaultWorkers: string | undefined) {
  const one = defaultWorkers === undefined;
  return {
    requests: kinds.listOf(kinds.wholeNumber<number>(1, 10_000_000, { initial: 1, help: "" }), {
      short: "n",
      initial: [],
      initialText: "500, or all of --items",
      help: "iterations; several numbers run one after another",
    }),
    workers: kinds.wholeNumber<number | undefined>(1, 1024, {
      short: "w",
      initial: undefined,
      initialText: defaultWorkers ?? "1",
      help: one ? "taken and ignored: the plain loop has one" : "workers",
    }),
    concurrency: kinds.wholeNumber(1, 1024, {
      short: "c",
      initial: 1,
      help: one ? "taken and ignored, likewise" : "iterations in flight inside each worker",
    }),
    work: kinds.choice(["post", "cpu", "none"], {
      initial: "post",
      help: "what the loop body does: POST to an API, burn CPU, or nothing",
    }),
    body: kinds.optional<string>({
      placeholder: "FILE",
      expected: "a file that is there",
      help: "a module of your own with a loop body, in place of --work",
      parse: (text) => (statSync(text).isFile() ? text : undefined),
    }),
    items: kinds.optional<string>({
      placeholder: "FILE",
      expected: 'a file that is there, or "-" for stdin',
      initialText: "the numbers from 0",
      help: "the items, one JSON value a line",
      parse: (text) => (text === "-" || statSync(text).isFile() ? text : undefined),
    }),
    results: kinds.optional<string>({
      placeholder: "FILE",
      expected: "the name of a file",
      help:
        "takes a JSON line an item as it settles. Items that it has are not run again; those that " +
        "were in flight at a crash are",
      parse: (text) => text || undefined,
    }),
    again: kinds.onOff("with --results, runs items again that failed"),
    latency: kinds.decimal(600_000, {
      initial: 20,
      help: "service time of the practice API, in ms",
    }),
    timeout: kinds.wholeNumber<number | undefined>(1, 86_400_000, {
      placeholder: "MS",
      initial: undefined,
      initialText: "30000; with --body none",
      help: "time limit of one request, or with --body of one item, in ms",
    }),
    retries: kinds.wholeNumber(0, 100, {
      initial: 0,
      help: "tries again after 429, 503 and lost connections: a POST may then be carried out twice",
    }),
    url: kinds.optional<URL>({
      placeholder: "URL",
      expected: "an http:// or https:// URL",
      initialText: "a practice API on 127.0.0.1, started for the run",
      help: "your API",
      parse: (text) => (/^https?:\/\//i.test(text) ? new URL(text) : undefined),
    }),
    header,
    data: kinds.optional<string>({
      placeholder: "JSON",
      expected: "JSON, with {i} for the item",
      isSecret: true,
      initialText: '{"request":{i}}',
      help: "JSON to send; {i} stands for the item",
      parse: (text) => (JSON.parse(text.replaceAll("{i}", "0")) === undefined ? undefined : text),
    }),
    yes: kinds.onOff("agrees beforehand to send more than 100 requests in all to another machine"),
    json: kinds.onOff("one record a run, as a line of JSON on stdout"),
    help: kinds.onOff("this text", "h"),
  };
}

/** The flags of one script: of those that have a choice, `--with` is one. */
export function flagsOf(defaultWorkers?: (cores: number, kind: Kind) => number, takesWith = false) {
  const cores = availableParallelism();
  const [few, many] = [defaultWorkers?.(cores, "processes"), defaultWorkers?.(cores, "threads")];
  const both = few === many ? few?.toString() : `${few} processes or ${many} threads`;
  const { json, help, ...others } = scriptFlags(both);
  const all = {
    with: kinds.choice(KINDS, { initial: "processes", help: "what the workers are" }),
    ...others,
    timeline: kinds.onOff("draws what each worker did when; with --json, puts it into the record"),
    json,
    help,
  };
  if (!takesWith) delete (all as Partial<typeof all>).with; // unknown to the others
  return all;
}

/** What the flags of a technique's script are. */
export type ScriptFlags = kinds.Values<ReturnType<typeof flagsOf>>;

/** What the body of `--work post` is told, for POSTs to `url` over so many connections. */
export function postOptions(flags: ScriptFlags, url: URL, connections: number): PostOptions {
  const { timeout: timeoutMs = 30_000, retries, header: headers, data } = flags;
  return { url: url.href, connections, timeoutMs, retries, headers, data };
}

/** How many items each run takes at most. @throws {UsageError} Flags that do not go together. */
export function sizesOf(flags: ScriptFlags, inThisThread: boolean, own: object = {}): number[] {
  const { requests, items, results, again, body, work, timeout } = flags;
  if (requests.length > 1 && (items === "-" || results !== undefined))
    throw new kinds.UsageError(
      `--requests: expected one number with stdin or --results, found ${requests}`,
    );
  if (again && results === undefined && !("again" in own))
    throw new kinds.UsageError("--again: expected --results with it");
  if (items !== undefined && !body && work === "cpu")
    throw new kinds.UsageError("--items: expected --body or other --work than cpu with it");
  if (timeout !== undefined && body && inThisThread)
    throw new kinds.UsageError(
      "--timeout: expected workers with --body, which can be ended: here are none",
    );
  if (requests.length > 0) return requests;
  return [items === undefined ? 500 : Number.POSITIVE_INFINITY];
}

/** What --help prints. */
export function help(name: string, isParallel: boolean, table: kinds.FlagTable): string {
  return `${name}.ts: ${isParallel ? "a for loop in parallel" : "the plain for loop"}

Usage: npx tsx scripts/${name}.ts [flags]

Flags:
${kinds.describeFlags(table)}

Exit status: 0 all iterations ok, 1 some failed or another error, 2 bad usage, 130 interrupted.

Examples:
  npx tsx scripts/${name}.ts --requests 100 --latency 50
  npx tsx scripts/${name}.ts --work cpu --json
  npx tsx scripts/${name}.ts --url https://api.example.com/items --requests 20`;
}
