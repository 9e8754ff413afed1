// Programs with a loop that are started with flags of Node's, which workers do not all take.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { WebSocket } from "undici";
import { runtimeCommand } from "../../lib/runtime.ts";
import type { Job } from "../programs/loop.ts";
import { test } from "../support/call.ts";
import { until } from "../support/process.ts";

const KINDS = ["threads", "processes"] as const;

for (const kind of KINDS) {
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
