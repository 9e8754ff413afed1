// What a loop body can do to its worker, and what can be done to a worker from outside.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { startProcess } from "../../lib/workers/start.ts";
import { noneLeft, run, start, startApiScript, until, workersOf } from "../support/process.ts";
import { LOOPS, nameOf } from "../support/scripts.ts";
import { checkRecord } from "../support/technique.ts";
import { variantScript } from "../support/variant.ts";

const OUTSIDE = `setTimeout(() => { throw new Error("outside") }); await new Promise(() => {});`;
const killable = LOOPS.filter((loop) => loop.workers === "processes");
const pooled = LOOPS.filter((loop) => loop.workers !== "none");
const alone = LOOPS.filter((loop) => loop.workers === "none");

for (const loop of killable) {
  test(`${nameOf(loop)}: kill -9 of one, two and all three workers costs six iterations, others take their place`, async () => {
    const slow = await startApiScript(["--latency", "60000"]);
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
    await slow.stop();
    assert.equal(code, 130, output.stderr);
    checkRecord(records[0]!, 60);
    assert.deepEqual(records[0]!.errors, { WorkerDied: 6, AbortError: 54 });
    assert.equal(stats.requests, 9, "six that were lost, none of them sent again, and three more");
  });
}

for (const loop of pooled) {
  test(`${nameOf(loop)}: a body that ends its worker costs that iteration, named with item and reason`, async () => {
    const faults: Record<number, string> = {
      5: "process.exit();",
      11: OUTSIDE,
      17: `Promise.reject(new Error("unhandled")); await new Promise(() => {});`,
      ...(loop.workers === "threads" && {
        // What has been done is reported by then: out of memory, a thread takes its last 0.2 ms along.
        23: `await new Promise((resolve) => setImmediate(resolve));
             const all = []; for (;;) all.push(new Array(1e5).fill(item));`,
      }),
    };
    const script = variantScript(
      loop.script,
      `${Object.entries(faults)
        .map(([item, fault]) => `if (item === ${item}) { ${fault} }`)
        .join("\n")}
       await new Promise((resolve) => setTimeout(resolve, 1)); return item;`,
    );
    const { stdout, code } = await run(
      script,
      ["--work", "none", "-n", "40", "-w", "3", ...loop.flags],
      { NODE_OPTIONS: "--max-old-space-size=100" },
    );
    const lost = Object.keys(faults).length;
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`result +${40 - lost} ok, ${lost} failed`));
    assert.match(stdout, new RegExp(`errors +WorkerDied: ${lost}\n`));
    assert.match(stdout, /\n {2}item 5: (thread|process \d+) died: exit code 0 \(on item 5\)\n/);
    assert.match(stdout, /\n {2}item 11: (thread died: outside|process \d+ died: exit code 1) /);
    assert.match(stdout, /\n {2}item 17: (thread died: unhandled|process \d+ died: exit code 1) /);
  });

  for (const inFlight of [1, 2])
    test(`${nameOf(loop)}: a body that ends its worker takes nothing with it that was done, though not yet reported, nor more than ${inFlight} that it was on`, async () => {
      const script = variantScript(
        loop.script,
        "if (item % 1700 === 99) process.exit(); return item;",
      );
      const flags = ["--work", "none", "-n", "4000", "-w", "1", "-c", `${inFlight}`, ...loop.flags];
      const { code, records } = await run(script, [...flags, "--json"]);
      assert.equal(code, 1);
      const { ok, errors } = records[0]!;
      assert.deepEqual(Object.keys(errors), ["WorkerDied"]);
      assert.equal(ok + errors.WorkerDied!, 4000);
      assert.ok(
        errors.WorkerDied! >= 3 && errors.WorkerDied! <= 3 * inFlight,
        `${errors.WorkerDied}`,
      );
    });

  test(`${nameOf(loop)}: a body that ends its worker takes nothing with it that shares a message with what cannot be cloned`, async () => {
    const script = variantScript(
      loop.script,
      `if (item % 50 === 10) return () => {};
       if (item % 1000 === 711) process.exit();
       return item;`,
    );
    const flags = ["--work", "none", "-n", "4000", "-w", "1", ...loop.flags, "--json"];
    const { records } = await run(script, flags);
    const { ok, errors } = records[0]!;
    assert.equal(errors.WorkerDied, 4);
    assert.equal(ok, 4000 - 4 - 80);
  });

  test(`${nameOf(loop)}: a worker that ends between two iterations costs none that it had not begun`, async () => {
    const here = mkdtempSync(join(tmpdir(), "begun-"));
    const begun = join(here, "begun");
    const script = variantScript(
      loop.script,
      `process.getBuiltinModule("node:fs").appendFileSync(${JSON.stringify(begun)}, item + "\\n");
       if (item % 20 === 5) setImmediate(() => process.exit());
       if (item % 20 === 15) process.exit();
       await new Promise((resolve) => setTimeout(resolve, item % 3)); return item;`,
    );
    const flags = ["--work", "none", "-n", "80", "-w", "2", "-c", "3", ...loop.flags, "--json"];
    const { records } = await run(script, flags);
    const { ok, errors } = records[0]!;
    const lines = readFileSync(begun, "utf8").trim().split("\n");
    rmSync(here, { recursive: true });
    assert.equal(lines.length, 80, "each was begun once");
    assert.equal(new Set(lines).size, 80);
    assert.equal(ok + errors.WorkerDied!, 80);
  });

  test(`${nameOf(loop)}: native code that crashes ends ${loop.workers === "threads" ? "the program, and leaves nothing" : "its process, and costs that iteration"}`, async () => {
    const crash = `if (item === 5) { process.kill(process.pid, "SIGSEGV"); await new Promise(() => {}); }
      // By the clock: a timer of 1 ms may be over within 0.1 ms, and items so short travel in batches,
      // which are lost together.
      for (const begunMs = performance.now(); performance.now() - begunMs < 1; )
        await new Promise((resolve) => setTimeout(resolve, 1));
      return item;`;
    const flags = ["--work", "none", "-n", "40", "-w", "3", ...loop.flags];
    const running = start(variantScript(loop.script, crash), flags);
    const { code, signal, stdout } = await running.ended;
    await noneLeft(running);
    if (loop.workers === "threads") return assert.equal(signal, "SIGSEGV");
    assert.equal(code, 1);
    assert.match(stdout, /39 ok, 1 failed/);
    return assert.match(stdout, /\n {2}item 5: process \d+ died: SIGSEGV \(on item 5\)\n/);
  });

  test(`${nameOf(loop)}: what the loop body prints is there in full`, async () => {
    const script = variantScript(
      loop.script,
      `for (let line = 0; line < 50; line++) console.log("a line of item " + item); return item;`,
    );
    const flags = ["--work", "none", "-n", "40", "-w", "2", ...loop.flags];
    const { stdout } = await run(script, flags);
    assert.equal(stdout.split("a line of item").length - 1, 2000);
  });

  for (const [what, fault, why] of [
    ["exits", "process.exit(3);", "exit code 3"],
    ["throws", `throw new Error("no database");`, "(no database|exit code 1)"],
  ] as const)
    for (const workers of ["1", "4"])
      test(`${nameOf(loop)}: prepare that ${what}, on ${workers} workers, ends in a clear error`, async () => {
        const script = variantScript(loop.script, "return item;", (text) =>
          text.replace(/async function prepare.*\{/, (line) => `${line} ${fault}`),
        );
        const flags = ["--work", "none", "-n", "40", "-w", workers, ...loop.flags];
        const { code, stdout } = await run(script, flags);
        assert.equal(code, 1);
        assert.match(stdout, /0 ok, 40 failed/);
        assert.match(stdout, new RegExp(`item 0: .+ died: ${why} \\(at start\\)`));
      });

  test(`${nameOf(loop)}: no worker's prepare waits for another's to end`, async () => {
    const count = 2 * availableParallelism(); // more than are started at once
    const here = mkdtempSync(join(tmpdir(), "prepared-"));
    const wait = `const fs = await import("node:fs");
      fs.mkdtempSync(${JSON.stringify(`${here}/`)});
      while (fs.readdirSync(${JSON.stringify(here)}).length < ${count})
        await new Promise((resolve) => setTimeout(resolve, 5));`;
    const script = variantScript(loop.script, "return item;", (text) =>
      text.replace(/async function prepare.*\{/, (line) => line + wait),
    );
    const flags = ["--work", "none", "-n", "999", "-w", `${count}`, ...loop.flags];
    const { code, stderr } = await run(script, flags);
    rmSync(here, { recursive: true });
    assert.equal(code, 0, stderr);
  });

  test(`${nameOf(loop)}: what the body itself sends to the parent is not taken for a result`, async () => {
    const send = `const { parentPort } = await import("node:worker_threads");
      const say = (what: unknown) => parentPort ? parentPort.postMessage(what) : process.send!(what);`;
    const lies = [
      ...["null", "1", '"text"', "[]", "[{ index: 3 }]", "{ usage: {} }", "{ ready: true }"],
      ...["{ report: { index: 5, outcome: {} } }", "{ id: 0, reports: [], notBegun: [] }"],
      ...["{ message: [] }", "{ from: 1, reports: [{ index: 2, outcome: {} }] }"],
    ];
    const script = variantScript(
      loop.script,
      `${send} for (const lie of [${lies}]) say(lie); return item;`,
    );
    const flags = ["--work", "none", "-n", "50", "-w", "2", ...loop.flags, "--json"];
    const { code, records, stderr } = await run(script, flags);
    assert.equal(code, 0, stderr);
    assert.equal(records[0]!.ok, 50);
  });
}

test("a thread that is ended as it loads its file leaves the program as it was", async () => {
  const here = mkdtempSync(join(tmpdir(), "loading-"));
  // Nothing in there lets the thread end before its parse is over; then comes the module that awaits.
  writeFileSync(join(here, "long.mjs"), 'JSON.parse("[" + "1,".repeat(2e7) + "1]");');
  writeFileSync(
    join(here, "loading.mjs"),
    `import { parentPort } from "node:worker_threads";
     import "./long.mjs";
     queueMicrotask(() => parentPort.postMessage("loaded"));
     await new Promise((resolve) => setTimeout(resolve, 60_000));`,
  );
  const ending = join(here, "ending.ts");
  writeFileSync(
    ending,
    `import { startThread } from ${JSON.stringify(new URL("../../lib/workers/start.ts", import.meta.url).pathname)};
     const entry = new URL("loading.mjs", ${JSON.stringify(pathToFileURL(ending).href)});
     const thread = startThread({ entry, role: "loading", execArgv: [] }, () => {});
     setTimeout(() => thread.kill(), 150);
     void thread.ended.then(({ why }) => console.log(why));`,
  );
  const { code, signal, stdout, stderr } = await run(ending);
  rmSync(here, { recursive: true });
  assert.deepEqual([code, signal, stdout], [0, null, "exit code 1\n"], stderr);
});

test("a process that is sent something when it no longer listens died of what ended it", async () => {
  const here = mkdtempSync(join(tmpdir(), "deaf-"));
  const file = join(here, "deaf.mjs");
  writeFileSync(file, `process.disconnect(); setTimeout(() => process.exit(3), 1000);`);
  const child = startProcess({ entry: pathToFileURL(file), role: "deaf" }, () => {});
  await sleep(600);
  child.send("are you there?");
  assert.deepEqual(await child.ended, { why: "exit code 3" });
  rmSync(here, { recursive: true });
});

test("a technique that throws is an error of its own, not the loop body's", async () => {
  const script = variantScript("async.ts", "return item;", (text) =>
    text.replace(
      "technique: concurrently,",
      'technique: async () => { throw new Error("no memory"); },',
    ),
  );
  const { code, stderr } = await run(script, ["--work", "none", "-n", "5"]);
  assert.deepEqual([code, stderr], [1, "error: no memory\n"]);
});

for (const { script } of alone) {
  test(`${script}: an error that nothing catches ends the loop: what was done is reported, with the error`, async () => {
    const body = `if (item === 17) { ${OUTSIDE} } return item;`;
    const flags = ["--work", "none", "-n", "40", "-w", "2", "--json"];
    const { code, records, stderr } = await run(variantScript(script, body), flags);
    assert.equal(code, 1);
    assert.equal(stderr, "error: outside\n");
    checkRecord(records[0]!, 40);
    assert.ok(records[0]!.ok >= 17 && records[0]!.interrupted);
    assert.deepEqual(Object.keys(records[0]!.errors), ["Error"]);
  });

  test(`${script}: process.exit() in the body says that it ended the process`, async () => {
    const copy = variantScript(script, "if (item === 17) process.exit(); return item;");
    const { code, stderr } = await run(copy, ["--work", "none", "-n", "40", "-w", "1"]);
    assert.equal(code, 1);
    assert.equal(stderr, "error: the loop body ended the process, 17 of 40 done\n");
  });
}

for (const loop of LOOPS) {
  test(`${nameOf(loop)}: Ctrl-C ends a body that never returns, and leaves nothing`, async () => {
    const copy = variantScript(
      loop.script,
      `if (item < 3) return item;
       (await import("node:fs")).writeSync(2, "caught ");
       for (;;);`,
    );
    const flags = ["--work", "none", "-n", "40", "-w", "2", ...loop.flags, "--json"];
    const running = start(copy, flags);
    const { child, ended, output } = running;
    await until(() => output.stderr.split("caught ").length > (loop.workers === "none" ? 1 : 2));
    process.kill(-child.pid!, "SIGINT");
    const sentMs = performance.now();
    const { code, signal, records, stderr } = await ended;
    assert.ok(performance.now() - sentMs < 2000);
    if (loop.workers === "none") {
      assert.equal(signal, "SIGKILL");
      assert.match(stderr, /error: the loop body does not return: killed/);
    } else {
      assert.equal(code, 130);
      checkRecord(records[0]!, 40);
      assert.ok(records[0]!.ok <= 3 && records[0]!.interrupted);
    }
    await noneLeft(running);
  });
}
