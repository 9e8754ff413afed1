import assert from "node:assert/strict";
import { test } from "node:test";
import { median, ratio, spread } from "../scripts/compare/statistics.ts";

test("statistics: the median of odd, even, single and no values", () => {
  assert.deepEqual([[3, 1, 2], [4, 1, 3, 2], [7], []].map(median), [2, 2.5, 7, undefined]);
});

test("statistics: the spread is the sample standard deviation, and none for one value", () => {
  const { median: middle, deviationShare, least, most, count } = spread([2, 4, 4, 4, 5, 5, 7, 9])!;
  assert.deepEqual([middle, least, most, count], [4.5, 2, 9, 8]);
  assert.ok(Math.abs(deviationShare * 4.5 - Math.sqrt(32 / 7)) < 1e-12);
  assert.equal(spread([5])!.deviationShare, 0);
  assert.equal(spread([]), undefined);
});

test("statistics: a factor's error is that of its parts together", () => {
  const a = { median: 200, deviationShare: 0.03, least: 0, most: 0, count: 9 };
  const b = { median: 100, deviationShare: 0.04, least: 0, most: 0, count: 9 };
  const { factor, deviation, verdict } = ratio(a, b);
  assert.equal(factor, 2);
  assert.ok(Math.abs(deviation! - 2 * Math.hypot(0.03, 0.04)) < 1e-12);
  assert.equal(verdict, "faster");
});

test("statistics: noise is no difference, whichever of the two is larger; more runs make it one", () => {
  const of = (median: number, count: number) => ({
    ...{ median, deviationShare: 0.1, least: 0, most: 0, count },
  });
  assert.equal(ratio(of(108, 3), of(100, 3)).verdict, "level");
  assert.equal(ratio(of(100, 3), of(108, 3)).verdict, "level");
  assert.equal(ratio(of(108, 40), of(100, 40)).verdict, "faster");
  assert.equal(ratio(of(102, 100_000), of(100, 100_000)).verdict, "level", "too small to matter");
});
