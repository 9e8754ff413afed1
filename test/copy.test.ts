import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtimeCommand } from "../lib/worker-entry.ts";
import { makeCopies, TECHNIQUES } from "./support/copies.ts";
import { codeIn } from "./support/readme.ts";

const folder = mkdtempSync(join(tmpdir(), "copies-"));
before(() => makeCopies(folder));
after(() => rmSync(folder, { recursive: true }));

test("copy: every technique with another loop body passes the type check in strict mode", () => {
  const tsc = fileURLToPath(new URL("../node_modules/.bin/tsc", import.meta.url));
  const { status, stdout } = spawnSync(tsc, ["-p", folder], { encoding: "utf8" });
  assert.equal(stdout, "");
  assert.equal(status, 0);
});

test("copy: the folder lib/workers needs Node's own modules only, and itself", () => {
  const workers = join(folder, "lib/workers");
  for (const file of readdirSync(workers))
    for (const [, from] of readFileSync(join(workers, file), "utf8").matchAll(/from "(.*)";/g))
      assert.match(from!, /^(node:|\.\/)/, file);
});

for (const name of Object.keys(TECHNIQUES)) {
  test(`copy: ${name}.ts runs a loop that reads files, one that computes and one that throws`, () => {
    const main = join(folder, "src", `${name}-main.ts`);
    // From anywhere: of tsx, workers know more than its name.
    const [command, ...flags] = runtimeCommand.map((part) =>
      part === "tsx" ? import.meta.resolve("tsx") : part,
    );
    const { stdout, stderr } = spawnSync(command!, [...flags, main], {
      encoding: "utf8",
      cwd: tmpdir(),
    });
    assert.equal(stdout, "all is well\n", stderr);
  });
}

test("copy: shared-dict.ts counts words as the README says, and loses none", () => {
  const [iterate, words] = codeIn(
    readFileSync(new URL("../README.md", import.meta.url), "utf8"),
    "ts",
  );
  const copy = readFileSync(join(folder, "src/shared-dict-burns.ts"), "utf8")
    .replace("type Item = number", "type Item = string")
    .replace("type Task = { file: string }", "type Task = object")
    .replace(/async function body[\s\S]*?\n {4}}/, "async function body() { return 0; }")
    .replace(/async iterate\(item\) \{[\s\S]*?\n {4}\},/, () => iterate!);
  const readFileToo = 'import { readFile } from "node:fs/promises";\n';
  writeFileSync(join(folder, "src/words.ts"), readFileToo + copy);
  writeFileSync(
    join(folder, "src/words-main.ts"),
    words!
      .replace("./shared-dict.ts", "./words.ts")
      .replace(/for \(const \[word.*/, "console.log(JSON.stringify([...counts].sort()));"),
  );
  writeFileSync(join(folder, "text0"), "to be or not to be");
  writeFileSync(join(folder, "text1"), "that is to be");
  const [command, ...flags] = runtimeCommand;
  const main = join(folder, "src/words-main.ts");
  const files = Array.from({ length: 20 }, (_, number) => `text${number % 2}`);
  const { stdout, stderr } = spawnSync(command!, [...flags, main, ...files], {
    encoding: "utf8",
    cwd: folder,
  });
  assert.equal(
    stdout.trim(),
    '[["be",30],["is",10],["not",10],["or",10],["that",10],["to",30]]',
    stderr,
  );
});
