import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { descendants, isAlive, run, start, until } from "./support/process.ts";
import { checkRecord } from "./support/technique.ts";

const small = ["--requests", "3,6", "--workers", "2", "--latency", "1"];

test("compare.ts: runs every technique at every size: table, chart and sentences", async () => {
  const { code, stdout, stderr } = await run("scripts/compare.ts", small);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^requests +ideal +sequential +async +threads +processes\n/);
  assert.match(stdout, /\n +3( +[\d.]+ m?s){5}\n +6( +[\d.]+ m?s){5}\n/);
  assert.match(stdout, /·· ideal {3}━━ sequential {3}══ async {3}╌╌ threads {3}xx processes/);
  assert.match(stdout, /- (From 3 to|At) 6 requests: .*fastest/s);
  assert.match(stdout, /- No technique can be faster than 6 requests x [\d.]+ ms/);
  assert.equal(stderr.split("\n").length - 1, 9, stderr);
  assert.match(stderr, /^8 runs, about .*\nsequential: 3 in .* about [\d.]+ m?s left\n/);
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

test("compare.ts: a dead API fails everywhere, quickly, and says so", async () => {
  const { code, stdout } = await run("scripts/compare.ts", [
    ...small,
    "--url",
    "http://127.0.0.1:1/",
  ]);
  assert.equal(code, 1);
  assert.match(stdout, /\n +3( +failed){4}\n/);
  assert.match(stdout, /\(nothing to draw\)/);
  assert.match(stdout, /- Threads at 6 requests: 6 failed \(ECONNREFUSED: 6\)\./);
});

for (const [how, kill] of [
  ["Ctrl-C", (pid: number) => process.kill(-pid, "SIGINT")],
  ["SIGTERM to compare.ts alone", (pid: number) => process.kill(pid, "SIGTERM")],
] as const) {
  test(`compare.ts: ${how} shows what is done, exits 130 and leaves nothing`, async () => {
    const flags = ["--techniques", "async,processes", "--requests", "5,5000", "--latency", "50"];
    const { child, ended, output } = start("scripts/compare.ts", flags);
    await until(() => output.stderr.includes("async: 5 in"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const below = descendants(child.pid!);
    assert.ok(below.length >= 2, "the script and its API");
    kill(child.pid!);
    const { code, stdout } = await ended;
    assert.equal(code, 130);
    assert.match(stdout, /\n +5 .* ms +-\n +5,000 +.* +interrupted +-\n/);
    assert.match(stdout, /- Interrupted: this is what was done until then\./);
    await until(() => !below.some(isAlive), 1000);
  });
}

test("compare.ts: killed by SIGKILL, it leaves no process behind", async () => {
  const { child, ended } = start("scripts/compare.ts", [
    "--techniques",
    "processes",
    "--requests",
    "5000",
    "--latency",
    "50",
  ]);
  await until(() => descendants(child.pid!).length >= 5);
  const below = descendants(child.pid!);
  child.kill("SIGKILL");
  await ended;
  await until(() => !below.some(isAlive), 2000);
});
