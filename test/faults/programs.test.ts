// Programs with several loops, flags and odd places, and with a loop where none should be.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { WebSocket } from "undici";
import { readsTypeScript, runtimeCommand } from "../../lib/runtime.ts";
import type { Job } from "../programs/loop.ts";
import { test } from "../support/call.ts";
import { noneLeft, run, start, until } from "../support/process.ts";
import { makeProject, programText, techniqueText } from "../support/project.ts";
import { testOwnCall } from "../support/technique.ts";

const folder = mkdtempSync(join(tmpdir(), "programs-"));
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
  const native = spawnSync("node24", ["--version"]).status === 0 ? [["node24"]] : [];
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

  const job: Job = { kind, items: 3, rules: [] };
  const program = fileURLToPath(new URL("../programs/loop.ts", import.meta.url));

  for (const flag of ["--inspect=0", "--inspect-brk=0", "--inspect-wait=0"])
    if (process.allowedNodeEnvironmentFlags.has(flag.replace("=0", "")))
      test(`${kind}: ${flag} in the flags of the program does no harm`, async () => {
        // With another that workers do not take.
        const [command, ...flags] = [...runtimeCommand, "--title=debugged", flag];
        const child = spawn(command!, [...flags, program, JSON.stringify(job)]);
        let stdout = "";
        let stderr = "";
        child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
        child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
        const code = new Promise((resolve) => child.on("close", resolve));
        try {
          await until(() => /ws:\/\/\S+/.test(stderr));
          const debuggerSocket = new WebSocket(/ws:\/\/\S+/.exec(stderr)![0]);
          // Again and again: sent before the program waits, it would be in vain.
          const letRun = setInterval(() => {
            if (debuggerSocket.readyState === WebSocket.OPEN)
              debuggerSocket.send('{ "id": 1, "method": "Runtime.runIfWaitingForDebugger" }');
          }, 100);
          await until(() => stdout.includes("\n"), 30_000).finally(() => clearInterval(letRun));
          debuggerSocket.close();
          assert.equal(await code, 0, stderr);
          assert.equal(stdout, "3 ok, 0 failed\n");
        } finally {
          child.kill("SIGKILL");
        }
      });

  for (const flags of [
    ["--input-type=module", "-e"],
    ["--input-type=module", "--eval"],
    ["--input-type", "module", "--title=evaluated", "-e"],
    ["-p"],
  ])
    test(`${kind}: ${flags.join(" ")} in the flags of the program does no harm`, () => {
      const [command, ...others] = runtimeCommand;
      const code = `import(${JSON.stringify(new URL("../programs/loop.ts", import.meta.url).href)})`;
      const { stdout, stderr } = spawnSync(
        command!,
        [
          ...others,
          ...flags,
          flags[0] === "-p" ? `void ${code}` : `await ${code}`,
          JSON.stringify(job),
        ],
        { encoding: "utf8", timeout: 60_000 },
      );
      assert.match(stdout, /^(undefined\n)?3 ok, 0 failed\n(undefined\n)?$/, stderr);
    });
}

// Of threads.ts and processes.ts, their own files try it.
for (const kind of KINDS) {
  testOwnCall("shared-dict.ts", "intoSharedDict", "new Map(), ", { with: kind });
  testOwnCall("merge-dict.ts", "intoMergedDict", "new Map(), ", { with: kind });
}
testOwnCall("shared-memory.ts", "intoSharedMemory", "dictMemory(9), ");
