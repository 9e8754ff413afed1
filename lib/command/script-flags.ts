// The flags that every technique takes, and what they mean for the loop body.

import { statSync } from "node:fs";
import type { PostOptions } from "../post.ts";
import type { FlagTable, Values } from "./flags.ts";
import { choice, describeFlags, listOf, number, onOff, refuse, value } from "./flags.ts";
import { KINDS } from "./record.ts";

/**
 * Headers that undici drops, or that it refuses and then lets all later requests wait for ever (see
 * its lib/core/request.js). It sets those on the connection and on the body's length itself.
 */
const REFUSED =
  /^((content-length|expect|keep-alive|transfer-encoding|upgrade):|connection:(?!(close|keep-alive)$))/i;

/** A request header as "Name: value", any number of times. The names become lower case. */
const header = value<Record<string, string>>(
  'a header as "Name: value", none of Content-Length, Expect, Keep-Alive, Transfer-Encoding ' +
    "and Upgrade, and of Connection only close or keep-alive",
  (text, before) => {
    const [, name, value = ""] =
      /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(text) ?? [];
    if (!name || REFUSED.test(`${name}:${value}`)) return false;
    return { ...before, [name.toLowerCase()]: value };
  },
  true,
);

const file = (text: string) => statSync(text).isFile() && text;
const json = (text: string) => JSON.parse(text.replaceAll("{i}", "0")) !== undefined && text;

/** The flags of every script; only where there is a choice, `--with` is one. */
export const scriptFlags = {
  with: choice(KINDS),
  requests: { ...listOf(number(1, 10_000_000)), initial: [], short: "n" },
  workers: { ...number(1, 1024), short: "w" },
  concurrency: { ...number(1, 1024), initial: 1, short: "c" },
  work: choice(["post", "cpu", "none"]),
  body: value("a file that is there", file),
  items: value('a file that is there, or "-" for stdin', (text) =>
    text === "-" ? text : file(text),
  ),
  results: value("the name of a file", (text) => text !== "" && text),
  again: onOff,
  latency: { ...number(0, 600_000, { fraction: true }), initial: 20 },
  timeout: number(1, 86_400_000),
  retries: { ...number(0, 100), initial: 0 },
  url: value("an http:// or https:// URL", (text) => /^https?:\/\//i.test(text) && new URL(text)),
  header,
  data: value("JSON, with {i} for the item", json, true),
  yes: onOff,
  timeline: onOff,
  json: onOff,
  help: { ...onOff, short: "h" },
};

/** What the flags of a technique's script are. */
export type ScriptFlags = Values<typeof scriptFlags>;

/** What the help says of them, but for `--workers`. */
export const scriptFlagsHelp = `
--with processes|threads  what the workers are
--requests N[,...]  iterations; several numbers run one after another
  (default: 500, or all of --items)
--concurrency N  iterations in flight inside each worker
--work post|cpu|none  what the loop body does: POST to an API, burn CPU, or nothing
--body FILE  a module of your own with a loop body, in place of --work
--items FILE  the items, one JSON value a line (default: the numbers from 0)
--results FILE  takes a JSON line an item as it settles. Items that it has are not run again;
  those that were in flight at a crash are
--again  with --results, runs items again that failed
--latency MS  service time of the practice API, in ms
--timeout MS  time limit of one request, or with --body of one item on threads or processes, in ms
  (default: 30000; with --body none)
--retries N  tries again after 429, 503 and lost connections: a POST may then be carried out twice
--url URL  your API (default: a practice API on 127.0.0.1, started for the run)
--header "NAME: VALUE"  request header, any number of them; the values are never printed or saved
--data JSON  JSON to send; {i} stands for the item (default: {"request":{i}})
--yes  agrees beforehand to send more than 100 requests in all to another machine
--timeline  draws what each worker did when; with --json, puts it into the record
--json  one record a run, as a line of JSON on stdout
--help  this text
`;

/** What the body of `--work post` is told, for POSTs to `url` over so many connections. */
export function postOptions(flags: ScriptFlags, url: URL, connections: number): PostOptions {
  const { timeout: timeoutMs = 30_000, retries, header: headers = {}, data } = flags;
  return { url: url.href, connections, timeoutMs, retries, headers, data };
}

/** How many items each run takes at most. @throws {UsageError} Flags that do not go together. */
export function sizesOf(flags: ScriptFlags, inThisThread: boolean, own: object = {}): number[] {
  const { requests, items, results, again, body, work, timeout } = flags;
  if (requests.length > 1 && (items === "-" || results !== undefined))
    refuse(`--requests: expected one number with stdin or --results, found ${requests}`);
  if (again && results === undefined && !("again" in own))
    refuse("--again: expected --results with it");
  if (items !== undefined && !body && work === "cpu")
    refuse("--items: expected --body or other --work than cpu with it");
  if (timeout !== undefined && body && inThisThread)
    refuse("--timeout: expected workers with --body, which can be ended: here are none");
  if (requests.length > 0) return requests;
  return [items === undefined ? 500 : Number.POSITIVE_INFINITY];
}

/** What --help prints. `workers` are the default numbers of processes and of threads, if any. */
export function help(name: string, table: FlagTable, workers: (number | undefined)[], own = "") {
  const [few, many] = workers;
  const number = few === many ? few : `${few} processes or ${many} threads`;
  const lines = number
    ? `--workers N  workers (default: ${number})\n`
    : "--workers N  taken and ignored: the plain loop has one (default: 1)\n" +
      "--concurrency N  taken and ignored, likewise\n";
  return `${name}.ts: ${number ? "a for loop in parallel" : "the plain for loop"}

Usage: npx tsx scripts/${name}.ts [flags]

Flags:
${describeFlags(table, scriptFlagsHelp + lines + own)}

Exit status: 0 all iterations ok, 1 some failed or another error, 2 bad usage, 130 interrupted.

Examples:
  npx tsx scripts/${name}.ts --requests 100 --latency 50
  npx tsx scripts/${name}.ts --work cpu --json
  npx tsx scripts/${name}.ts --url https://api.example.com/items --requests 20`;
}
