// A loop of the user's own at the command line: --body, --items, --results.

import assert from "node:assert/strict";
import { test } from "node:test";
import { servePracticeApi } from "./support/counting-api.ts";
import { asLines, linesOf, newFile, testOwnLoop } from "./support/own-loop.ts";
import { run } from "./support/process.ts";

for (const technique of ["sequential", "async", "threads", "processes"]) testOwnLoop(technique);

test("examples: hash-files, factorize and post-orders do what they say", async () => {
  const example = (name: string) => ["--body", `scripts/examples/${name}.ts`, "--items", "-"];
  const valuesOf = async (technique: string, flags: string[], input: string) => {
    const results = newFile();
    const all = [...flags, "--results", results, "--json"];
    const { code, stderr } = await run(`scripts/${technique}.ts`, all, {}, input);
    assert.equal(code, 0, stderr);
    return linesOf(results).sort((a, b) => a.index - b.index);
  };
  const file = newFile("abc");
  const [hashed] = await valuesOf("threads", example("hash-files"), JSON.stringify(file));
  // From FIPS 180-2, appendix B.1.
  assert.match(hashed.value, /^ba7816bf8f01cfea.*f20015ad$/);
  const factors = await valuesOf("processes", example("factorize"), "12\n97\n1\n");
  assert.deepEqual(
    factors.map(({ value }) => value),
    [[2, 2, 3], [97], []],
  );
  const api = await servePracticeApi({ errorRate: 0.2 });
  const orders = Array.from({ length: 40 }, (_, index) => ({ id: index + 1, amount: 5 }));
  const flags = [...example("post-orders"), "--url", api.url];
  const posted = await valuesOf("async", flags, asLines(orders));
  const stats = await api.stats();
  api.stop();
  assert.deepEqual(
    posted.map(({ value }) => value.json),
    orders,
  );
  assert.ok(stats.requests > 40 && stats.statuses[201] === 40);
});
