// What depends on how the runtime loads TypeScript. Where it does not itself, as Node 20, bodies are bundled,
// and the workers of a copy load tsx: .ci/run tries these, and copies.test.ts and machine.test.ts, there as well.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readsTypeScript, runtimeCommand } from "../../lib/runtime.ts";
import type { Job } from "../programs/loop.ts";
import { test } from "../support/call.ts";
import {
  commandLine,
  descendants,
  noneLeft,
  run,
  start,
  until,
  withBody,
} from "../support/process.ts";
import { makeProject, programText, techniqueText } from "../support/project.ts";
import { LOOPS, nameOf } from "../support/scripts.ts";
import { checkRecord } from "../support/technique.ts";

const folder = mkdtempSync(join(tmpdir(), "loading-"));
after(() => rmSync(folder, { recursive: true }));
const KINDS = ["threads", "processes"] as const;
const ok = (...values: unknown[]) => values.map((value) => ({ status: "fulfilled", value }));

const FLAT = Object.fromEntries(
  KINDS.flatMap((kind) => [
    [`first, ${kind}`, ok("first 2", "first 4", "first 6")],
    [`second, ${kind}`, ok("second 3", "second 5", "second 7")],
  ]),
);
const NESTED = Object.fromEntries(
  KINDS.flatMap((kind) =>
    KINDS.map((inner) => [`${inner} in ${kind}`, ok(["first 20", "first 22", "second 21"])]),
  ),
);

test("programs: two modules that share a function, and nested loops, each run their own body", async () => {
  const { stdout, stderr } = await run("test/programs/loops.ts");
  assert.deepEqual(JSON.parse(stdout || stderr), { ...FLAT, ...NESTED });
});

/** The programs with loops, the first with one copy of the techniques, the others with another. */
function loopPrograms() {
  return {
    "a-threads.ts": techniqueText("threads.ts"),
    "a-processes.ts": techniqueText("processes.ts"),
    "b-threads.ts": techniqueText("threads.ts"),
    "b-processes.ts": techniqueText("processes.ts"),
    "first-loop.ts": programText("first-loop.ts", "./a-"),
    "second-loop.ts": programText("second-loop.ts", "./b-"),
    "nested-loop.ts": programText("nested-loop.ts", "./b-"),
    "loops.ts": programText("loops.ts", "./"),
  };
}

test("programs: so they do with two copies of the techniques", async () => {
  const { stdout, stderr } = await run(join(makeProject(loopPrograms()), "loops.ts"));
  assert.deepEqual(JSON.parse(stdout || stderr), { ...FLAT, ...NESTED });
});

test("programs: copies run in a folder of any name", async () => {
  const native = process.env.NATIVE_NODE ? [[process.env.NATIVE_NODE]] : [];
  const commands = readsTypeScript ? [runtimeCommand] : [runtimeCommand, ...native];
  for (const name of [`a b#c 100% %20 äöü ß 'g' "h" \`i\` $j`, "k?l"])
    for (const [command, ...flags] of commands) {
      if (name.includes("?") && flags.includes("tsx")) continue; // it does not load them
      const main = join(makeProject(loopPrograms(), name), "loops.ts");
      const options = { encoding: "utf8", timeout: 60_000 } as const;
      const args = [...flags, main, "not nested"];
      const { stdout, stderr } = spawnSync(command!, args, options);
      assert.deepEqual(JSON.parse(stdout || "{}"), FLAT, `${name}, ${command}: ${stderr}`);
    }
});

for (const kind of KINDS) {
  for (const how of ["at its top level", "at once", "a while later"])
    test(`${kind}: a module that starts its own loop, ${how}, starts no endless chain`, async () => {
      const loads = join(folder, `${kind} ${how}`);
      const env = { KIND: kind, LOADS: loads, HOW: how };
      const running = start("test/programs/own-loop.ts", [], env);
      const { stdout, stderr, code } = await running.ended;
      await noneLeft(running);
      const lines = stdout.trim().split("\n");
      assert.deepEqual([code, lines.length], [0, 4], stderr);
      if (how !== "a while later")
        for (const line of lines) assert.match(line, /^rejected .*Cannot start a loop while /);
      const depths = readFileSync(loads, "utf8").trim().split("\n").map(Number);
      assert.equal(Math.max(...depths), 1, `loaded in workers of workers: ${depths}`);
      assert.ok(depths.length <= 12, `loaded ${depths.length} times`);
    });

  test(`${kind}: Ctrl-C while workers start leaves none`, async () => {
    for (const afterMs of [0, 60, 150, 300]) {
      const job: Job = { kind, items: 9, rules: [{ from: 0, to: 8, computesMs: 20_000 }] };
      const running = start("test/programs/loop.ts", [JSON.stringify(job)]);
      await until(() => running.left().length > 0);
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      process.kill(-running.child.pid!, "SIGINT");
      assert.equal((await running.ended).status, 130);
      await noneLeft(running);
    }
  });
}

