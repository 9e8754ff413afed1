import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** What threads.ts and processes.ts have in common, since each is copied alone. */
function commonPart(script: string): string {
  const text = readFileSync(new URL(`../scripts/${script}`, import.meta.url), "utf8");
  const begin = text.indexOf('// From here to "Run as a script"');
  const end = text.lastIndexOf("\nif (", text.indexOf("\n// Run as a script"));
  assert.ok(begin > 0 && end > begin, script);
  return text.slice(begin, end);
}

test("threads.ts and processes.ts are alike where they say so, word for word", () => {
  const part = commonPart("threads.ts");
  assert.equal(part, commonPart("processes.ts"));
  for (const name of ["checkCall", "loadLoop", "iterate", "pack", "unpack", "takeApart"])
    assert.match(part, new RegExp(`function ${name}\\b`));
});
