import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { runtimeCommand } from "../lib/runtime.ts";
import { makeProject, techniqueText } from "./support/project.ts";
import { examplesIn, filesIn, fillExcerpts, PAGES, readPage } from "./support/readme.ts";

const root = new URL("../", import.meta.url);
const techniques = ["async.ts", "threads.ts", "processes.ts", "merge-dict.ts"];

/** The most lines and words that a page may have. */
const LIMITS: Partial<Record<(typeof PAGES)[number], { lines: number; words?: number }>> = {
  "README.md": { lines: 250, words: 1800 },
  "scripts/README.md": { lines: 600 },
};

/** Another project, with the techniques and all that the pages tell to write. */
const project = makeProject({
  ...Object.fromEntries(techniques.map((script) => [script, techniqueText(script)])),
  ...Object.assign({}, ...PAGES.map((page) => filesIn(readPage(page)))),
  text0: "to be or not to be",
  text1: "that is to be",
});

/** What a program of the project prints. */
async function run(file: string, ...args: string[]) {
  const [command, ...flags] = runtimeCommand;
  const whole = [...flags, join(project, file), ...args];
  return promisify(execFile)(command!, whole, { cwd: project });
}

/** The heading's part of a link. */
function anchorsOf(text: string): string[] {
  const titles = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title!.toLowerCase());
  return titles.map((title) => title.replaceAll(/[^a-z0-9 _-]/g, "").replaceAll(" ", "-"));
}

for (const page of PAGES) {
  const text = readPage(page);
  const prose = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");

  test(`${page}: its excerpts are what the files say now (npm run readme puts them in)`, () => {
    assert.equal(text, fillExcerpts(text));
  });

  test(`${page}: it is short, and so are its excerpts, its outputs and the lines of its tables`, () => {
    const { lines = Infinity, words = Infinity } = LIMITS[page] ?? {};
    assert.ok(text.split("\n").length - 1 <= lines);
    assert.ok(text.trim().split(/\s+/).length <= words);
    for (const [, block] of text.matchAll(/<!-- from .* -->\n```ts\n([\s\S]*?)```/g))
      assert.ok(block!.trimEnd().split("\n").length <= 15, block);
    for (const { commands } of examplesIn(text)) {
      const shown = commands.map(({ output }) => output).join("");
      assert.ok(shown.split("\n").length - 1 <= 40, shown);
    }
    for (const [line] of prose.matchAll(/^\|.*$/gm)) assert.ok(line.length <= 120, line);
    assert.doesNotMatch(prose, /^####/m);
  });

  test(`${page}: what it links to is there`, () => {
    const targets = [...prose.matchAll(/\]\(([^)]+)\)|^\[[\w-]+\]: (\S+)$/gm)];
    for (const [, inline, reference] of targets) {
      const target = (inline ?? reference)!;
      if (target.startsWith("https://")) continue;
      const { pathname, hash } = new URL(target, new URL(page, root));
      assert.ok(existsSync(pathname), target);
      if (!hash) continue;
      const there = anchorsOf(readPage(pathname.slice(root.pathname.length)));
      assert.ok(there.includes(hash.slice(1)), target);
    }
    for (const [, name] of prose.matchAll(/\]\[([\w-]+)\]/g))
      assert.match(text, new RegExp(`^\\[${name}\\]: `, "m"));
  });

  test(`${page}: the scripts in its commands are there`, () => {
    for (const { command } of examplesIn(text).flatMap(({ commands }) => commands))
      for (const [script] of command.matchAll(/scripts\/[\w/-]+\.ts/g))
        assert.ok(existsSync(new URL(script, root)), command);
  });
}

test("pages: no two tell to write a file of the same name", () => {
  const names = PAGES.flatMap((page) => Object.keys(filesIn(readPage(page))));
  assert.equal(new Set(names).size, names.length);
});

test("pages: the code that they tell to write passes the type check that they show", async () => {
  const [, flags] = /^npx tsc (.*) \*\.ts$/m.exec(readPage("scripts/README.md"))!;
  const files = [...techniques, ...PAGES.flatMap((page) => Object.keys(filesIn(readPage(page))))];
  const tsc = fileURLToPath(new URL("node_modules/.bin/tsc", root));
  const checked = promisify(execFile)(tsc, [...flags!.split(" "), ...files], { cwd: project });
  assert.equal((await checked.catch((error) => error)).stdout, "");
});

test("README.md: fetch-all.ts prints sizes, and which URL failed and why", async () => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === "/none" ? 404 : 200;
    response.end("hello");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { stdout, stderr } = await run("fetch-all.ts", url, `${url}/none`, "http://127.0.0.1:1/");
  server.close();
  assert.equal(stdout, `${url} 5\n`);
  assert.match(stderr, /\/none failed: Error: status 404/);
  assert.match(stderr, /http:\/\/127.0.0.1:1\/ failed: TypeError: fetch failed/);
});

test("README.md: main.ts prints hashes, and which file failed and why", async () => {
  const { code, stdout, stderr } = await run("main.ts", "text0", "text1", "text2").catch((e) => e);
  assert.equal(code, 1);
  assert.match(stdout, /^text0 [0-9a-f]{64}\ntext1 [0-9a-f]{64}\n$/);
  assert.match(stderr, /^text2 failed: Error: ENOENT/);
});

test("scripts/README.md: two-loops.ts runs both loops by one copy", async () => {
  const { stdout } = await run("two-loops.ts");
  assert.match(stdout, /value: 6 .*value: 10 .*value: '[0-9a-f]{64}'/s);
});

test("scripts/README.md: as-they-come.ts prints each hash, and stops at a failure", async () => {
  const { stdout } = await run("as-they-come.ts", "text0", "text1", "text2");
  assert.match(stdout, /^(text[01] [0-9a-f]{64}\n){0,2}$/);
  const all = await run("as-they-come.ts", "text0", "text1");
  assert.equal(all.stdout.match(/^text/gm)!.length, 2);
});

test("scripts/README.md: count.ts counts the words of all files, and loses none", async () => {
  const files = Array.from({ length: 20 }, (_, number) => `text${number % 2}`);
  const { stdout } = await run("count.ts", ...files);
  const lines = stdout.trim().split("\n").sort();
  assert.deepEqual(lines, ["be 30", "is 10", "not 10", "or 10", "that 10", "to 30"]);
});

test("scripts/README.md: with rows.ts each worker opens one connection for all its items", async () => {
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
