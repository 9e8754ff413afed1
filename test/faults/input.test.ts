// Bad command lines: each is one line on stderr, exit status 2, and nothing is started.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { run } from "../support/process.ts";

const folder = mkdtempSync(join(tmpdir(), "input-"));
after(() => rmSync(folder, { recursive: true }));

const NUMBERS = "a whole number from 1 to 10000000, or several separated by commas";
const WORKERS = "a whole number from 1 to 1024";
const DECIMAL = "a number from 0 to 600000";
const URL_ = "an http:// or https:// URL";
const JSON_ = "JSON, with {i} for the item";
const HEADER =
  'a header as "Name: value", none of Content-Length, Expect, Keep-Alive, Transfer-Encoding ' +
  "and Upgrade, and of Connection only close or keep-alive";
const NAMES =
  "a technique, by the name of its file in scripts/ without .ts, or several separated by commas";
const FILE = "a file that is there";
const LONG = `${"long".repeat(100)}.ts`; // longer than a file's name can be
const HIDDEN = "something else (not shown)";
const ITEMS = 'a file that is there, or "-" for stdin';

/**
 * Script, arguments, message. Where the message is [flag, expected, found], it is put together so. More
 * values that are bad stand in flags.test.ts.
 */
const BAD: [script: string, args: string[], message: string | [string, string, string]][] = [
  ["sequential", ["--requests", "0"], ["--requests", NUMBERS, '"0"']],
  ["sequential", ["--workers", "zero"], ["--workers", WORKERS, '"zero"']],
  ["sequential", ["--with", "threads"], "unknown flag --with: see --help for those there are"],
  ["sequential", ["500"], 'unexpected argument "500": only flags are expected'],
  ["async", ["-n"], ["-n", NUMBERS, "nothing"]],
  ["async", ["--latency", "-1"], ["--latency", DECIMAL, '"-1"']],
  ["async", ["--timeout", "0"], ["--timeout", "a whole number from 1 to 86400000", '"0"']],
  ["async", ["--retries", "101"], ["--retries", "a whole number from 0 to 100", '"101"']],
  ["async", ["--url", "localhost:80"], ["--url", URL_, '"localhost:80"']],
  ["async", ["--data", "{i"], ["--data", JSON_, HIDDEN]],
  ["async", ["--url", "me:secret@a/p"], ["--url", URL_, HIDDEN]],
  ["async", ["--items", "https://me:secret@a/"], ["--items", ITEMS, HIDDEN]],
  ["compare", ["--work", "?token=secret"], ["--work", "one of post, cpu, none", HIDDEN]],
  ["async", ["Authorization: Bearer secret"], "unexpected argument: only flags are expected"],
  ["api", ["http://me:secret@a/"], "unexpected argument: only flags are expected"],
  ["async", ["--header", "secret"], ["--header", HEADER, HIDDEN]],
  ["async", ["--header", "A: b\r\nEvil: c"], ["--header", HEADER, HIDDEN]],
  ["compare", ["--header", "Upgrade: h2c"], ["--header", HEADER, HIDDEN]],
  ["async", ["--json=yes"], ["--json", "no value", '"yes"']],
  [
    "async",
    ["--url", "http://a.example/", "-n", "101"],
    "about to send 101 requests to a.example: add --yes where its owner agrees",
  ],
  ["threads", ["--work", "cpuu"], ["--work", "one of post, cpu, none", '"cpuu"']],
  ["threads", ["--body", "no/such.ts"], ["--body", FILE, '"no/such.ts"']],
  ["threads", ["--body", "package.json/x.ts"], ["--body", FILE, '"package.json/x.ts"']],
  ["threads", ["--body", "scripts"], ["--body", FILE, '"scripts"']],
  ["processes", ["--body", LONG], ["--body", FILE, `"${LONG}"`]],
  ["compare", ["--results", "x"], "unknown flag --results: see --help for those there are"],
  ["processes", ["--wrokers", "4"], "unknown flag --wrokers: see --help for those there are"],
  ["processes", ["--workers", "\x1b[31m4"], ["--workers", WORKERS, '"\\u001b[31m4"']],
  ["shared-dict", ["--with", "fibers"], ["--with", "one of processes, threads", '"fibers"']],
  ["shared-memory", ["--with", "processes"], "unknown flag --with: see --help for those there are"],
  ["compare", ["--techniques", "nonsense"], ["--techniques", NAMES, '"nonsense"']],
  ["compare", ["--techniques", "../lib/main"], ["--techniques", NAMES, '"../lib/main"']],
  ["compare", ["-t", "async,compare"], ["-t", NAMES, '"async,compare"']],
  [
    "compare",
    ["--workers", "1,0"],
    ["--workers", `${WORKERS}, or several separated by commas`, '"1,0"'],
  ],
  [
    "compare",
    ["-w", "1,2", "-n", "3,4"],
    '--workers: expected one number for several --requests, found "1,2"',
  ],
  [
    "compare",
    ["-w", "1,2", "--python-defaults"],
    '--workers: expected one number with --python-defaults, found "1,2"',
  ],
  ["compare", ["--runs", "0"], ["--runs", "a whole number from 1 to 1000", '"0"']],
  ["compare", ["--timeline"], ["--timeline", "a whole number from 1 to 1000000", "nothing"]],
  ["compare", ["--export-json"], ["--export-json", "the name of a file", "nothing"]],
  [
    "compare",
    ["--export-markdown", "/no/such/x.md"],
    '--export-markdown: cannot write "/no/such/x.md" (ENOENT)',
  ],
  ["compare", ["--export-json", "."], '--export-json: cannot write "." (it is a folder)'],
  ["compare", ["--from", "/no/such.json"], '--from: cannot read "/no/such.json": ENOENT'],
  [
    "compare",
    ["--from", "package.json"],
    '--from: cannot read "package.json": expected a "parallel-for comparison 3"',
  ],
  [
    "compare",
    ["--from", "README.md"],
    '--from: cannot read "README.md": it is not JSON, or not all of it',
  ],
  ["compare", ["--header"], ["--header", HEADER, "nothing"]],
  ["api", ["--port", "65536"], ["--port", "a whole number from 0 to 65535", '"65536"']],
  ["api", ["--error-rate", "1.1"], ["--error-rate", "a number from 0 to 1", '"1.1"']],
  ["api", ["--reset-rate", "5%"], ["--reset-rate", "a number from 0 to 1", '"5%"']],
  ["api", ["--url", "http://a/"], "unknown flag --url: see --help for those there are"],
];

