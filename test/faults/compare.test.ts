// compare.ts where its API is dead, where it is interrupted or killed itself, and in uses that are rarer.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Comparison, Sample } from "../../scripts/compare/comparison.ts";
import { descendants, noneLeft, run, start, until, withBody } from "../support/process.ts";

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

test("compare.ts: --work none has times without an ideal; --timeline draws a run of its own", async () => {
  const flags = ["--work", "none", "--requests", "600", "--techniques", "sequential,threads"];
  const { code, stdout } = await run("scripts/compare.ts", [...flags, "--timeline", "5"]);
  assert.equal(code, 0);
  assert.match(stdout, /^requests +sequential +threads\n/);
  assert.match(stdout, /- Threads against the plain loop: slower at 600 iterations\.\n/);
  assert.match(stdout, /\nthreads, 5 iterations, 8 workers: [\d.]+ m?s\nworker/);
});

test("compare.ts: --python-defaults adds Python's numbers of workers and explains the headline", async () => {
  const flags = ["--python-defaults", "--requests", "20", "--work", "none", "--json"];
  const { code, records, stderr } = await run("scripts/compare.ts", [
    ...flags,
    ...["--techniques", "threads,processes", "--workers", "3"],
  ]);
  assert.equal(code, 0, stderr);
  const numbers = (records as Sample[]).map((one) => [one.technique, one.workers, one.asPython]);
  const cores = availableParallelism();
  assert.deepEqual(numbers, [
    ["threads", 3, false],
    ["processes", 3, false],
    ["threads", Math.min(32, cores + 4), true],
    ["processes", cores, true],
  ]);
});

test("compare.ts: a body and items of the user's are compared, and said to wait or to compute", async () => {
  const items = join(folder, "items.jsonl");
  writeFileSync(items, Array.from({ length: 12 }, () => '{"ms":15}\n').join(""));
  const waiting = [...withBody("waits"), "--items", items, "-t", "sequential,async,threads"];
  const { code, stdout, stderr } = await run("scripts/compare.ts", [...waiting, "-n", "6,12"]);
  assert.equal(code, 0, stderr);
  const busy = (text: string) =>
    Number(/its iterations kept (\d+) % of a core busy/.exec(text.replace(/\n {2}/g, " "))?.[1]);
  assert.match(stdout, /This loop waits: /);
  assert.match(stdout, /async against the plain loop: faster from 6 to 12 iterations/i);
  const factors = ["--body", "scripts/examples/factorize.ts", "-t", "sequential,processes"];
  const numbers = join(folder, "numbers.jsonl");
  writeFileSync(numbers, Array.from({ length: 6 }, () => "1000000000039\n").join(""));
  const computing = await run("scripts/compare.ts", [...factors, "--items", numbers, "-n", "6"]);
  // It computes all the time, but where much else runs it has only a part of a core.
  assert.ok(busy(computing.stdout) > busy(stdout), computing.stdout);
  const bad = await run("scripts/compare.ts", [...waiting, "-n", "13"]);
  const expected = "error: --requests: expected at most 12, as many as --items, found 13\n";
  assert.deepEqual([bad.code, bad.stderr], [2, expected]);
});

test("compare.ts: compares the dictionary scripts like any other", async () => {
  const names = ["shared-dict", "shared-memory", "merge-dict"];
  const flags = ["-t", names.join(), "-n", "5", "-w", "2", "--latency", "1"];
  const { code, stdout } = await run("scripts/compare.ts", flags);
  assert.equal(code, 0);
  assert.match(stdout, /^requests +ideal +shared-dict +shared-memory +merge-dict\n/);
  assert.match(stdout, /\n- At 5 requests: .+ was fastest/);
});
