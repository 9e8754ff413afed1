import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { examplesIn, fillExcerpts } from "./support/readme.ts";

const root = new URL("../", import.meta.url);
const readme = readFileSync(new URL("README.md", root), "utf8");

test("README: its excerpts are what the files say now (npm run readme puts them in)", () => {
  assert.equal(readme, fillExcerpts(readme));
});

test("README: its excerpts are short, its links lead somewhere, its commands name scripts that are there", () => {
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
