import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { RunRecord } from "../lib/command/record.ts";
import type { Comparison } from "../scripts/compare/comparison.ts";
import { runTechnique } from "../scripts/compare/run.ts";
import { servePracticeApi } from "./support/counting-api.ts";
import { run, withBody } from "./support/process.ts";
import { checkRecord } from "./support/technique.ts";

const folder = mkdtempSync(join(tmpdir(), "compare-"));
after(() => rmSync(folder, { recursive: true }));
const saved = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Comparison;

const small = ["--requests", "3,6", "--workers", "2", "--latency", "1"];

test("compare.ts: runs every technique at every size: table, chart and sentences", async () => {
  const { code, stdout, stderr } = await run("scripts/compare.ts", small);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^requests +ideal +sequential +async +threads +processes\n/);
  assert.match(stdout, /\n +3( +[\d.]+ m?s){5}\n +6( +[\d.]+ m?s){5}\n/);
  assert.match(stdout, /·· ideal {3}━━ sequential {3}══ async {3}╌╌ threads {3}xx processes/);
  assert.match(stdout, /- (From 3 to|At) 6 requests: .*fastest/s);
  assert.match(stdout, /- The ideal at 6 requests, 2 at once, is 3 rounds x [\d.]+ m?s = /);
  assert.equal(stderr.split("\n").length - 1, 9, stderr);
  assert.match(
    stderr,
    /^8 runs\n1 of 8: sequential x1, 3 in [\d.]+ m?s\n2 of 8: sequential x1, 6 in /,
  );
});

test("compare.ts: --json gives the records alone, the plain loop's up to 500 requests", async () => {
  const flags = [
    "--requests",
    "4,501",
    "--latency",
    "0",
    "--techniques",
    "sequential,async",
    "--json",
  ];
  const { code, records, stdout } = await run("scripts/compare.ts", flags);
  assert.equal(code, 0);
  assert.equal(stdout.trim().split("\n").length, 3);
  for (const record of records) checkRecord(record, record.requests);
  assert.deepEqual(
    records.map((record) => [record.technique, record.requests, record.workers]),
    [
      ["sequential", 4, 1],
      ["async", 4, 8],
      ["async", 501, 8],
    ],
  );
});

test("compare.ts: a technique that a reader adds is compared, and one that fails is a gap and a sentence", async () => {
  const added = fileURLToPath(new URL("../scripts/zz-added-by-a-test.ts", import.meta.url));
  writeFileSync(added, 'console.error("it broke"); process.exit(7);\n');
  try {
    const flags = [...small, "--techniques", "async,zz-added-by-a-test"];
    const { code, stdout } = await run("scripts/compare.ts", flags);
    assert.equal(code, 1);
    assert.match(stdout, /\n +3 .* ms +-\n/);
    assert.match(
      stdout.replace(/\n {2}/g, " "),
      /zz-added-by-a-test failed from 3 requests on: exit status 7, "it broke"/,
    );
    assert.match(stdout, /Async|async/);
  } finally {
    rmSync(added);
  }
});

test("compare.ts: over workers, twice, for CPU work: table, both charts, knee, and all of it saved", async () => {
  const file = join(folder, "sweep.json");
  const { code, stdout } = await run("scripts/compare.ts", [
    ...["--workers", "1,2", "--requests", "8", "--work", "cpu", "--runs", "2"],
    ...["--techniques", "sequential,threads", "--export-json", file],
    ...["--export-csv", join(folder, "sweep.csv"), "--export-markdown", join(folder, "sweep.md")],
  ]);
  assert.equal(code, 0);
  assert.match(stdout, /^workers +ideal +threads\n/);
  assert.match(stdout, /\n +2 +[\d.]+ m?s +[\d.]+ m?s ±[\d.]+% {2}[\d.]+x/);
  assert.match(stdout, /\n +times as fast as the plain loop\n/);
  assert.match(stdout, /- Threads first came within 10 % of its best time with \d worker/);
  const { samples, machine, flags, versions } = saved("sweep.json");
  assert.equal(samples.length, 2 * (1 + 2));
  for (const sample of samples) checkRecord(sample, 8);
  assert.deepEqual([...new Set(samples.map((one) => one.round))], [0, 1]);
  assert.ok(machine.cores > 0 && versions.undici && flags.work === "cpu");
  assert.equal(readFileSync(join(folder, "sweep.csv"), "utf8").split("\r\n").length, 8);
  assert.match(readFileSync(join(folder, "sweep.md"), "utf8"), /^\| workers \| ideal \| threads/);

  const again = await run("scripts/compare.ts", ["--from", file]);
  assert.equal(again.stdout, stdout, "drawn again from the file, without running anything");
});

test("compare.ts: an API that refuses is told from one that fails; no secret is shown or saved", async () => {
  const api = await servePracticeApi({ rateLimit: 5 });
  const file = join(folder, "own.json");
  const { code, stdout, stderr } = await run("scripts/compare.ts", [
    ...["--url", `${api.url.replace("//", "//me:s3cret@")}items?key=s3cret`],
    ...["--header", "Authorization: Bearer s3cret", "--header", "X-Other: s3cret"],
    ...["--data", '{"id":"item-{i}"}', "--techniques", "async", "--requests", "4,40"],
    ...["--export-json", file, "--timeline", "2"],
  ]);
  api.stop();
  assert.equal(code, 1);
  assert.match(stdout, /- Async: \d+ of 44 refused \(429: \d+\), first at 40 requests\./);
  for (const text of [stdout, stderr, JSON.stringify(saved("own.json"))])
    assert.ok(!text.includes("s3cret"));
  assert.deepEqual(saved("own.json").flags.headers, ["authorization", "x-other"]);
});

test("compare.ts: takes for a record only what is one", async () => {
  const records: RunRecord[] = [];
  const flags = [...withBody("printing"), "-n", "3"];
  const end = await runTechnique("async", flags, new AbortController().signal, (record) =>
    records.push(record),
  );
  assert.equal(end, "exit status 0");
  assert.deepEqual(
    records.map(({ ok }) => ok),
    [3],
  );
});
