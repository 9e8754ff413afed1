// Everything that ends a script early, at any moment: what was done is reported, and nothing is left.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RunRecord } from "../../lib/command/record.ts";
import { runtimeCommand } from "../../lib/runtime.ts";
import { servePracticeApi } from "../support/counting-api.ts";
import { isAlive, noneLeft, start, statsOf, until, workersOf } from "../support/process.ts";
import { LOOPS, nameOf } from "../support/scripts.ts";
import { checkRecord } from "../support/technique.ts";

const scripts = LOOPS.map((loop) => ({
  ...loop,
  name: nameOf(loop),
  file: `scripts/${loop.script}`,
}));

for (const { name, file, flags } of scripts) {
  test(`${name}: Ctrl-C twice reports what is done, exits 130, leaves none`, async () => {
    const slow = await servePracticeApi({ latencyMs: 50 });
    const running = start(file, ["-n", "5000", "--url", slow.url, "--json", ...flags]);
    const { child, ended, output } = running;
    await until(async () => (await slow.stats()).requests > 12);
    process.kill(-child.pid!, "SIGINT");
    await sleep(10);
    try {
      process.kill(-child.pid!, "SIGINT");
    } catch {} // it was quick
    // The second may come when all is done and its handlers are gone: 130, too, by the signal itself.
    const { status, records } = await ended;
    const stats = await slow.stats();
    slow.stop();
    assert.equal(status, 130, output.stderr);
    checkRecord(records[0]!, 5000);
    const { interrupted, ok, errors } = records[0]!;
    assert.ok(interrupted && ok > 0 && ok <= stats.requests);
    assert.deepEqual(Object.keys(errors), ["AbortError"]);
    await noneLeft(running);
  });

  test(`${name}: killed by SIGKILL midway, it leaves no process behind`, async () => {
    const running = start(file, ["-n", "200,5000", "--latency", "5", "--json", ...flags]);
    const { child, ended, output } = running;
    await until(() => output.stdout.includes("\n")); // in the middle of the second loop
    await sleep(200);
    assert.ok(running.left().length > 1);
    child.kill("SIGKILL");
    await ended;
    await noneLeft(running);
  });
}

for (const { name, file, flags } of scripts.filter((one) => one.workers === "processes")) {
  test(`${name}: killed while an API takes a minute, it leaves no process`, async () => {
    const slow = await servePracticeApi({ latencyMs: 60_000 });
    const running = start(file, ["-n", "9", "-w", "2", "--url", slow.url, ...flags]);
    await until(async () => (await slow.stats()).inFlight === 2);
    assert.equal(workersOf(running).length, 2);
    running.child.kill("SIGKILL");
    await running.ended;
    await noneLeft(running);
    slow.stop();
  });

  test(`${name}: a worker leaves it to its parent what Ctrl-C means`, async () => {
    const slow = await servePracticeApi({ latencyMs: 1500 });
    const running = start(file, ["-n", "4", "-w", "2", "--url", slow.url, "--json", ...flags]);
    await until(async () => (await slow.stats()).inFlight === 2);
    for (const pid of workersOf(running)) process.kill(pid, "SIGINT");
    const { code, records, stderr } = await running.ended;
    slow.stop();
    assert.equal(code, 0, stderr);
    assert.equal(records[0]!.ok, 4);
  });
}

test("a script goes on for 100 ms after Ctrl-C, in which tsx asks twice for an answer", async () => {
  const api = await servePracticeApi({ latencyMs: 1 });
  const { child, ended } = start("scripts/async.ts", ["-n", "50000", "-w", "2", "--url", api.url]);
  await until(async () => (await api.stats()).requests > 12);
  process.kill(-child.pid!, "SIGINT");
  const { requests } = await api.stats();
  assert.equal((await ended).status, 130);
  const more = (await api.stats()).requests - requests;
  api.stop();
  assert.ok(more > 2, `${more} more requests`); // two are on their way when it ends at once
});

test("Ctrl-C leaves the practice API up for its last word", async () => {
  const running = start("scripts/async.ts", ["-n", "20,5000", "--latency", "5", "--json"]);
  const { child, ended, output } = running;
  await until(() => output.stdout.includes("\n"));
  // With the first record, the counts began anew.
  const { url } = JSON.parse(output.stdout.split("\n")[0]!) as RunRecord;
  // A timer is up to 1 ms early, and a mean of a few would show it.
  await until(async () => ((await statsOf(url!)).statuses[201] ?? 0) > 200);
  process.kill(-child.pid!, "SIGINT");
  const { code, records } = await ended;
  assert.equal(code, 130);
  const [, { errors, serviceMs }] = records as [RunRecord, RunRecord];
  assert.deepEqual(Object.keys(errors), ["AbortError"]);
  assert.ok(serviceMs! >= 5, `service time ${serviceMs}`);
  await noneLeft(running);
});

for (const signal of ["SIGTERM", "SIGHUP"] as const) {
  for (const { name, file, flags } of scripts.filter((one) =>
    /^(async|threads|proc)/.test(one.name),
  )) {
    test(`${name}: ${signal} in the middle reports what was done and exits 130`, async () => {
      const running = start(file, ["-n", "20,5000", "--latency", "5", "--json", ...flags]);
      await until(() => running.output.stdout.includes("\n"));
      running.child.kill(signal);
      const { code, records } = await running.ended;
      assert.equal(code, 130);
      checkRecord(records[1]!, 5000);
      await noneLeft(running);
    });
  }
}

test("Ctrl-C at the very end changes nothing but the exit status, if that", async () => {
  for (let afterMs = 0; afterMs < 50; afterMs += 16) {
    const running = start("scripts/processes.ts", ["-n", "30", "--latency", "1", "--json"]);
    const { child, ended, output } = running;
    await until(() => output.stdout.includes("\n"));
    await sleep(afterMs);
    try {
      process.kill(-child.pid!, "SIGINT");
    } catch {} // it was quick
    const { status, records } = await ended;
    assert.ok(status === 0 || status === 130, `${status}`);
    assert.deepEqual([records.length, records[0]!.ok], [1, 30]);
    await noneLeft(running);
  }
});

test("api: ends when its parent is killed", async () => {
  const [command, ...flags] = runtimeCommand;
  const script = fileURLToPath(new URL("../../scripts/api.ts", import.meta.url));
  const code = `const { spawn } = require("node:child_process");
    const api = spawn(${JSON.stringify(command)}, ${JSON.stringify([...flags, script])}, { stdio: "inherit" });
    console.log(api.pid); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  parent.stdout.on("data", (text) => {
    output += text;
  });
  await until(() => output.includes("http://"));
  parent.kill("SIGKILL");
  const pid = Number.parseInt(output, 10);
  await until(() => !isAlive(pid), 2000);
});

test("api: ends where its parent was gone before it had loaded", async () => {
  const script = fileURLToPath(new URL("../../scripts/api.ts", import.meta.url));
  const [, ...execArgv] = runtimeCommand;
  const code = `const { fork } = require("node:child_process");
    const options = { detached: true, silent: true, execArgv: ${JSON.stringify(execArgv)} };
    const api = fork(${JSON.stringify(script)}, options);
    console.log(api.pid);
    setTimeout(() => process.exit(), 20);`;
  const parent = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const [pid] = await once(parent.stdout, "data");
  await until(() => !isAlive(Number(pid)), 5000);
});
