// Runs every command of the pages as it stands there, in a copy of the project.
//
// Run: npm run test:readme
//      LONG=1 npm run test:readme   those that take many minutes, too

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "../support/process.ts";
import {
  codeIn,
  copyProject,
  type Example,
  examplesIn,
  filesIn,
  PAGES,
  plainCommandsIn,
  readPage,
  shown,
} from "../support/readme.ts";
import { skip as noRedis } from "../support/redis.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const examples = PAGES.flatMap((page) =>
  examplesIn(readPage(page)).map((one) => ({ page, ...one })),
);
/** All commands that stand on a page without output, and those of each page that are on none before it. */
const seen = new Set<string>();
const plain = new Map(
  PAGES.map((page) => {
    const commands = plainCommandsIn(readPage(page)).filter((command) => !seen.has(command));
    for (const command of commands) seen.add(command);
    return [page, commands];
  }),
);

/** Commands that are not run by themselves, and what runs them. */
const ELSEWHERE: Record<string, string> = {
  "npm ci": "npm cit",
  "npm test": "npm cit",
  "npm cit": ".ci/run",
  "npm run test:faults": "its files: .ci/run",
  "npm run test:readme": "by hand: this is it",
  "LONG=1 npm run test:readme": "by hand: this is it",
  "npx tsx scripts/api.ts --port 8080": "examples that need it",
  "npx tsx scripts/distributed.ts --worker --body scripts/examples/factorize.ts 2> worker-1.txt":
    "examples that need it",
  "npx tsx scripts/compare.ts --techniques async,mine": "a copy of async.ts by that name",
};
const LONG = ["npm run bench", "npm run readme -- outputs", "STORM=10000 npm run test:faults"];

const temporary = mkdtempSync(join(tmpdir(), "readme-"));
const project = join(temporary, "parallel-for");
before(() => copyProject(project));
const running: (() => void)[] = [];
after(() => {
  for (const stop of running) stop();
  rmSync(temporary, { recursive: true });
});

/** Starts a command by a shell, in a process group of its own. */
function start(command: string, cwd: string) {
  const env = { ...process.env, COLUMNS: "80", NO_COLOR: "1", NODE_TEST_CONTEXT: undefined };
  const child = spawn(command, { shell: true, cwd, detached: true, env });
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (text) => (said.stdout += text));
  child.stderr.on("data", (text) => (said.stderr += text));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const stop = () =>
    child.exitCode === null && child.signalCode === null && process.kill(-child.pid!, "SIGKILL");
  running.push(stop);
  return { said, ended, stop };
}

/** Runs a command, which must succeed unless another exit status is expected, and gives what it printed. */
async function run(command: string, cwd = project, status = 0): Promise<string> {
  const { said, ended } = start(command, cwd);
  assert.equal(await ended, status, `${command}\n${said.stdout}\n${said.stderr}`);
  return said.stdout;
}

/** A test's body that runs a command. */
const runs = (command: string) => async () => {
  await run(command);
};

/** Runs an example, and compares the first line of each of its parts, but for numbers and units. */
async function follow({ meanwhile, lines, commands }: Example): Promise<void> {
  const beside = meanwhile ? start(meanwhile, project) : undefined;
  try {
    if (beside) await until(() => beside.said.stdout.includes("\n"));
    for (const { command, output, status } of commands) {
      const printed = await run(command, project, status);
      assert.deepEqual(outline(shown(printed, lines)), outline(output), command);
    }
  } finally {
    beside?.stop();
    await beside?.ended;
  }
}

/** The first line of each part of an output, with 0 for each number and its unit; not what the times say. */
function outline(output: string): string[] {
  const parts = output.split(/^\.\.\.$/m).map((part) => part.trim().split("\n")[0]!);
  return parts.map((line) =>
    line
      .replace(/^(- |errors ).*/, "$1")
      .replace(/^\S+(:\d+ serves)/, "HOST$1")
      .replaceAll(/[\d.,]+( (ms|s|us)\b)?/g, "0")
      .replaceAll(/\s+/g, " "),
  );
}