/** Does something with each of several, a few at a time: most of each is the start of a runtime. */
async function forAll<T>(all: readonly T[], act: (one: T) => Promise<void>) {
  const left = [...all];
  const lane = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await act(one);
  };
  await Promise.all(Array.from({ length: 4 }, lane));
}

test(`${BAD.length} bad command lines, each one line on stderr and exit status 2`, () =>
  forAll(BAD, async ([script, args, message]) => {
    const [flag, expected, found] = message;
    const line =
      typeof message === "string" ? message : `${flag}: expected ${expected}, found ${found}`;
    const { code, stdout, stderr } = await run(`scripts/${script}.ts`, args);
    assert.equal(stderr, `error: ${line}\n`, `${script} ${args.join(" ")}`);
    assert.equal(code, 2);
    assert.equal(stdout, "");
  }));

test("--help names the flags and exits 0, for every script", () =>
  forAll([...new Set(BAD.map(([script]) => script))], async (script) => {
    const { code, stdout, stderr } = await run(`scripts/${script}.ts`, ["--help"]);
    assert.equal(code, 0);
    assert.equal(stderr, "");
    assert.match(stdout, /--latency MS/);
  }));

test("compare.ts: files that cannot be meant are refused with exit status 2", async () => {
  const file = join(folder, "meant.json");
  writeFileSync(file, "{}");
  const cases: [string[], RegExp][] = [
    [["--from", file, "--export-csv", file], /--export-csv: expected another file than --from/],
    [["--export-json", "a.txt", "--export-csv", "./a.txt"], /another file than --export-json/],
    [["--export-csv", "n".repeat(300)], /--export-csv: cannot write .*ENAMETOOLONG/],
    [["--from", file], /--from: .*expected a "parallel-for comparison/],
  ];
  for (const [flags, message] of cases) {
    const { code, stdout, stderr } = await run("scripts/compare.ts", flags);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, message);
    assert.equal(stderr.split("\n").length, 2);
  }
  assert.equal(readFileSync(file, "utf8"), "{}");
});
