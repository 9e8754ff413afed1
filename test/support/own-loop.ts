// What a loop of the user's own at the command line comes to, for a technique's script.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Item } from "../bodies/waits.ts";
import { run, withBody } from "./process.ts";

export const folder = mkdtempSync(join(tmpdir(), "own-loop-"));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
export const newFile = (text?: string) => {
  const file = join(folder, `${files++}.jsonl`);
  if (text !== undefined) writeFileSync(file, text);
  return file;
};
export const asLines = (items: unknown[]) =>
  items.map((item) => `${JSON.stringify(item)}\n`).join("");
export const linesOf = (file: string) =>
  readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
export const BODY = withBody("waits");

/** Declares the tests of --items and --results on a technique's script. */
export function testOwnLoop(technique: string): void {
  const script = `scripts/${technique}.ts`;

  test(`${technique}: a file of items, each result a line; the same command goes on`, async () => {
    const items: Item[] = Array.from({ length: 30 }, (_, index) => ({ ms: index % 3 }));
    items[7] = { fails: true };
    const [file, results] = [newFile(asLines(items)), newFile()];
    const flags = [...BODY, "--items", file, "--results", results, "-w", "2", "--json"];
    const first = await run(script, [...flags, "-n", "20"]);
    assert.equal(first.code, 1, first.stderr);
    const { requests, ok, failed, errors, doneBefore } = first.records[0]!;
    assert.deepEqual([requests, ok, failed, errors, doneBefore], [20, 19, 1, { E_FAILS: 1 }, 0]);
    const second = await run(script, flags);
    assert.equal(second.code, 1, "one had failed before");
    const then = second.records[0]!;
    assert.deepEqual([then.requests, then.doneBefore, then.failedBefore], [10, 20, 1]);
    const lines = linesOf(results).sort((a, b) => a.index - b.index);
    assert.deepEqual(
      lines.map(({ index, item }) => [index, item]),
      items.map((item, index) => [index, item]),
    );
    const reason = { name: "RangeError", message: "it was to fail", code: "E_FAILS" };
    assert.deepEqual(lines[7], { index: 7, item: items[7], status: "rejected", reason });
    assert.deepEqual(lines[8].value, { got: items[8] });
    if (!["async", "distributed"].includes(technique)) return; // it goes by the file alone
    const third = await run(script, [...flags, "--again"]);
    assert.deepEqual([third.records[0]!.requests, third.records[0]!.failed], [1, 1]);
    assert.equal(linesOf(results).length, 31);
  });

  test(`${technique}: items from stdin, more than are read at once`, async () => {
    const results = newFile();
    const count = technique === "distributed" ? 1000 : 12_000; // through Redis they take long
    const input = Array.from({ length: count }, (_, index) => `${index + 1}\n`).join("");
    const flags = ["--work", "none", "--items", "-", "--results", results, "--json"];
    const { records, code, stderr } = await run(script, flags, {}, input);
    assert.equal(code, 0, stderr);
    assert.deepEqual([records[0]!.requests, records[0]!.ok], [count, count]);
    const lines = linesOf(results);
    assert.equal(new Set(lines.map(({ index }) => index)).size, count);
    assert.ok(lines.every(({ index, item, value }) => item === index + 1 && value === item));
  });

  if (["sequential", "threads"].includes(technique)) return; // as async.ts and processes.ts
  test(`${technique}: a value that is no JSON has its line, and the loop goes on`, async () => {
    const results = newFile();
    const items: Item[] = [
      { returns: "a bigint" },
      {},
      { returns: "a cycle" },
      { returns: "nothing" },
      { returns: "a Map" },
    ];
    const flags = [...BODY, "--items", newFile(asLines(items)), "--results", results, "--json"];
    const { records } = await run(script, flags);
    assert.equal(records[0]!.ok, 5);
    const lines = linesOf(results).sort((a, b) => a.index - b.index);
    assert.match(lines[0].noValue, /BigInt/);
    assert.match(lines[2].noValue, /circular/);
    assert.equal(lines[4].noValue, "JSON has no Map");
    assert.deepEqual([lines[1].value, "value" in lines[3]], [{ got: {} }, false]);
  });
}
