// How programs end in the middle of a loop, and what workers print before their own end.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { Rule } from "../bodies/rules.ts";
import type { Job } from "../programs/loop.ts";
import { test, upTo } from "../support/call.ts";
import { noneLeft, start, until } from "../support/process.ts";

const folder = mkdtempSync(join(tmpdir(), "endings-"));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = () => join(folder, `${files++}`);
const KINDS = ["threads", "processes"] as const;
const PROGRAM = "test/programs/loop.ts";

for (const kind of KINDS) {
  for (const [how, status] of [
    ["Ctrl-C", 130],
    ["Ctrl-C, which it hears and exits on,", 130],
    ["a hang-up of its terminal", 129],
    ["an error that nothing catches", 1],
    ["a rejection that nothing catches", 1],
    ["process.exit()", 5],
  ] as const)
    for (const [what, atWork] of [
      ["compute", { computesMs: 20_000 }],
      ["wait", { hangsMs: 20_000 }],
    ] as const)
      test(`${kind}: after ${how} while bodies ${what}, no worker is left`, async () => {
        const file = newFile();
        const job: Job = {
          kind,
          items: 10,
          rules: [{ from: 0, to: 9, writesTo: file, ...atWork }],
        };
        if (how.startsWith("an error")) job.ends = { how: "throws", lines: 2, file };
        if (how.startsWith("a reject")) job.ends = { how: "rejects", lines: 2, file };
        if (how.startsWith("process")) job.ends = { how: "exits", lines: 2, file };
        if (how.includes("hears")) job.onInterrupt = "exits";
        const running = start(PROGRAM, [JSON.stringify(job)]);
        if (!job.ends) {
          await until(() => existsSync(file) && readFileSync(file, "utf8").length >= 4);
          // As a terminal does it: all processes of the group get it.
          process.kill(-running.child.pid!, how.startsWith("Ctrl-C") ? "SIGINT" : "SIGHUP");
        }
        const ended = await running.ended;
        assert.equal(ended.status, status, ended.stderr);
        await noneLeft(running);
      });

  test(`${kind}: killed itself, it leaves no worker that waits`, async () => {
    const file = newFile();
    const rule: Rule = { from: 0, to: 9, writesTo: file, hangsMs: 20_000 };
    const running = start(PROGRAM, [
      JSON.stringify({ kind, items: 10, rules: [rule] } satisfies Job),
    ]);
    await until(() => existsSync(file) && readFileSync(file, "utf8").length >= 4);
    running.child.kill("SIGKILL");
    await running.ended;
    await noneLeft(running);
  });

  // More than a pipe holds, but where a process ends itself or is killed: Node loses what it has not
  // written by then. The program first prints meanwhile: it opens the same pipe as its workers.
  for (const [how, end, ok] of [
    ["an orderly end", {}, 4],
    ["process.exit()", { exits: 0 }, 3],
    ["an error in a timer", { throwsLater: "outside", hangsMs: 20_000 }, 3],
    ["a late end, as it hangs", { hangsMs: 20_000 }, 3],
    ["a late end, as it computes", { computesMs: 60_000 }, 3],
  ] as const)
    for (const lines of how.startsWith("a late") ? [6000] : [200, 6000])
      test(`${kind}: ${lines} lines printed before ${how} are all there`, async () => {
        const file = newFile();
        const job: Job = {
          ...{ kind, items: 4, workers: 1, ends: { how: "prints", lines: 1, file } },
          rules: [
            { from: 1, writesTo: file, waitsMs: 300 },
            { from: 2, prints: lines, printsErrors: 200, ...end },
          ],
          ...(how.startsWith("a late") && { itemTimeoutMs: 5000 }),
        };
        const running = start(PROGRAM, [JSON.stringify(job)]);
        running.child.stdout!.pause(); // the pipe is full for a while
        await until(() => existsSync(file));
        setTimeout(() => running.child.stdout!.resume(), 600);
        const { stdout, stderr } = await running.ended;
        for (const [stream, text, count] of [
          ["stdout", stdout, lines],
          ["stderr", stderr, 200],
        ] as const) {
          const there = text.split("\n").filter((line) => line.startsWith("item 2, "));
          assert.equal(there.length, count, stream);
          assert.deepEqual(
            there,
            upTo(count).map((line) => `item 2, line ${line}`),
          );
        }
        // Of a thread's many lines, the last may come after what the program itself printed.
        assert.match(stdout, new RegExp(`^${ok} ok, ${4 - ok} failed$`, "m"));
      });
}