for (const loop of LOOPS)
  for (const afterMs of [0, 250]) {
    test(`${nameOf(loop)}: Ctrl-C ${afterMs} ms into its start exits 130 and leaves nothing`, async () => {
      const running = start(`scripts/${loop.script}`, ["-n", "5000", "--json", ...loop.flags]);
      const { child, ended, output } = running;
      await until(() => descendants(child.pid!).length > 0);
      await sleep(afterMs);
      process.kill(-child.pid!, "SIGINT");
      const { code, records } = await ended;
      assert.equal(code, 130, output.stderr);
      checkRecord(records[0]!, 5000);
      await noneLeft(running);
    });
  }

for (const name of ["async", "threads", "processes"])
  test(`${name}: Ctrl-C under the tsx command is reported, also while many workers start`, async () => {
    const waits = [0, 200, 400, 800];
    let reports = 0;
    // What gets no processor for 60 ms, as it may be beside other tests, tsx kills before it can report.
    for (let tried = 0; reports < waits.length && tried < 2 * waits.length; tried++) {
      const flags = ["-n", "20000", "-w", "16", "--latency", "50", "--json"];
      const running = start("node_modules/tsx/dist/cli.mjs", [`scripts/${name}.ts`, ...flags]);
      const { child, ended } = running;
      await until(() => descendants(child.pid!).some((pid) => commandLine(pid).includes("api.ts")));
      await sleep(waits[tried % waits.length]);
      process.kill(-child.pid!, "SIGINT");
      const { status, records } = await ended;
      assert.equal(status, 130);
      for (const record of records) checkRecord(record, 20_000);
      reports += records.length;
      await noneLeft(running);
    }
    assert.equal(reports, waits.length);
  });

test("a thread that is ended as it loads its body leaves the program as it was", async () => {
  // Nothing in there lets a thread end before the parse is over; then comes the module that awaits.
  const env = { TIMES: "4", STEP_MS: "150", LONG: "2e7" };
  const { code, signal, stdout, stderr } = await run("test/programs/aborts.ts", [], env);
  assert.deepEqual([code, signal], [0, null], stderr);
  assert.equal(stdout, "rejected,rejected\n".repeat(4));
});

for (const script of ["async", "threads"])
  test(`${script}: a body that cannot be loaded is one line, exit status 2, and nothing is run`, async () => {
    for (const [name, expected] of [
      ["no-default", /cannot load ".*": it has no default function/],
      ["load-throws", /cannot load ".*": /],
      ["load-exits", /".*" ended the process as it was loaded/],
    ] as const) {
      const { code, stdout, stderr } = await run(`scripts/${script}.ts`, withBody(name));
      assert.equal(code, 2, `${name}: ${stderr}`);
      assert.match(stderr, new RegExp(`^error: --body: ${expected.source}[^\n]*\n$`));
      assert.equal(stdout, "");
    }
  });

/** How a call of each technique begins. */
const CALLS: Record<string, string> = {
  "threads.ts": "inThreads(",
  "processes.ts": "inProcesses(",
  "shared-dict.ts": "intoSharedDict(new Map(), ",
  "shared-memory.ts": "intoSharedMemory(dictMemory(9), ",
  "merge-dict.ts": "intoMergedDict(new Map(), ",
};

// Python's missing `if __name__ == "__main__"`.
for (const loop of LOOPS.filter(({ workers }) => workers !== "none"))
  test(`${nameOf(loop)}: a call in the copied file itself is not made again by its workers`, async () => {
    const call = `
      import { appendFileSync } from "node:fs";
      { // with names of its own
      appendFileSync(new URL("loads", import.meta.url), ".");
      process.env.DEPTH = String(Number(process.env.DEPTH ?? 0) + 1);
      if (process.env.DEPTH === "4") process.exit(9); // or there would be ever more processes
      const options = { workers: 2, with: "${loop.flags[1]}" };
      const body = new URL("./body.ts", import.meta.url);
      const results = await ${CALLS[loop.script]}[1, 2, 3, 4], body, options as never);
      console.log("called", results);
      process.exit();
      }`;
    const project = makeProject({
      "threads.ts": techniqueText("threads.ts"),
      "processes.ts": techniqueText("processes.ts"),
      [loop.script]: techniqueText(loop.script) + call,
      "body.ts":
        "export default (item) => new Promise((end) => setTimeout(end, 500, [[item, 1]]));",
    });
    const { stdout, stderr } = await run(join(project, loop.script));
    const loads = readFileSync(join(project, "loads"), "utf8").length;
    assert.equal(stdout.split("called").length, 2, stdout + stderr);
    // Either its workers do not load this file, or that is what they say.
    const done = stdout.split("fulfilled").length - 1;
    const refused = stdout.split(/reason:.*Cannot start a loop while/).length - 1;
    assert.ok(done === 4 || refused === 4, stdout);
    assert.ok(loads <= 1 + 2 * availableParallelism(), `loaded ${loads} times`);
  });
