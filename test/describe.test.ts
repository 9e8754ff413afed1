import assert from "node:assert/strict";
import { test } from "node:test";
import type { Comparison } from "../scripts/compare/comparison.ts";
import { describe, summarize } from "../scripts/compare/describe.ts";
import { comparison, sample } from "./support/comparison.ts";

const NAMES = ["sequential", "async", "threads", "processes"];
const SIZES = [5, 50, 500, 10_000];
const over = (sizes: number[], names: string[], runs: number) =>
  comparison(
    Array.from({ length: runs }, (_, round) =>
      names.flatMap((name, place) =>
        sizes.map((size) =>
          sample(name, size, (size + 20) * (place + 1) * (1 + round / 10), {
            round,
            idealMs: size / 4,
            serviceMs: 1,
          }),
        ),
      ),
    ).flat(),
  );
const sweep = comparison(
  NAMES.flatMap((name) =>
    (name === "sequential" ? [1] : [1, 2, 4, 8, 16]).map((workers) =>
      sample(name, 100, 2000 / workers, { workers, idealMs: 1900 / workers }),
    ),
  ),
  { over: "workers" },
);
const failed = sample("async", 5, 3, {
  ok: 0,
  failed: 5,
  statuses: {},
  errors: { ECONNREFUSED: 5 },
});

const drawn = (one: Comparison, look: { width: number; colour: boolean }) =>
  describe(one, summarize(one), look);

const CASES: Record<string, [Comparison, RegExp]> = {
  "as it is by default": [over(SIZES, NAMES, 1), /\n +10000 +2\.50 s +10\.0 s/],
  "with repeats": [over(SIZES, NAMES, 3), /11\.0 s ±9%/],
  "over workers": [sweep, /\n +16 +119 ms +125 ms {2}16\.0x/],
  "with one size": [over([50], NAMES, 1), /\n +async +140 ms {2}█+\n/],
  "with one technique": [over(SIZES, ["async"], 1), /requests +ideal +async\n/],
  "with one size and one technique": [over([50], ["threads"], 2), /threads +73\.5 ms {2}█+\n/],
  "with equal times": [
    comparison(NAMES.flatMap((name) => [5, 50].map((size) => sample(name, size, 100)))),
    /was fastest,\s+too close to tell/,
  ],
  "with a technique that failed everywhere": [
    comparison([...over(SIZES, ["threads"], 1).samples, failed, { ...failed, requests: 50 }]),
    /\n +5 .* 5 of 5 failed\n +50 .* 5 of 5 failed\n +500 .* -\n/,
  ],
  "with nothing but failures": [comparison([failed]), /\n\n\(nothing to draw\)\n/],
  "with Python's numbers of workers": [
    comparison([
      ...over([5, 500], NAMES, 1).samples,
      ...[5, 500].map((n) => sample("threads", n, n, { workers: 6, asPython: true })),
      ...[5, 500].map((n) => sample("processes", n, 3 * n, { workers: 2, asPython: true })),
    ]),
    /requests +threads x6 +processes x2\n/,
  ],
};

for (const [what, [one, expected]] of Object.entries(CASES)) {
  test(`describe: a comparison ${what} is whole at 60, 80 and 200 columns, with colour and without`, () => {
    for (const width of [60, 80, 200]) {
      const plain = drawn(one, { width, colour: false });
      const lines = plain.split("\n");
      for (const line of lines)
        assert.ok(line.length <= width, `${line.length} > ${width}: ${line}`);
      assert.doesNotMatch(plain, /NaN|undefined|Infinity|null/);
      const coloured = drawn(one, { width, colour: true });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colour is made of them
      assert.equal(coloured.replace(/\x1b\[\d+m/g, ""), plain);
      if (width > 60) assert.match(plain, expected);
    }
  });
}

test("describe: no time stands for runs in which something failed", () => {
  const bad = { ok: 2, failed: 3, statuses: { 201: 2, 429: 3 } };
  const some = comparison([
    ...[0, 1, 2].map((round) => sample("async", 5, 10.6, { ...bad, round })),
    sample("threads", 5, 100, { ...bad, round: 0 }),
    ...[20, 20].map((ms, round) => sample("threads", 5, ms, { round: round + 1 })),
    sample("processes", 5, 1, {
      ...bad,
      interrupted: true,
      statuses: {},
      errors: { AbortError: 3 },
    }),
  ]);
  assert.match(
    drawn(some, { width: 80, colour: false }),
    /\n +5 +9 of 15 refused +20\.0 ms \(2 of 3 runs\) +interrupted\n/,
  );
});

test("describe: the axis keeps its last mark where the largest size has no time", () => {
  const sizes = [5, 50, 500].map((size) => sample("async", size, size));
  const text = drawn(comparison([...sizes, { ...failed, requests: 5000 }]), {
    ...{ width: 80, colour: false },
  });
  assert.match(text, /└┬─+┬─+┬\n +5 +50 +500\n/);
});

test("describe: a table that is too wide goes on below, its first column repeated", () => {
  const text = drawn(over(SIZES, NAMES, 3), { width: 60, colour: false });
  assert.match(text, /^requests .*\n[\s\S]*\n\nrequests +processes\n/);
  assert.match(text, /\nrequests +processes\n─+ +─+\n +5 +/);
});

test("describe: the spread is drawn where it is wider than a row", () => {
  const wide = comparison(
    [10, 100].flatMap((n) => [1, 5, 9].map((ms, round) => sample("async", n, ms * n, { round }))),
  );
  assert.match(drawn(wide, { width: 80, colour: false }), /┤.*┊/);
  const narrow = comparison(
    [10, 100].flatMap((n) => [5, 5.01].map((ms, round) => sample("async", n, ms * n, { round }))),
  );
  assert.doesNotMatch(drawn(narrow, { width: 80, colour: false }), /┊/);
});
