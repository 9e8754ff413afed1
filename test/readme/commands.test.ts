// Runs every command of README.md as it stands there, in a copy of the project.
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
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "../support/process.ts";
import {
  codeIn,
  type Example,
  examplesIn,
  filesBelow,
  plainCommandsIn,
  shown,
} from "../support/readme.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");
const examples = examplesIn(readme);
const COPY = "Copy one";
const MINE = "Contributing";

/** Commands that are not run by themselves, and what runs them. */
const ELSEWHERE: Record<string, string> = {
  "npm test": "npm cit",
  "npm cit": ".ci/run",
  "npm run test:faults": ".ci/run",
  "npm run test:readme": "by hand: this is it",
  "LONG=1 npm run test:readme": "by hand: this is it",
  "npm install --save-dev tsx": COPY,
  "npx tsx main.ts": COPY,
  "node main.ts": COPY,
  "npm install --save-dev typescript @types/node": COPY,
  "npx tsx scripts/compare.ts --techniques async,mine": MINE,
};
const LONG = ["npm run bench", "npm run readme -- outputs", "STORM=10000 npm run test:faults"];

const temporary = mkdtempSync(join(tmpdir(), "readme-"));
const project = join(temporary, "parallel-for");
before(() => {
  const left = ["node_modules", ".git"];
  cpSync(root, project, {
    recursive: true,
    filter: (path) => !left.includes(relative(root, path)),
  });
});
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
    child.exitCode === null && child.signalCode === null && process.kill(-child.pid!, "SIGTERM");
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
      .replaceAll(/[\d.,]+( (ms|s|us)\b)?/g, "0")
      .replaceAll(/\s+/g, " "),
  );
}

/** Why a command cannot be run here, if so. */
function missing(command: string): string | false {
  const program = command.replace(/^[A-Z_\d]+=\S+ /, "").split(" ")[0]!;
  const { stdout } = spawnSync("sh", ["-c", `command -v ${program} && ${program} --version`]);
  if (stdout.length === 0) return `there is no ${program} here`;
  const [major, minor] = (/v(\d+)\.(\d+)/.exec(String(stdout)) ?? []).slice(1).map(Number);
  const old = program === "node" && (major! < 22 || (major === 22 && minor! < 18));
  return old && `this Node does not run TypeScript by itself`;
}

const plain = plainCommandsIn(readme);
const first = "npm ci && npx tsx scripts/compare.ts";
const known = plain.filter((command) => command !== first && !ELSEWHERE[command]);
const [npm, others] = [
  known.filter((command) => /\bnpm /.test(command)),
  known.filter((command) => !/\bnpm | scripts\/api\.ts/.test(command)),
];

test(`README: ${first}`, runs(first));

for (const command of npm) {
  const skip = LONG.includes(command) && !process.env.LONG && "only with LONG=1";
  test(`README: ${command}`, { skip }, runs(command));
}

describe("README: commands that need nothing else", { concurrency: 3 }, () => {
  const shownToo = examples.flatMap(({ commands }) => commands.map(({ command }) => command));
  for (const command of others.filter((one) => !shownToo.includes(one)))
    test(command, { skip: missing(command) }, runs(command));
  for (const example of examples.filter(({ meanwhile }) => !meanwhile))
    test(example.commands.map(({ command }) => command).join("; "), () => follow(example));
  for (const script of readdirSync(join(root, "scripts"))) {
    const header = readFileSync(join(root, "scripts", script), "utf8");
    const lines = [...header.matchAll(/^\/\/ (?:Run:)? +(npx tsx .*)/gm)].map(([, line]) => line!);
    const more = lines.filter((line) => !shownToo.includes(line) && !line.includes("api.ts"));
    if (more.length > 0) test(`${script}: ${more.join("; ")}`, runs(more.join(" && ")));
  }
});

for (const example of examples.filter(({ meanwhile }) => meanwhile))
  test(`README: ${example.meanwhile}; ${example.commands[0]!.command}`, () => follow(example));

test("README: every api.ts command stands beside an example that needs it", () => {
  for (const command of plain.filter((one) => one.includes(" scripts/api.ts")))
    assert.ok(
      examples.some(({ meanwhile }) => meanwhile === command),
      command,
    );
});

test("README: what it says others run is there", () => {
  const ci = readFileSync(join(root, ".ci/run"), "utf8").split("\n");
  for (const [command, by] of Object.entries(ELSEWHERE)) {
    assert.ok(plain.includes(command), command);
    if (by === ".ci/run") assert.ok(ci.includes(command), command);
  }
  for (const command of LONG) assert.ok(plain.includes(command), command);
});

test(`README: ${COPY}: its steps make a program that runs and passes the type check`, async () => {
  const folder = join(temporary, "yours");
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const [copying] = codeIn(readme, "sh");
  await run(copying!, folder);
  for (const [name, code] of Object.entries(filesBelow(readme, COPY)))
    writeFileSync(join(folder, name), code);
  const [tsconfig] = codeIn(readme, "json");
  writeFileSync(join(folder, "tsconfig.json"), tsconfig!);

  const expected = /^one 6\ntwo 6\nthree 10\n/;
  await run("npm install --save-dev tsx", folder);
  assert.match(await run("npx tsx main.ts", folder), expected);
  await run("npm install --save-dev typescript @types/node", folder);
  await run("npx tsc", folder);
  if (!missing("node main.ts")) assert.match(await run("node main.ts", folder), expected);
});

test(`README: ${MINE}: a copy of async.ts by another name is compared`, async () => {
  cpSync(join(project, "scripts/async.ts"), join(project, "scripts/mine.ts"));
  const table = await run("npx tsx scripts/compare.ts --techniques async,mine");
  assert.match(table, /^requests +ideal +async +mine$/m);
});
