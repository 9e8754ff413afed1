// compare.ts where its API is dead, and where it is interrupted or killed itself.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Comparison } from "../../scripts/compare/comparison.ts";
import { descendants, noneLeft, run, start, until } from "../support/process.ts";

const folder = mkdtempSync(join(tmpdir(), "compare-"));
after(() => rmSync(folder, { recursive: true }));
const saved = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Comparison;

const small = ["--requests", "3,6", "--workers", "2", "--latency", "1"];

test("compare.ts: a dead API fails everywhere, quickly, and says so", async () => {
  const { code, stdout, stderr } = await run("scripts/compare.ts", [
    ...small,
    "--url",
    "http://127.0.0.1:1/",
  ]);
  assert.equal(code, 1);
  assert.match(stdout, /\n +3( +3 of 3 failed){4}\n/);
  assert.match(stdout, /\(nothing to draw\)/);
  assert.match(stdout, /- Threads: 9 of 9 failed \(ECONNREFUSED: 9\), first at 3 requests\./);
  assert.match(stderr, /: threads x2, 0 of 6 ok in /);
});

for (const [how, kill] of [
  ["Ctrl-C", (pid: number) => process.kill(-pid, "SIGINT")],
  ["SIGTERM to compare.ts alone", (pid: number) => process.kill(pid, "SIGTERM")],
] as const) {
  test(`compare.ts: ${how} shows what is done, exits 130 and leaves nothing`, async () => {
    const flags = ["--techniques", "async,processes", "--requests", "5,5000", "--latency", "50"];
    const running = start("scripts/compare.ts", flags);
    await until(() => running.output.stderr.includes("async x8, 5 in"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(running.left().length > 2, "it, the script and its API");
    kill(running.child.pid!);
    const { code, stdout } = await running.ended;
    assert.equal(code, 130);
    assert.match(stdout, /\n +5 .* ms +-\n +5000 +.* +interrupted +-\n/);
    assert.match(stdout, /- Interrupted: this is what was done until then\./);
    await noneLeft(running);
  });
}

test("compare.ts: interrupted, it saves what it has", async () => {
  const file = join(folder, "part.json");
  const flags = ["--techniques", "async", "--requests", "5,5000", "--latency", "50"];
  const { child, ended, output } = start("scripts/compare.ts", [...flags, "--export-json", file]);
  await until(() => output.stderr.includes("5 in"));
  child.kill("SIGINT");
  assert.equal((await ended).code, 130);
  assert.equal(saved("part.json").samples[0]!.ok, 5);
  assert.match(saved("part.json").remarks.join(), /Interrupted/);
});

test("compare.ts: interrupted before anything was done, it replaces no file", async () => {
  const file = join(folder, "good.json");
  writeFileSync(file, "precious");
  const flags = ["--techniques", "async", "--requests", "5", "--latency", "60000"];
  const { child, ended } = start("scripts/compare.ts", [...flags, "--export-json", file]);
  await until(() => descendants(child.pid!).length >= 2);
  await new Promise((resolve) => setTimeout(resolve, 700));
  child.kill("SIGINT");
  const { code, stderr } = await ended;
  assert.equal(code, 130);
  assert.match(stderr, /--export-json: nothing was done, ".*good\.json" is not written\n$/);
  assert.equal(readFileSync(file, "utf8"), "precious");
});

test("compare.ts: killed by SIGKILL, it leaves no process behind", async () => {
  const running = start("scripts/compare.ts", [
    ...["--techniques", "processes", "--requests", "5000", "--latency", "50"],
  ]);
  await until(() => descendants(running.child.pid!).length >= 5);
  running.child.kill("SIGKILL");
  await running.ended;
  await until(() => running.left().length === 0, 2000);
});
