// What a loop body can do to its worker, and what can be done to a worker from outside.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context as Faults } from "../bodies/faults.ts";
import { servePracticeApi } from "../support/counting-api.ts";
import { faultsAre, noneLeft, run, start, until, withBody, workersOf } from "../support/process.ts";
import { LOOPS, nameOf } from "../support/scripts.ts";
import { checkRecord } from "../support/technique.ts";

const killable = LOOPS.filter((loop) => loop.workers === "processes");
const pooled = LOOPS.filter((loop) => loop.workers !== "none");
/** Without the dictionaries, which stand on these. */
const pools = pooled.filter(({ script }) => ["threads.ts", "processes.ts"].includes(script));
const alone = LOOPS.filter((loop) => loop.workers === "none");

for (const loop of killable) {
  test(`${nameOf(loop)}: kill -9 of one, two and all three costs six iterations`, async () => {
    const slow = await servePracticeApi({ latencyMs: 60_000 });
    const flags = ["-n", "60", "-w", "3", "--url", slow.url, ...loop.flags, "--json"];
    const running = start(`scripts/${loop.script}`, flags);
    const { child, ended, output } = running;
    let killed = 0;
    // All three, each replacement with a request of its own, and the dead ones' connections gone.
    const atWork = async () => {
      const { requests, inFlight } = await slow.stats();
      return requests === 3 + killed && inFlight === 3 && workersOf(running).length === 3;
    };
    for (const count of [1, 2, 3]) {
      await until(atWork);
      for (const pid of workersOf(running).slice(0, count)) process.kill(pid, "SIGKILL");
      killed += count;
    }
    await until(atWork);
    process.kill(child.pid!, "SIGINT"); // the rest would take minutes
    const { code, records } = await ended;
    const stats = await slow.stats();
    slow.stop();
    assert.equal(code, 130, output.stderr);
    checkRecord(records[0]!, 60);
    assert.deepEqual(records[0]!.errors, { WorkerDied: 6, AbortError: 54 });
    assert.equal(stats.requests, 9, "six that were lost, none of them sent again, and three more");
  });
}

for (const loop of pooled) {
  test(`${nameOf(loop)}: a worker's end costs its item, named with the reason`, async () => {
    const faults: Faults["faults"] = [
      [40, 5, "exit"],
      [40, 11, "throw outside"],
      [40, 17, "reject outside"],
    ];
    if (loop.workers === "threads") faults.push([40, 23, "fill the memory"]);
    const { stdout, code } = await run(
      `scripts/${loop.script}`,
      [...withBody("faults"), "-n", "40", "-w", "3", ...loop.flags],
      { ...faultsAre(faults, 1), NODE_OPTIONS: "--max-old-space-size=100" },
    );
    const lost = faults.length;
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`result +${40 - lost} ok, ${lost} failed`));
    assert.match(stdout, new RegExp(`errors +WorkerDied: ${lost}\n`));
    assert.match(stdout, /\n {2}item 5: (thread|process \d+) died: exit code 0 \(on item 5\)\n/);
    assert.match(stdout, /\n {2}item 11: (thread|process \d+) died: outside \(on item 11\)\n/);
    assert.match(stdout, /\n {2}item 17: (thread|process \d+) died: unhandled \(on item 17\)\n/);
  });

  test(`${nameOf(loop)}: a setup that throws is a clear error of the script`, async () => {
    const flags = [...withBody("setups"), "-n", "40", "-w", "1", ...loop.flags];
    const { code, stdout } = await run(`scripts/${loop.script}`, flags, { SETUP: "throws" });
    assert.equal(code, 1);
    assert.match(stdout, /0 ok, 40 failed/);
    assert.match(stdout, /\n {2}item 0: (thread|process \d+) died: no database \(at start\)\n/);
  });

  test(`${nameOf(loop)}: what a body sends to the parent is not taken for a result`, async () => {
    const { code, records, stderr } = await run(
      `scripts/${loop.script}`,
      [...withBody("faults"), "-n", "50", "-w", "2", ...loop.flags, "--json"],
      faultsAre([[1, 0, "lie"]]),
    );
    assert.equal(code, 0, stderr);
    assert.equal(records[0]!.ok, 50);
  });
}

for (const loop of pools) {
  test(`${nameOf(loop)}: a native crash ends ${loop.workers === "threads" ? "the program, and leaves nothing" : "its process, and costs its item"}`, async () => {
    const flags = [...withBody("faults"), "-n", "40", "-w", "3", ...loop.flags];
    const faults = faultsAre([[40, 5, "crash natively"]], 1);
    const running = start(`scripts/${loop.script}`, flags, faults);
    const { code, signal, stdout } = await running.ended;
    await noneLeft(running);
    if (loop.workers === "threads") return assert.equal(signal, "SIGSEGV");
    assert.equal(code, 1);
    assert.match(stdout, /39 ok, 1 failed/);
    return assert.match(stdout, /\n {2}item 5: process \d+ died: SIGSEGV \(on item 5\)\n/);
  });

  test(`${nameOf(loop)}: what the loop body prints is there in full`, async () => {
    const flags = [...withBody("faults"), "-n", "40", "-w", "2", ...loop.flags];
    const faults = faultsAre([[1, 0, "print 50 lines"]]);
    const { stdout } = await run(`scripts/${loop.script}`, flags, faults);
    assert.equal(stdout.split("a line of item").length - 1, 2000);
  });
}

test("a process sent something when it no longer listens died of what ended it", async () => {
  const { code, stdout } = await run(
    "scripts/processes.ts",
    [...withBody("faults"), "-n", "40", "-w", "2"],
    faultsAre([[40, 5, "stop listening"]], 1),
  );
  assert.equal(code, 1);
  assert.match(stdout, /39 ok, 1 failed/);
  assert.match(stdout, /\n {2}item 5: process \d+ died: exit code 3 \(on item 5\)\n/);
});

