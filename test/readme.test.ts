import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { runtimeCommand } from "../lib/runtime.ts";
import { makeProject, techniqueText } from "./support/project.ts";
import { codeIn, examplesIn, filesBelow, fillExcerpts } from "./support/readme.ts";

const root = new URL("../", import.meta.url);
const readme = readFileSync(new URL("README.md", root), "utf8");
const techniques = ["threads.ts", "processes.ts", "shared-dict.ts", "merge-dict.ts"];

/** Another project, with the techniques and all that the page tells to write. */
const project = makeProject({
  ...Object.fromEntries(techniques.map((script) => [script, techniqueText(script)])),
  ...filesBelow(readme, "Copy one"),
  ...filesBelow(readme, "A connection in each worker"),
  ...filesBelow(readme, "Counting words, in two ways"),
  "tsconfig.json": codeIn(readme, "json")[0]!,
  text0: "to be or not to be",
  text1: "that is to be",
});

/** What a program of the project prints. */
async function run(file: string, ...args: string[]): Promise<string> {
  const [command, ...flags] = runtimeCommand;
  const whole = [...flags, join(project, file), ...args];
  const { stdout } = await promisify(execFile)(command!, whole, { cwd: project });
  return stdout;
}

test("README: its excerpts are what the files say now (npm run readme puts them in)", () => {
  assert.equal(readme, fillExcerpts(readme));
});

test("README: its excerpts are short, its links and the scripts in its commands are there", () => {
  for (const [, block] of readme.matchAll(/<!-- from .* -->\n```ts\n([\s\S]*?)```/g))
    assert.ok(block!.trimEnd().split("\n").length <= 15, block);
  const anchors = [...readme.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replaceAll(/[^a-z0-9 _-]/g, "")
      .replaceAll(" ", "-"),
  );
  for (const [, target] of readme.matchAll(/\]\(([^)]+)\)/g)) {
    if (target!.startsWith("#")) assert.ok(anchors.includes(target!.slice(1)), target);
    else if (!target!.startsWith("https://")) assert.ok(existsSync(new URL(target!, root)), target);
  }
  const commands = examplesIn(readme).flatMap(({ commands }) => commands);
  assert.ok(commands.length > 10);
  for (const { command } of commands)
    for (const [script] of command.matchAll(/scripts\/[\w-]+\.ts/g))
      assert.ok(existsSync(new URL(script, root)), command);
});

test("README: the code that it tells to write passes the type check that it shows", async () => {
  const tsc = fileURLToPath(new URL("node_modules/.bin/tsc", root));
  const { stdout } = await promisify(execFile)(tsc, ["-p", project]).catch((error) => error);
  assert.equal(stdout, "");
});

test("README: one copy runs both loops of Copy one", async () => {
  const [first, second] = (await run("main.ts")).split("[");
  assert.equal(first, "one 6\ntwo 6\nthree 10\n");
  assert.deepEqual(second!.match(/\d+/g), ["1", "4", "9"]);
});

for (const file of ["count.ts", "shared-count.ts"]) {
  test(`README: ${file} counts the words of all files, and loses none`, async () => {
    const files = Array.from({ length: 20 }, (_, number) => `text${number % 2}`);
    const lines = (await run(file, ...files)).trim().split("\n").sort();
    assert.deepEqual(lines, ["be 30", "is 10", "not 10", "or 10", "that 10", "to 30"]);
  });
}

test("README: each worker of a loop with rows.ts opens one connection for all its items", async () => {
  let [requests, opened] = [0, 0];
  const server = createServer((request, response) => {
    requests++;
    request.resume().on("end", () => response.end());
  });
  server.on("connection", () => opened++);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const file = (name: string) => pathToFileURL(join(project, name));
  const copy: typeof import("../scripts/threads.ts") = await import(file("threads.ts").href);
  const rows = Array.from({ length: 100 }, (_, row) => row);
  const context = { origin: `http://127.0.0.1:${port}` };
  const results = await copy.inThreads(rows, file("rows.ts"), { workers: 4, context });
  server.close();
  await once(server, "close");
  for (const result of results) assert.deepEqual(result, { status: "fulfilled", value: 200 });
  assert.equal(requests, 100);
  assert.ok(opened >= 1 && opened <= 4, `${opened} connections`);
});