/** Why a command cannot be run here, if so. */
function missing(command: string): string | false {
  if (command.includes("distributed.ts") && noRedis) return noRedis;
  const program = command.replace(/^[A-Z_\d]+=\S+ /, "").split(" ")[0]!;
  const { stdout } = spawnSync("sh", ["-c", `command -v ${program} && ${program} --version`]);
  if (stdout.length === 0) return `there is no ${program} here`;
  const [major, minor] = (/v(\d+)\.(\d+)/.exec(String(stdout)) ?? []).slice(1).map(Number);
  const old = program === "node" && (major! < 22 || (major === 22 && minor! < 18));
  return old && `this Node does not run TypeScript by itself`;
}

test("README.md: npm ci", runs("npm ci"));

for (const [page, commands] of plain) {
  const known = commands.filter((command) => !ELSEWHERE[command]);
  for (const command of known.filter((one) => /\bnpm /.test(one))) {
    const skip = LONG.includes(command) && !process.env.LONG && "only with LONG=1";
    test(`${page}: ${command}`, { skip }, runs(command));
  }
}

describe("pages: commands that need nothing else", { concurrency: 3 }, () => {
  const shownToo = examples.flatMap(({ commands }) => commands.map(({ command }) => command));
  for (const [page, commands] of plain)
    for (const command of commands)
      if (!ELSEWHERE[command] && !/\bnpm /.test(command) && !shownToo.includes(command))
        test(`${page}: ${command}`, { skip: missing(command) }, runs(command));
  for (const { page, ...example } of examples.filter(({ meanwhile }) => !meanwhile))
    test(`${page}: ${nameOf(example)}`, { skip: missing(example.commands[0]!.command) }, () =>
      follow(example),
    );
  for (const script of readdirSync(join(root, "scripts")).filter((name) => /\.ts$/.test(name))) {
    const header = readFileSync(join(root, "scripts", script), "utf8");
    const lines = [...header.matchAll(/^\/\/ (?:Run:)? +(npx tsx .*)/gm)].map(([, line]) => line!);
    const elsewhere = /api\.ts|REDIS_URL/; // an API to talk to, a Redis of the reader's
    const more = lines.filter((line) => !shownToo.includes(line) && !elsewhere.test(line));
    const skip = missing(more[0] ?? "npx");
    if (more.length > 0) test(`${script}: ${more.join("; ")}`, { skip }, runs(more.join(" && ")));
  }
});

for (const { page, ...example } of examples.filter(({ meanwhile }) => meanwhile))
  test(`${page}: ${nameOf(example)}`, { skip: missing(example.meanwhile!) }, () => follow(example));

function nameOf({ commands }: Example): string {
  return commands.map(({ command }) => command.replaceAll(/\s+/g, " ")).join("; ");
}

test("pages: what they say others run is there", () => {
  const ci = readFileSync(join(root, ".ci/run"), "utf8").split("\n");
  for (const [command, by] of Object.entries(ELSEWHERE)) {
    assert.ok(seen.has(command), command);
    if (by === ".ci/run") assert.ok(ci.includes(command), command);
    if (by === "examples that need it")
      assert.ok(
        examples.some(({ meanwhile }) => meanwhile?.includes(command)),
        command,
      );
  }
  for (const command of LONG) assert.ok(seen.has(command), command);
});

test("README.md: its steps make programs that run and pass the type check", async () => {
  const folder = join(temporary, "yours");
  mkdirSync(folder);
  const [copying, fetching, hashing] = codeIn(readPage("README.md"), "sh");
  const [checking] = codeIn(readPage("scripts/README.md"), "sh");
  await run(copying!.trim(), folder);
  for (const [name, code] of Object.entries(filesIn(readPage("README.md"))))
    writeFileSync(join(folder, name), code);
  assert.match(fetching!, /^npx tsx fetch-all.ts https/);
  await run("npx tsx fetch-all.ts", folder); // of no page: tests have no network
  const hashes = /^fetch-all\.ts [0-9a-f]{64}$/m;
  assert.match(await run(hashing!, folder), hashes);
  const natively = hashing!.replace("npx tsx", "node");
  if (!missing(natively)) assert.match(await run(natively, folder), hashes);
  const [install, check] = checking!.trim().split("\n");
  await run(`${install} && ${check}`, folder);
});

test("lib/README.md: a copy of async.ts by another name is compared", async () => {
  cpSync(join(project, "scripts/async.ts"), join(project, "scripts/mine.ts"));
  const table = await run("npx tsx scripts/compare.ts --techniques async,mine");
  assert.match(table, /^requests +ideal +async +mine$/m);
});
