import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Comparison, Sample } from "../scripts/compare/comparison.ts";
import { describe, summarize } from "../scripts/compare/describe.ts";
import {
  checkExports,
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
  const [head, ...lines] = toCsv(one).split("\r\n");
  assert.match(head!, /^technique,asPython,round,requests,workers,concurrency,work,ms,startupMs,/);
  assert.equal(lines[0], "sequential,false,0,5,1,1,post,10,1,5,0,false,,1,1,1,10,104857600,,,");
  assert.deepEqual([lines.length, lines[2]], [3, ""]);
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

test("exports: a file's mode stays, and a link stays a link", () => {
  writeWhole(file("mode.txt"), "old");
  chmodSync(file("mode.txt"), 0o660);
  symlinkSync(file("mode.txt"), file("link.txt"));
  for (const name of ["mode.txt", "link.txt"]) writeWhole(file(name), name);
  assert.equal(statSync(file("mode.txt")).mode & 0o777, 0o660);
  assert.equal(readFileSync(file("mode.txt"), "utf8"), "link.txt");
});

test("exports: where nothing can be written is told up front, and nothing is left there", () => {
  const tooLong = file(`${"n".repeat(260)}.json`);
  for (const bad of ["/no/such/folder/a.json", folder, "/proc/version/a.json", tooLong]) {
    assert.throws(() => checkExports({ "export-json": bad }), { name: "UsageError" }, bad);
  }
  const before = readdirSync(folder);
  checkExports({ "export-json": file(`${"n".repeat(250)}.json`), "export-csv": undefined });
  assert.deepEqual(readdirSync(folder), before);
});

test("exports: no file is meant twice, by whatever name", () => {
  writeWhole(file("saved.json"), "precious");
  linkSync(file("saved.json"), file("hard.json"));
  symlinkSync(file("saved.json"), file("soft.json"));
  symlinkSync(folder, file("folder"));
  for (const name of ["saved.json", "hard.json", "soft.json", "folder/saved.json"]) {
    const message = `--export-csv: expected another file than --from: "${file(name)}"`;
    assert.throws(() => checkExports({ "export-csv": file(name) }, file("saved.json")), {
      name: "UsageError",
      message,
    });
  }
  const twice = { "export-json": file("x.json"), "export-csv": file("folder/x.json") };
  assert.throws(() => checkExports(twice), /another file than --export-json/);
  assert.ok(!existsSync(file("x.json")));
  checkExports({ "export-json": file("x.json"), "export-csv": file("y.json") }, file("none.json"));
});

test("exports: a file that holds no comparison, or half of one, is a clear error", () => {
  const whole = toJson(one);
  const cases: [string, RegExp][] = [
    [whole.slice(0, -20), /it is not JSON, or not all of it$/],
    ["", /it is not JSON/],
    ["null", /expected a "parallel-for comparison 3"$/],
    ["[]", /expected a "parallel-for/],
    [whole.replace("comparison 3", "comparison 9"), /expected a "parallel-for comparison 3"$/],
  ];
  for (const [text, message] of cases) {
    writeFileSync(file("bad.json"), text);
    assert.throws(() => readComparison(file("bad.json")), { name: "UsageError", message });
  }
  assert.throws(() => readComparison(file("missing.json")), { message: /ENOENT$/ });
});

test("exports: figures that cannot be are damage", () => {
  const [sequential, async] = one.samples as [Sample, Sample];
  const timeline = { worker: [0], item: [0], startMs: [0], endMs: [1] };
  const damaged: Partial<Record<keyof Comparison, unknown>>[] = [
    ...[0, -1, 1e308, Number.NaN, "1", undefined].map((ms) => ({
      samples: [{ ...sequential, ms }],
    })),
    { samples: [{ ...async, idealMs: 0 }] },
    { samples: [{ ...async, statuses: null }] },
    { samples: [async, { ...sequential, workers: 0 }] },
    { samples: [{ ...sequential, ok: 4 }] },
    { samples: [{ ...sequential, statuses: { 201: 1.5 } }] },
    { samples: [{ ...sequential, cpuMs: null }] },
    { samples: [{ ...sequential, technique: "another" }] },
    { samples: [null] },
    { samples: {} },
    { machine: { ...one.machine, cores: 0 } },
    { machine: undefined },
    { over: "time" },
    { xs: [5, null] },
    { techniques: [1] },
    { timelines: [{ ...sequential, ms: 0 }] },
    { timelines: [{ ...sequential, timeline: { ...timeline, endMs: [] } }] },
    { timelines: [{ ...sequential, timeline: { ...timeline, worker: undefined } }] },
    { startedAt: undefined },
    { remarks: undefined },
  ];
  for (const part of damaged) {
    writeFileSync(file("bad.json"), JSON.stringify({ ...one, ...part }));
    const message = /: it is damaged$/;
    assert.throws(() => readComparison(file("bad.json")), { message }, JSON.stringify(part));
  }
  const drawn = [{ ...sequential, timeline }];
  writeFileSync(file("good.json"), JSON.stringify({ ...one, timelines: drawn }));
  assert.deepEqual(readComparison(file("good.json")).timelines, drawn);
});

test("exports: neither text nor a name that was read can steer the terminal", () => {
  const [first] = one.samples as [Sample];
  const samples = [{ ...first, ok: 0, failed: 5, statuses: {}, errors: { "\x9b2J": 5 } }];
  const machine = { ...one.machine, cpu: "\x1b[2J" };
  const written = { ...one, samples, machine, remarks: ["\x1b[2J"] };
  writeFileSync(file("odd.json"), toJson(written));
  const odd = readComparison(file("odd.json"));
  const summary = summarize(odd);
  const shown = describe(odd, summary, { width: 80, colour: false }) + toMarkdown(odd, summary);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.doesNotMatch(shown, /[\x1b\x9b]/);
  assert.match(shown, /5 of 5 failed \(\\u009b2J: 5\)/);
  for (const technique of ["\x1b[2J", "../async", "Async", ""]) {
    const renamed = { ...written, techniques: [technique], samples: [{ ...first, technique }] };
    writeFileSync(file("odd.json"), toJson(renamed));
    assert.throws(() => readComparison(file("odd.json")), { message: /: it is damaged$/ });
  }
});
