// What the scripts tell of a run is what was: in cases in which it is easy to say something else.

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { runtimeCommand } from "../../lib/runtime.ts";
import { check } from "../support/checker.ts";
import { serveHttp } from "../support/counting-api.ts";
import { run, start, until } from "../support/process.ts";

/** An API that is told by the item and by how often that came before what to do. */
async function serve(act: (response: ServerResponse, item: number, before: number) => void) {
  const seen = new Map<number, number>();
  const url = await serveHttp(async (request, response) => {
    const { request: item } = JSON.parse(await text(request));
    const before = seen.get(item) ?? 0;
    seen.set(item, before + 1);
    act(response, item, before);
  });
  const total = () => [...seen.values()].reduce((sum, count) => sum + count, 0);
  return { flags: ["--url", url], total };
}

const refuse = (response: ServerResponse) => response.writeHead(429, { "Retry-After": "0" }).end();
const answer = (response: ServerResponse) => response.writeHead(201).end();

for (const [technique, flags] of [
  ["async", []],
  ["threads", []],
  ["processes", []],
  ["shared-dict", ["--with", "threads"]],
  ["merge-dict", []],
] as const) {
  test(`${[technique, ...flags].join(" ")}: requests that were sent again are counted`, async () => {
    const api = await serve((response, item, before) =>
      before < item % 3 ? refuse(response) : answer(response),
    );
    const { records, stderr } = await run(`scripts/${technique}.ts`, [
      ...["-n", "10", "-w", "2", "--retries", "5", "--json"],
      ...api.flags,
      ...flags,
    ]);
    assert.equal(records[0]?.ok, 10, stderr);
    assert.equal(records[0].retried, 9);
    assert.equal(api.total(), 19);
  });
}

test("retries: a connection that was lost counts, and what was given up; the report says it", async () => {
  const api = await serve((response, item) => (item === 1 ? response.destroy() : answer(response)));
  const flags = ["-n", "3", "-w", "1", "--retries", "2", ...api.flags];
  const { stdout, code } = await run("scripts/threads.ts", flags);
  assert.match(stdout, /2 ok, 1 failed\n[\s\S]*\nretries {4}2, each of them a POST more\n/);
  assert.equal(code, 1);
  assert.equal(api.total(), 5);
});

test("retries: compare.ts counts them, on the page and in what it saves", async () => {
  const api = await serve((response, item, before) =>
    before % 2 === 0 && item < 2 ? refuse(response) : answer(response),
  );
  const flags = ["-t", "async,threads", "-n", "4", "-w", "2", "--retries", "2", ...api.flags];
  const { stdout } = await run("scripts/compare.ts", flags);
  assert.match(stdout, /4 POSTs more were sent, by --retries\./);
  assert.equal(api.total(), 12);
});

test("retries: none are spoken of where none may be; none are made up where none were", async () => {
  const api = await serve(answer);
  for (const [more, retried] of [
    [[], undefined],
    [["--retries", "3"], 0],
  ] as const) {
    const flags = ["-n", "3", "--json", ...more, ...api.flags];
    const { records } = await run("scripts/async.ts", flags);
    assert.equal(records[0]?.retried, retried);
  }
});

test("retries: those before Ctrl-C are counted", async () => {
  const api = await serve((response, item, before) =>
    item > 3 ? undefined : before === 0 ? refuse(response) : answer(response),
  );
  const flags = ["-n", "9", "-w", "2", "--retries", "3", "--json", ...api.flags];
  const script = start("scripts/processes.ts", flags);
  await until(() => api.total() === 10);
  script.child.kill("SIGINT");
  const { records } = await script.ended;
  assert.equal(records[0]?.retried, 4);
  assert.equal(records[0].interrupted, true);
});

const clock = new URL("../programs/clock-steps.mjs", import.meta.url).href;
for (const [technique, steppedMs, isKnown] of [
  ["processes", -200, false],
  ["merge-dict", 200, false],
  ["threads", -200, true],
  ["async", 200, true],
] as const) {
  test(`${technique}: with a clock that stepped by ${steppedMs} ms, no time is told that is none`, async () => {
    const env = { NODE_OPTIONS: `--import=${clock}`, STEPPED_MS: `${steppedMs}` };
    const flags = ["-n", "4", "-w", "2", "--latency", "5", "--timeline"];
    const { records } = await run(`scripts/${technique}.ts`, [...flags, "--json"], env);
    const { ok, startupMs, clockMovedMs, timeline, ms, p50Ms = 0 } = records[0]!;
    assert.equal(ok, 4);
    assert.ok(p50Ms >= 4 && p50Ms < ms, `median ${p50Ms} of ${ms}`);
    if (isKnown) {
      assert.ok(startupMs! >= 0 && startupMs! < ms, `start-up ${startupMs} of ${ms}`);
      assert.equal(clockMovedMs, undefined);
    } else {
      assert.ok(Math.abs(clockMovedMs! - steppedMs) < 50, `${clockMovedMs}`);
      assert.deepEqual([startupMs, timeline], [undefined, undefined]);
      const { stdout } = await run(`scripts/${technique}.ts`, flags, env);
      assert.match(stdout, /\nstart-up +unknown: the clock moved by \d/);
    }
  });
}

/** Runs a shell's command line, in which `run NAME ...` runs a script. */
function shell(line: string, env: Record<string, string> = {}) {
  const quoted = runtimeCommand.map((part) => `'${part}'`).join(" ");
  const whole = `run() { file=$1; shift; ${quoted} "scripts/$file.ts" "$@"; }\n${line}`;
  const options = { env: { ...process.env, NO_COLOR: "1", ...env } };
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) =>
    execFile("/bin/sh", ["-c", whole], options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    ),
  );
}

