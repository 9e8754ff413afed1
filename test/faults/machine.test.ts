// What the machine can do to a script: too little of everything, odd places, odd environments.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtimeCommand } from "../../lib/runtime.ts";
import { servePracticeApi } from "../support/counting-api.ts";
import { run } from "../support/process.ts";
import { nameOf, SCRIPTS } from "../support/scripts.ts";
import { checkRecord } from "../support/technique.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "machine-"));
after(() => rmSync(folder, { recursive: true, force: true }));
// tsx by its whole path: a bare name is looked up from the working directory.
const command = runtimeCommand.map((part) => (part === "tsx" ? import.meta.resolve("tsx") : part));
const quoted = command.map((part) => `'${part}'`).join(" ");

/** Runs a shell's command line, in which $RUN runs a script of the project. */
function shell(
  line: string,
  { env = {}, cwd = root }: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
) {
  const child = spawn(
    "/bin/sh",
    ["-c", `run() { file=$1; shift; ${quoted} "${root}scripts/$file.ts" "$@"; }\n${line}`],
    {
      cwd,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => (stdout += text));
  child.stderr.on("data", (text) => (stderr += text));
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

test("too few file descriptors fail iterations or the script, by name, and hang nothing", async () => {
  const api = await servePracticeApi({ latencyMs: 30 });
  for (const [script, workers] of [
    ["async", "-w 200"],
    ["threads", "-w 60 -c 8"], // however few of them can be started, they want more connections
    ["processes", "-w 60"],
  ] as const) {
    const flags = `-n 400 ${workers} --json --url ${api.url}`;
    const { code, stdout, stderr } = await shell(`ulimit -n 64; run ${script} ${flags}`);
    if (stdout === "") {
      assert.equal(code, 1, script);
      assert.match(stderr, /^error: .*\n$/, script); // not even a worker's file could be made
      continue;
    }
    const record = JSON.parse(stdout);
    checkRecord(record, 400);
    assert.equal(code, record.failed > 0 ? 1 : 0, script);
    // As long as some processes can be started, they do the work of all.
    if (script !== "processes") assert.ok(record.failed > 0, script);
    // The third is what Node says of a package.json that it cannot open.
    for (const reason of Object.keys(record.errors))
      assert.match(reason, /EMFILE|WorkerDied|ERR_INVALID_PACKAGE_CONFIG|UND_ERR/);
  }
  api.stop();
});

for (const technique of ["processes", "shared-dict"]) {
  test(`${technique}: where no process can start, that is the error, and no kill hits another`, async () => {
    const { code, stdout, stderr } = await shell(
      `ulimit -n 200; ${quoted} '${root}test/programs/starved.ts' --work none -n 9 -w 2`,
      { env: { TECHNIQUE: technique } },
    );
    assert.equal(code, 1, stderr);
    assert.match(stdout, /0 ok, 9 failed\n/);
    assert.match(stdout, /\n {2}item 0: process .*died: .*EMFILE \(at start\)\n/);
  });
}

test("a full disk is told of when an export is written; what was there stays", async () => {
  const file = join(folder, "full.json");
  writeFileSync(file, "old");
  // No file may grow beyond one block: what a write to a full disk comes to, for one process.
  const { code, stderr, stdout } = await shell(
    `trap '' XFSZ; ulimit -f 1; run compare -t async -n 2,3,4,5 --latency 0 --export-json '${file}'`,
  );
  assert.equal(code, 1);
  assert.match(stdout, /requests +ideal +async/);
  assert.match(stderr, /error: cannot write ".*full\.json" \(EFBIG\)\n$/);
  assert.deepEqual(readdirSync(folder), ["full.json"]);
  assert.equal(readFileSync(file, "utf8"), "old");
});

test("a reader who goes away ends the script, and no error is thrown about", async () => {
  for (const script of ["async", "compare"]) {
    const { code, stdout, stderr } = await shell(
      `run ${script} -n 20,30,40,50 --latency 5 --json | head -n 1; exit 0`,
    );
    assert.equal(code, 0);
    assert.equal(stdout.trim().split("\n").length, 1);
    assert.doesNotMatch(stderr, /EPIPE|at /);
  }
});

test("no ps, no bash: compare.ts needs a POSIX shell only", async () => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync("/bin/sh", join(bin, "sh"));
  const { code, stdout } = await shell("run compare -t async,threads -n 3 --latency 0", {
    env: { PATH: bin },
  });
  assert.equal(code, 0);
  assert.match(stdout, /requests +ideal +async +threads/);
});

test("a working directory that cannot be written is no matter", async () => {
  const locked = join(folder, "locked");
  mkdirSync(locked);
  chmodSync(locked, 0o555);
  const { code } = await shell("run threads -n 3 --latency 0", { cwd: locked });
  assert.equal(code, 0);
  assert.deepEqual(readdirSync(locked), []);
});

test("an odd path, a TMPDIR that does not exist, a proxy and no terminal are no matter", async () => {
  const env = {
    TMPDIR: join(folder, "none", "such"),
    http_proxy: "http://127.0.0.1:1",
    HTTP_PROXY: "http://127.0.0.1:1",
    NODE_USE_ENV_PROXY: "1",
    TERM: "dumb",
  };
  const odd = join(folder, "a näme with späces, 100% #1 日本");
  for (const part of ["scripts", "lib", "package.json"])
    cpSync(join(root, part), join(odd, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(odd, "node_modules"));
  for (const loop of SCRIPTS) {
    const path = join(odd, "scripts", loop.script);
    const flags = ["-n", "4", "--latency", "0", "--json", ...loop.flags];
    const { code, stderr, records } = await run(path, flags, env);
    assert.equal(code, 0, `${nameOf(loop)}: ${stderr}`);
    assert.ok(records[0]!.serviceMs !== undefined, "the practice API's figures are there");
  }
  const body = join(odd, "a löop #1.ts");
  cpSync(join(root, "test/bodies/same.ts"), body);
  for (const script of ["async.ts", "threads.ts", "processes.ts"]) {
    const flags = ["-n", "4", "-w", "1", "--body", body, "--json"];
    const { code, stderr } = await run(join(odd, "scripts", script), flags, env);
    assert.equal(code, 0, `${script} --body: ${stderr}`);
  }
  const flags = ["-n", "3", "--latency", "0", "-t", "async,processes"];
  const compare = await run(join(odd, "scripts/compare.ts"), flags, env);
  assert.equal(compare.code, 0, compare.stderr);
});

test("without a file descriptor, the practice API's start says so", async () => {
  const { stdout, stderr } = await shell(`ulimit -n 64; ${quoted} '${root}test/programs/full.ts'`);
  assert.match(stdout, /^spawn \S+ EMFILE\n$/, stderr);
});

test("a port that is taken is one clear line", async () => {
  const api = await servePracticeApi();
  const { port } = new URL(api.url);
  const { code, stderr } = await run("scripts/api.ts", ["--port", port]);
  api.stop();
  assert.equal(code, 1);
  assert.equal(stderr, `error: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`);
});
