import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtimeCommand } from "../lib/worker-entry.ts";
import { makeCopies, TECHNIQUES } from "./support/copies.ts";

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
    const [command, ...flags] = runtimeCommand;
    const main = join(folder, "src", `${name}-main.ts`);
    const { stdout, stderr } = spawnSync(command!, [...flags, main], {
      encoding: "utf8",
      cwd: folder,
    });
    assert.equal(stdout, "all is well\n", stderr);
  });
}
