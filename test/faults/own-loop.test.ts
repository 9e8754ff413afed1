// A loop of the user's own at the command line: what cannot be run, whatever is thrown, input that breaks off.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { runtimeCommand } from "../../lib/runtime.ts";
import { UNCLONEABLE, VALUES } from "../bodies/throws.ts";
import { asLines, BODY, folder, linesOf, newFile } from "../support/own-loop.ts";
import { commandLine, descendants, run, until, withBody } from "../support/process.ts";

for (const technique of ["async", "threads"])
  test(`${technique}: interrupted while it waits for stdin, it reports what is done`, async () => {
    const file = fileURLToPath(new URL(`../../scripts/${technique}.ts`, import.meta.url));
    const [command, ...flags] = runtimeCommand;
    const child = spawn(command!, [...flags, file, "--items", "-", "--json"]);
    child.stdin.write("1\n2\n"); // and it is not ended
    let stdout = "";
    child.stdout.on("data", (text) => (stdout += text));
    const isUp = () => descendants(child.pid!).some((pid) => /api\.ts/.test(commandLine(pid)));
    await until(isUp); // it hears signals since before it has started its API
    await sleep(3000); // by then it reads, also on a busy machine
    child.kill("SIGINT");
    const [code] = await once(child, "close");
    assert.equal(code, 130);
    const { ok, failed, interrupted } = JSON.parse(stdout);
    // Workers need an array: none has begun before its end.
    assert.deepEqual(
      [ok, failed, interrupted],
      technique === "async" ? [2, 0, true] : [0, 2, true],
    );
  });

for (const technique of ["async", "threads"])
  test(`${technique}: waits for no end of stdin once it has all items`, async () => {
    const script = fileURLToPath(new URL(`../../scripts/${technique}.ts`, import.meta.url));
    const [command, ...flags] = runtimeCommand;
    const child = spawn(command!, [...flags, script, ...BODY, "--items", "-", "-n", "2"]);
    child.stdin.write("\ufeff1\n2\n3\n"); // with a byte order mark; and it is not ended
    const [code] = await once(
      child.on("spawn", () => child.stdout.resume()),
      "close",
    );
    assert.equal(code, 0);
  });

for (const technique of ["async", "threads"])
  test(`${technique}: whatever a body throws is counted, shown, and has its line`, async () => {
    const kinds = Object.keys({ ...VALUES, ...UNCLONEABLE });
    const results = newFile();
    const flags = ["--items", newFile(asLines(kinds)), "--results", results];
    const { stdout, stderr } = await run(`scripts/${technique}.ts`, [
      ...withBody("throws"),
      ...flags,
    ]);
    assert.equal(stderr, "");
    assert.match(stdout, new RegExp(` 0 ok, ${kinds.length} failed\n`));
    assert.match(stdout, /\n {2}item 0: a string\n {2}item 1: undefined\n/);
    assert.equal(linesOf(results).length, kinds.length);
  });

test("own loop: what cannot be run is one line, exit status 2, and nothing is run", async () => {
  const good = newFile("1\n2\n");
  const foreign = newFile('{"other":1}\n');
  const ofOthers = newFile('{"index":0,"item":9,"status":"fulfilled","value":1}\n');
  const notes = newFile("my notes, without an end of line");
  for (const [flags, expected] of [
    [["--items", join(folder, "none")], /--items: expected a file that is there, or "-" for stdin/],
    [["--items", newFile('1\n{"a":\n')], /--items: expected JSON in line 2 of ".*": /],
    [["--items", newFile("")], /--items: expected JSON, one value a line, in "/],
    [["--items", good, "--results", foreign], /--results: expected results, found .* in line 1 of/],
    [
      ["--items", good, "--results", ofOthers],
      /--results: another item is number 0, .* of other items in/,
    ],
    [["--items", good, "--results", notes], /--results: expected results, found something else in/],
    [["--items", good, "--results", join(folder, "no", "o")], /--results: ENOENT: cannot read/],
    [["--items", good, "--results", folder], /--results: EISDIR: cannot read and write/],
    [["--items", good, "--again"], /--again: expected --results with it/],
    [["-n", "1,2", "--results", newFile()], /--requests: expected one number/],
  ] as const) {
    const { code, stdout, stderr } = await run("scripts/async.ts", [...BODY, ...flags]);
    assert.equal(code, 2, `${flags}: ${stderr}`);
    assert.match(stderr, new RegExp(`^error: ${expected.source}[^\n]*\n$`));
    assert.equal(stdout, "");
  }
  assert.equal(readFileSync(notes, "utf8"), "my notes, without an end of line");
});

test("own loop: half a line at the end of the results is dropped, with a word", async () => {
  const half = '{"index":1,"item":2,"sta';
  const results = newFile(`{"index":0,"item":1,"status":"fulfilled","value":1}\n${half}`);
  const flags = [...BODY, "--items", newFile("1\n2\n3\n"), "--results", results, "--json"];
  const { code, records, stderr } = await run("scripts/async.ts", flags);
  assert.deepEqual([code, records[0]!.requests], [0, 2]);
  assert.match(stderr, /its last line was incomplete, and is dropped/);
  assert.equal(linesOf(results).length, 3);
});