for (const { script } of LOOPS.slice(0, 4))
  for (const TEARDOWN of ["throws", "exits", "throws no text"])
    test(`${script}: a teardown that ${TEARDOWN} takes nothing from the record of what was done`, async () => {
      const flags = [...withBody("teardowns"), "-n", "40", "-w", "1", "--json"];
      const { code, records, stderr } = await run(`scripts/${script}`, flags, { TEARDOWN });
      assert.equal(code, 1);
      if (TEARDOWN === "exits" && alone.some((loop) => loop.script === script))
        return assert.equal(stderr, "error: the loop body ended the process, 40 of 40 done\n");
      checkRecord(records[0]!, 40);
      assert.equal(records[0]!.ok, 40);
      const shown = { throws: "still open", "throws no text": "{ toString: 1, valueOf: 2 }" };
      if (TEARDOWN !== "exits")
        assert.equal(stderr, `error: ${shown[TEARDOWN as keyof typeof shown]}\n`);
    });

test("a technique that throws is an error of its own, not the loop body's", async () => {
  const { code, stderr } = await run("test/programs/broken.ts", ["--work", "none", "-n", "5"]);
  assert.deepEqual([code, stderr], [1, "error: no memory\n"]);
});

for (const { script } of alone) {
  test(`${script}: an error that nothing catches ends the loop; what was done is reported`, async () => {
    const { code, records, stderr } = await run(
      `scripts/${script}`,
      [...withBody("faults"), "-n", "40", "-w", "2", "--json"],
      faultsAre([[40, 17, "throw outside"]]),
    );
    assert.equal(code, 1);
    assert.equal(stderr, "error: outside\n");
    checkRecord(records[0]!, 40);
    assert.ok(records[0]!.ok >= 17 && records[0]!.interrupted);
    assert.deepEqual(Object.keys(records[0]!.errors), ["Error"]);
  });

  test(`${script}: process.exit() in the body says that it ended the process`, async () => {
    const { code, stderr } = await run(
      `scripts/${script}`,
      [...withBody("faults"), "-n", "40", "-w", "1"],
      faultsAre([[40, 17, "exit"]]),
    );
    assert.equal(code, 1);
    assert.equal(stderr, "error: the loop body ended the process, 17 of 40 done\n");
    const inSetup = await run(`scripts/${script}`, withBody("setups"), { SETUP: "exits" });
    assert.equal(inSetup.stderr, "error: the loop body ended the process, 0 of 500 done\n");
  });

  test(`${script}: Ctrl-C again ends a setup that waits`, async () => {
    const { child, ended, output } = start(`scripts/${script}`, withBody("setups"), {
      SETUP: "waits",
    });
    await until(() => output.stderr.includes("waiting"));
    child.kill("SIGINT");
    await sleep(600); // sooner, it may be tsx that repeats the signal
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    assert.deepEqual([code, stderr], [130, "waiting\n"]);
  });

  test(`${script}: Ctrl-C waits for no iteration`, async () => {
    const flags = [...withBody("faults"), "-n", "40", "-w", "2", "--json"];
    const { child, ended } = start(
      `scripts/${script}`,
      flags,
      faultsAre([[40, 5, "print and wait"]]),
    );
    child.stdout!.once("data", () => child.kill("SIGINT"));
    const { code, stdout } = await ended;
    assert.equal(code, 130);
    assert.ok(JSON.parse(stdout.replace("waiting\n", "")).interrupted);
  });
}

for (const loop of LOOPS) {
  const key = loop.workers === "none" ? "Ctrl-\\" : "Ctrl-C";
  test(`${nameOf(loop)}: ${key} ends a body that never returns, leaves nothing`, async () => {
    const flags = [...withBody("faults"), "-n", "40", "-w", "2", ...loop.flags, "--json"];
    const hanging = Array.from({ length: 37 }, (_, index) => index + 3);
    const faults = faultsAre(hanging.map((item) => [40, item, "compute for ever"]));
    const running = start(`scripts/${loop.script}`, flags, faults);
    const { child, ended, output } = running;
    await until(() => output.stderr.split("caught ").length > (loop.workers === "none" ? 1 : 2));
    process.kill(-child.pid!, key === "Ctrl-C" ? "SIGINT" : "SIGQUIT");
    const sentMs = performance.now();
    const { code, signal, records } = await ended;
    assert.ok(performance.now() - sentMs < 2000);
    if (loop.workers === "none") {
      assert.equal(signal, "SIGQUIT"); // in this thread no handler gets a turn
    } else {
      assert.equal(code, 130);
      checkRecord(records[0]!, 40);
      assert.ok(records[0]!.ok <= 3 && records[0]!.interrupted);
    }
    await noneLeft(running);
  });
}

test("merge-dict: a worker killed in the middle loses what it was on, not what it had done", async () => {
  const slow = await servePracticeApi({ latencyMs: 40 });
  const flags = ["-n", "30", "-w", "2", "--url", slow.url, "--json"];
  const running = start("scripts/merge-dict.ts", flags);
  await until(async () => {
    const { requests, inFlight } = await slow.stats();
    return requests > 10 && inFlight === 2;
  });
  process.kill(workersOf(running)[0]!, "SIGKILL");
  const { code, records, stderr } = await running.ended;
  slow.stop();
  assert.equal(code, 1, stderr);
  checkRecord(records[0]!, 30);
  assert.deepEqual(records[0]!.errors, { WorkerDied: 1 });
  assert.equal(records[0]!.ok, 29);
  assert.equal(records[0]!.dictSize, 29);
});
