import assert from "node:assert/strict";
import { test } from "node:test";
import { describeFlags, parseFlags } from "../lib/command/flags.ts";
import { scriptFlagsHelp, scriptFlags as table } from "../lib/command/script-flags.ts";
import { compareFlags, flagsHelp as compareHelp } from "../scripts/compare/flags.ts";
import * as distributed from "../scripts/distributed/on-redis.ts";

const NUMBERS = /expected a whole number from 1 to 10000000, or several separated by commas, found/;
const WORKERS = /expected a whole number from 1 to 1024, found/;
const HIDDEN = /found something else \(not shown\)$/;

/** Command lines that must be refused, and what the message must say beside flag and value. */
const BAD: [string[], RegExp][] = [
  [["--requests", "0"], NUMBERS],
  [["--requests", "-5"], NUMBERS],
  [["--requests=-5"], NUMBERS],
  [["--requests", "1.5"], NUMBERS],
  [["--requests", "abc"], NUMBERS],
  [["--requests", "1e9"], NUMBERS],
  [["--requests", "5,,10"], NUMBERS],
  [["--requests", ""], NUMBERS],
  [["--requests="], NUMBERS],
  [["--requests", " 5"], NUMBERS],
  [["--requests", "0x10"], NUMBERS],
  [["--requests", "+5"], NUMBERS],
  [["--requests", "10000001"], NUMBERS],
  [["--requests", "99999999999999999999"], NUMBERS],
  [["--requests"], /expected .* found nothing/],
  [["-n", "0"], NUMBERS],
  [["--workers", "0"], WORKERS],
  [["--workers", "100000"], WORKERS],
  [["--workers", "two"], WORKERS],
  [["-w"], /found nothing/],
  [["-w", "+4"], WORKERS],
  [["--concurrency", "0"], WORKERS],
  [["-c", "1025"], WORKERS],
  [["--work", "cpuu"], /expected one of post, cpu, none, found "cpuu"/],
  [["--work", ""], /expected one of/],
  [["--work"], /expected one of post, cpu, none, found nothing/],
  [["--with"], /expected one of processes, threads, found nothing/],
  [["--with=Threads"], /expected one of processes, threads, found "Threads"/],
  [["--body", ""], /expected a file that is there, found ""/],
  [["--body"], /expected a file that is there, found nothing/],
  [["--url", "ftp://a/"], /expected an http:\/\/ or https:\/\/ URL, found "ftp:\/\/a\/"/],
  [["--url", "localhost:80"], /expected an http/],
  [["--url", "http://"], /expected an http/],
  [["--url", "file://me:secret@a/"], HIDDEN],
  [["--url", "a.example/?token=secret"], HIDDEN],
  [["--data", ""], /expected JSON, with {i} for the item, found something else \(not shown\)$/],
  [["--header", ": secret"], HIDDEN],
  [["--header", "A B: c"], HIDDEN],
  [["--latency", "-1"], /expected a number from 0 to 600000/],
  [["--latency", "NaN"], /expected a number from 0 to 600000/],
  [["--latency", "600001"], /expected a number from 0 to 600000/],
  [["--latency", "soon"], /expected a number/],
  [["--timeout", "0"], /expected a whole number from 1/],
  [["--timeout", "1s"], /expected a whole number from 1/],
  [["--retries", "-1"], /expected a whole number from 0/],
  [["--json=yes"], /expected no value, found "yes"/],
  [["--yes=1"], /expected no value, found "1"/],
  [["--timeline=5"], /expected no value, found "5"/],
  [["--unknown"], /unknown flag --unknown/],
  [["-x"], /unknown flag -x/],
  [["--constructor"], /unknown flag --constructor/],
  [["--__proto__", "1"], /unknown flag --__proto__/],
  [["stray"], /unexpected argument "stray"/],
  [["--", "stray"], /unexpected argument "stray"/],
];

test("flags: bad command lines are refused with flag, value and what is expected", () => {
  for (const [args, message] of BAD) {
    assert.throws(() => parseFlags(table, args), { name: "UsageError", message }, args.join(" "));
  }
});

test("flags: good command lines give typed values, defaults where nothing is given", () => {
  const flags = parseFlags(table, [
    "-n",
    "5,10",
    "-w3",
    "--url",
    "https://a.example/x?y=1",
    "--latency",
    "0.5",
    "--json",
  ]);
  assert.deepEqual(flags.requests, [5, 10]);
  assert.equal(flags.workers, 3);
  assert.equal(flags.url?.href, "https://a.example/x?y=1");
  assert.equal(flags.latency, 0.5);
  assert.equal(flags.json, true);
  // What these are depends on other flags.
  assert.equal(flags.timeout, undefined);
  assert.deepEqual(parseFlags(table, []).requests, []);
});

test("flags: a header that undici refuses or drops is refused, and no other", () => {
  const header = (text: string) => parseFlags(table, ["--header", text]).header!;
  for (const text of [
    ...["Expect: 100-continue", "Keep-Alive: timeout=5", "Upgrade: h2c", "UPGRADE:"],
    ...["Transfer-Encoding: chunked", "Content-Length: 13", "content-length:13"],
    ...["Connection: upgrade", "Connection:", "Connection: close, x", "connection: a b"],
  ])
    assert.throws(() => header(text), /--header: .* found something else \(not shown\)$/, text);
  for (const [text, value] of [
    ...[
      ["Connection: close", "close"] as const,
      ["CONNECTION:  Keep-Alive ", "Keep-Alive"] as const,
    ],
    ...[["Expect-CT: 1", "1"] as const, ["Host: a.example", "a.example"] as const],
    ...[["X-Upgrade: Expect: x", "Expect: x"] as const, ["TE: trailers", "trailers"] as const],
  ])
    assert.deepEqual(Object.values(header(text)), [value], text);
});

test("flags: given twice, the last counts; headers add up, and the last of a name counts", () => {
  const { workers, work, header } = parseFlags(table, [
    ...["-w", "3", "--work", "cpu", "--workers=4", "--work", "none"],
    ...["--header", "A: 1", "--header", "B: 2", "--header", "a: 3"],
  ]);
  assert.deepEqual([workers, work, header], [4, "none", { a: "3", b: "2" }]);
});

test("flags: the help names every flag and its default", () => {
  for (const [flags, texts] of [
    [table, `${scriptFlagsHelp}--workers N  workers`],
    [compareFlags(["async"], () => true), compareHelp],
    [distributed.flags, distributed.flagsHelp],
  ] as const) {
    const lines = describeFlags(flags, texts).split("\n");
    assert.equal(lines.length, Object.keys(flags).length);
    for (const [index, [name, { type, short }]] of Object.entries(flags).entries()) {
      const line = lines[index]!;
      assert.ok(line.startsWith(`  ${short ? `-${short}, ` : "    "}--${name} `), line);
      assert.equal(/ \(default: .+\)$/.test(line), type === "string", line);
    }
  }
});

test("flags: of several lines on a flag the last counts, with those that are indented", () => {
  const texts = "\n--batch N  items\n--worker  works\n--batch N  items that\n  travel\n";
  const { batch, worker } = distributed.flags;
  const help = ["      --batch N  items that travel (default: 1)", "      --worker   works"];
  assert.equal(describeFlags({ batch, worker }, texts), help.join("\n"));
});
