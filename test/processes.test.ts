import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLine, descendants, start, startApiScript, until } from "./support/process.ts";
import { checkRecord, testTechnique } from "./support/technique.ts";
import { variant } from "./support/variant.ts";

testTechnique("processes", "inProcesses");

const items = Array.from({ length: 40 }, (_, index) => index);

for (const [how, fault] of [
  ["SIGKILL", `process.kill(process.pid, "SIGKILL"); await new Promise(() => {});`],
  ["process.exit()", "process.exit();"],
  [
    "a throw outside the body's promise",
    `setTimeout(() => { throw new Error("outside") }); await new Promise(() => {});`,
  ],
] as const) {
  test(`processes: a process that dies (${how}) costs one iteration`, async () => {
    const body = `if (item === 17) { ${fault} } await new Promise((resolve) => setTimeout(resolve, 2)); return item;`;
    const inProcesses = await variant("processes.ts", "inProcesses", body);
    const results = await inProcesses(items, { workers: 3 });
    for (const [index, result] of results.entries()) {
      if (index !== 17) assert.deepEqual(result, { status: "fulfilled", value: index });
    }
    const { reason } = results[17] as PromiseRejectedResult;
    assert.equal(reason.name, "WorkerDied");
    assert.match(reason.message, /process \d+ died: .+ \(on item 17\)/);
  });
}

for (const inFlight of [1, 3]) {
  test(`processes: kill -9 in the middle costs ${inFlight} iteration(s), one per slot in flight`, async () => {
    const slow = await startApiScript(["--latency", "40"]);
    const flags = ["-n", "120", "-w", "2", "-c", `${inFlight}`, "--url", slow.url, "--json"];
    const { child, ended, output } = start("scripts/processes.ts", flags);
    const workers = () =>
      descendants(child.pid!).filter((pid) => commandLine(pid).includes("--a-worker-of"));
    await until(
      async () => workers().length === 2 && (await slow.stats()).inFlight === 2 * inFlight,
    );
    process.kill(workers()[0]!, "SIGKILL");
    const { code, records } = await ended;
    await slow.stop();
    assert.equal(code, 1, output.stderr);
    checkRecord(records[0]!, 120);
    assert.deepEqual(records[0]!.errors, { WorkerDied: inFlight });
    assert.equal(records[0]!.ok, 120 - inFlight);
  });
}

test("processes: processes that die at their start end in a clear error", async () => {
  const inProcesses = await variant("processes.ts", "inProcesses", "return item;");
  const entry = new URL("./no-such-file.ts", import.meta.url);
  const results = await inProcesses(items, { workers: 4, entry });
  assert.ok(
    results.every(
      (one) => one.status === "rejected" && /exit code 1 \(at start\)/.test(one.reason.message),
    ),
  );
});

test("processes: a value that cannot be cloned fails its own iteration", async () => {
  const inProcesses = await variant(
    "processes.ts",
    "inProcesses",
    "return item % 10 === 5 ? () => {} : item;",
  );
  const results = await inProcesses(
    Array.from({ length: 2000 }, (_, index) => index),
    { workers: 2 },
  );
  for (const [index, result] of results.entries()) {
    assert.equal(result.status, index % 10 === 5 ? "rejected" : "fulfilled", `item ${index}`);
  }
});
