import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { summarize } from "../scripts/compare/describe.ts";
import {
  checkWritable,
  readComparison,
  toCsv,
  toJson,
  toMarkdown,
  writeWhole,
} from "../scripts/compare/exports.ts";
import { comparison, sample } from "./support/comparison.ts";

const folder = mkdtempSync(join(tmpdir(), "exports-"));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string) => join(folder, name);
const one = comparison(
  [sample("sequential", 5, 10), sample("async", 5, 4.5, { round: 1, startupMs: 0.1 })],
  { remarks: ["A remark, with a comma."] },
);

test("exports: JSON is read again as it was", () => {
  writeWhole(file("a.json"), toJson(one));
  assert.deepEqual(readComparison(file("a.json")), one);
});

test("exports: CSV has a head and a line for each run", () => {
  const [head, ...lines] = toCsv({
    ...one,
    samples: [...one.samples, sample('odd,"name"', 5, 1)],
  }).split("\r\n");
  assert.match(head!, /^technique,asPython,round,requests,workers,concurrency,work,ms,startupMs,/);
  assert.equal(lines[0], "sequential,false,0,5,1,1,post,10,1,5,0,false,,1,1,1,10,104857600,,");
  assert.match(lines[2]!, /^"odd,""name""",false/);
  assert.deepEqual([lines.length, lines[3]], [4, ""]);
});

test("exports: Markdown has the table and the sentences", () => {
  const text = toMarkdown(one, summarize(one));
  assert.match(
    text,
    /^\| requests \| sequential \| async \|\n\| ---: \| ---: \| ---: \|\n\| 5 \| 10\.0 ms \| 4\.50 ms \|\n\n- /,
  );
  assert.match(
    text,
    /\n- A remark, with a comma\.\n\nNode 24\.0\.0, 2 cores of a CPU, 2026-11-22\.\n$/,
  );
});

test("exports: a file is written as a whole or not at all", () => {
  writeWhole(file("b.txt"), "old");
  mkdirSync(file("taken"));
  assert.throws(() => writeWhole(file("taken"), "new"), {
    message: /^cannot write ".*taken" \((EISDIR|ENOTEMPTY|EEXIST|EPERM)\)$/,
  });
  writeWhole(file("b.txt"), "new");
  assert.equal(readFileSync(file("b.txt"), "utf8"), "new");
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes("tmp")),
    [],
  );
});

test("exports: where nothing can be written is told up front", () => {
  for (const bad of ["/no/such/folder/a.json", folder, "/proc/version/a.json"]) {
    assert.throws(() => checkWritable("export-json", bad), { name: "UsageError" }, bad);
  }
  checkWritable("export-json", file("new.json"));
  checkWritable("export-json", undefined);
  assert.ok(!readdirSync(folder).includes("new.json"));
});

test("exports: a file that holds no comparison, or half of one, is a clear error", () => {
  const whole = toJson(one);
  const cases: [string, RegExp][] = [
    [whole.slice(0, -20), /it is not JSON, or not all of it$/],
    ["", /it is not JSON/],
    ["null", /expected a "parallel-for comparison 2"$/],
    ["[]", /expected a "parallel-for/],
    [whole.replace("comparison 2", "comparison 9"), /expected a "parallel-for comparison 2"$/],
  ];
  for (const [text, message] of cases) {
    writeFileSync(file("bad.json"), text);
    assert.throws(() => readComparison(file("bad.json")), { name: "UsageError", message });
  }
  assert.throws(() => readComparison(file("missing.json")), { message: /ENOENT$/ });
});

test("exports: text that was read cannot steer the terminal", () => {
  writeFileSync(file("odd.json"), toJson({ ...one, techniques: ["\x1b[2J"] }));
  assert.deepEqual(readComparison(file("odd.json")).techniques, ["\\u001b[2J"]);
});
