import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readsTypeScript, runtimeCommand } from "../../lib/runtime.ts";
import {
  CONFIGURATIONS,
  importsOf,
  makeCopies,
  projectOf,
  TECHNIQUES,
  techniqueOf,
} from "../support/copies.ts";
import { skip as noRedis, startRedis } from "../support/redis.ts";

const folder = mkdtempSync(join(tmpdir(), "copies-"));
before(() => makeCopies(folder));
after(() => rmSync(folder, { recursive: true }));

/** The runtimes: this one, on Node 20 under tsx; and one that runs .ts files by itself. */
const runtimes = [
  {
    // From anywhere: of tsx, workers know more than its name.
    command: runtimeCommand.map((part) => (part === "tsx" ? import.meta.resolve("tsx") : part)),
    how: readsTypeScript ? "natively" : "under tsx",
    skip: false as const,
  },
  {
    command: [process.env.NATIVE_NODE ?? ""],
    how: "natively (NATIVE_NODE)",
    skip:
      !process.env.NATIVE_NODE &&
      (readsTypeScript
        ? "this runtime reads TypeScript itself"
        : "NATIVE_NODE is not set to the path of a Node that reads TypeScript itself"),
  },
];

/** Runs a file in a technique's project, from elsewhere. */
async function runCopy(
  command: string[],
  name: string,
  file: string,
  args: string[] = [],
  env: Record<string, string> = {},
) {
  const [program, ...flags] = command;
  const child = spawn(program!, [...flags, join(projectOf(folder, name), file), ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  const exited = once(child, "exit");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await exited;
  return { code, stdout, stderr };
}

for (const config of Object.keys(CONFIGURATIONS))
  test(`copy: each technique and its loops pass ${config}, wrong calls do not`, () => {
    const tsc = fileURLToPath(new URL("../../node_modules/.bin/tsc", import.meta.url));
    const { status, stdout } = spawnSync(tsc, ["-p", join(folder, config)], { encoding: "utf8" });
    assert.equal(stdout, "");
    assert.equal(status, 0);
  });

for (const name of TECHNIQUES) {
  const isDistributed = name === "distributed";
  const andMore = isDistributed ? ", BullMQ" : "";

  test(`copy: ${name}.ts imports Node's own modules${andMore} and siblings only`, () => {
    const own = isDistributed ? /^(node:|bullmq$|\.\/distributed\/(redis|run)\.ts$)/ : /^node:/;
    for (const from of importsOf(techniqueOf(name)))
      assert.ok(own.test(from) || TECHNIQUES.some((other) => from === `./${other}.ts`), from);
  });

  for (const { command, how, skip } of runtimes)
    test(`copy: ${name}.ts runs two loops, one of them in the other, ${how}`, {
      skip: skip || (isDistributed && noRedis),
    }, async () => {
      const env = isDistributed ? { REDIS_URL: (await startRedis()).url } : {};
      const { code, stdout, stderr } = await runCopy(command, name, "main.ts", [], env);
      assert.equal(stdout, "all is well\n", stderr);
      assert.equal(stderr, "");
      assert.equal(code, 0);
    });
}

for (const { command, how, skip } of runtimes)
  test(`copy: shared-dict.ts counts the words of files, and loses none, ${how}`, {
    skip,
  }, async () => {
    writeFileSync(join(folder, "text0"), "to be or not to be");
    writeFileSync(join(folder, "text1"), "that is to be");
    const files = Array.from({ length: 20 }, (_, number) => `text${number % 2}`);
    const { stdout, stderr } = await runCopy(command, "shared-dict", "words-main.ts", files);
    assert.equal(stderr, "");
    assert.equal(stdout, '[["be",30],["is",10],["not",10],["or",10],["that",10],["to",30]]\n');
  });