for (const line of [
  "async -n 3 --work none",
  "processes -n 3 --work none --json",
  "compare -n 3 -t async --work none",
  "compare -n 3 -t async --work none --json",
  "compare --help",
  "api --max-requests 1",
]) {
  const skip = process.platform !== "linux" && "there is no /dev/full";
  test(`${line}: a full disk is one line and exit status 1`, { skip }, async () => {
    const { code, stderr } = await shell(`run ${line} > /dev/full`);
    assert.match(stderr, /(^|\n)error: cannot print: ENOSPC: no space left on device, write\n$/);
    assert.doesNotMatch(stderr, /\n {4}at /);
    assert.equal(code, 1);
  });

  if (line.startsWith("api")) continue; // it goes on for others than the one that read its address
  test(`${line}: a reader who is gone is no error`, async () => {
    const { stderr } = await shell(`run ${line} | true`);
    assert.doesNotMatch(stderr, /error|EPIPE/);
  });
}

const hasScript = spawnSync("script", ["--version"]).stdout?.includes("util-linux");
for (const line of ["threads -n 400 -w 2", "compare -t async,threads -n 5,50,500"]) {
  const skip = !hasScript && "needs script(1) of util-linux for a terminal";

  test(`${line}: in a narrow terminal, progress is one line that is written over`, {
    skip,
  }, async () => {
    const { stdout } = await inTerminal(line, { columns: 24 });
    const progress = stdout.split("\r\x1b[K").slice(1, -1); // the last has the output behind it
    assert.ok(progress.length > 0, stdout);
    for (const shown of progress) assert.match(shown, /^[^\r\n]{1,23}$/);
  });

  test(`${line}: a dumb terminal is sent no escape codes`, { skip }, async () => {
    const { stdout } = await inTerminal(line, { columns: 80, TERM: "dumb" });
    assert.match(stdout, /ideal/);
    assert.ok(!stdout.includes("\x1b"), stdout);
  });
}

/** Runs a script in a terminal, and gives all that it was sent. */
function inTerminal(line: string, { columns, ...env }: { columns: number; TERM?: string }) {
  const quoted = runtimeCommand.map((part) => `"${part}"`).join(" ");
  const command = `stty cols ${columns}; unset NO_COLOR; ${quoted} scripts/${line.replace(" ", ".ts ")}`;
  return shell(`script -qec '${command}' /dev/null`, { TERM: "xterm", ...env });
}

test("compare.ts: without a terminal, a line a run says what was done of it", async () => {
  const api = await serve((response, item) => (item === 2 ? refuse(response) : answer(response)));
  const flags = ["-t", "async,threads", "-n", "3,9", "-w", "2", ...api.flags];
  const { stderr } = await run("scripts/compare.ts", flags);
  const lines = stderr.split("\n").map((each) => each.replace(/ in [\d.]+ m?s$/, " in TIME"));
  assert.deepEqual(lines, [
    "4 runs",
    "1 of 4: async x2, 2 of 3 ok in TIME",
    "2 of 4: async x2, 8 of 9 ok in TIME",
    "3 of 4: threads x2, 2 of 3 ok in TIME",
    "4 of 4: threads x2, 8 of 9 ok in TIME",
    "",
  ]);
});

test("timeline: workers that got nothing count in what a worker was busy on average", async () => {
  for (const [requests, workers] of [
    ["4", "8"],
    ["1", "6"],
  ] as const) {
    const flags = ["-n", requests, "-w", workers, "--latency", "40", "--timeline"];
    const { stdout } = await run("scripts/threads.ts", flags);
    const shares = [...stdout.matchAll(/^ *\d+ .* (\d+) %$/gm)].map(([, share]) => Number(share));
    const [, of, average] = stdout.match(/(\d+) workers.* (\d+) %/) ?? [];
    assert.deepEqual([of, shares.length > 0], [workers, true], stdout);
    const busy = shares.reduce((sum, share) => sum + share, 0) / Number(workers);
    assert.ok(Math.abs(busy - Number(average)) <= 1, stdout);
  }
});

const folder = mkdtempSync(join(tmpdir(), "reports-"));
after(() => rmSync(folder, { recursive: true }));
let posts = 0;
for (const [what, flags, act] of [
  ["an API that refuses from item 6 on", ["-n", "3,6,9"], (_: number) => _ >= 6],
  ["one POST of all that fails", ["-n", "4,8", "--runs", "3"], () => ++posts === 20],
  ["an API that refuses all", ["-n", "2,4"], () => true],
  ["numbers of workers", ["-n", "12", "-w", "1,2,4", "--runs", "2"], () => false],
  ["more workers than items", ["-n", "1", "-w", "8"], () => false],
] as const) {
  test(`compare.ts: of ${what}, each figure and sentence is borne out by what it saved`, async () => {
    const api = await serve((response, item) =>
      act(item) ? refuse(response) : void setTimeout(answer, 5, response),
    );
    const file = join(folder, `${flags.join("")}.json`);
    const techniques = ["-t", "sequential,async,threads", "--export-json", file];
    const all = [...techniques, ...api.flags, ...flags];
    const { stdout, stderr } = await run("scripts/compare.ts", all, { COLUMNS: "120" });
    assert.match(stdout, /sequential/, stderr);
    check(readFileSync(file, "utf8"), stdout.trimEnd());
  });
}
