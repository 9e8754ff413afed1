import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunRecord } from "../lib/command/record.ts";
import { describeTimeline } from "../lib/terminal/timeline.ts";
import type { Timeline } from "../lib/timing.ts";
import { sample } from "./support/comparison.ts";
import { run } from "./support/process.ts";

const record = (ms: number, timeline: Timeline): RunRecord => ({
  ...sample("threads", timeline.item.length, ms),
  timeline,
});

test("timeline: dots, then iterations by their numbers, then idle; and how busy each worker was", () => {
  const text = describeTimeline(
    record(100, { worker: [0, 1, 0], item: [0, 1, 2], startMs: [0, 20, 50], endMs: [40, 60, 70] }),
    114, // 100 columns for 100 ms
  );
  const [head, first, second] = text.split("\n");
  assert.match(head!, /^worker +busy$/);
  const at = (from: number, to: number, fill: string, name = "") =>
    name + fill.repeat(to - from - name.length);
  assert.equal(
    first,
    `     0 │${at(0, 40, "═", "╞0")}${at(40, 50, " ")}${at(50, 70, "═", "╞2")}${at(70, 100, " ")}│ 60 %`,
  );
  assert.equal(
    second,
    `     1 │${at(0, 20, "·")}${at(20, 60, "═", "╞1")}${at(60, 100, " ")}│ 40 %`,
  );
  assert.match(text, /on average, each of 4 workers was busy 25 % of the time$/);
});

test("timeline: thousands of iterations are drawn as a density", () => {
  const count = 10_000;
  const index = Array.from({ length: count }, (_, number) => number);
  const text = describeTimeline(
    record(1000, {
      worker: index.map(() => 0),
      item: index,
      startMs: index.map((number) => number * 0.1),
      endMs: index.map((number) => number * 0.1 + (number < count / 2 ? 0.1 : 0.05)),
    }),
    80,
  );
  assert.match(text, /\n +0 │█{31,33}▒{31,33}│ 75 %\n/);
});

test("timeline: iterations in flight together count once; many workers are cut", () => {
  const together = record(100, { worker: [0, 0], item: [0, 1], startMs: [0, 0], endMs: [80, 50] });
  assert.match(describeTimeline(together, 80), /│ 80 %/);
  const index = Array.from({ length: 50 }, (_, number) => number);
  const many = record(100, {
    ...{ worker: index, item: index },
    startMs: index.map(() => 0),
    endMs: index.map(() => 100),
  });
  assert.match(describeTimeline(many, 80), /\n +and 18 more workers\n/);
});

test("timeline: no iteration, no timeline; no line is wider than asked for", () => {
  const none = record(5, { worker: [], item: [], startMs: [], endMs: [] });
  assert.match(describeTimeline(none, 80), /there is no timeline/);
  const one = record(5, { worker: [0], item: [0], startMs: [0], endMs: [5] });
  for (const width of [40, 60, 80, 200])
    for (const line of describeTimeline(one, width).split("\n").slice(0, 4))
      assert.ok(line.length <= width, line);
});

for (const name of ["sequential", "async", "threads", "processes"]) {
  test(`${name}: --timeline tells who ran each iteration`, async () => {
    const flags = ["-n", "12", "-w", "3", "--work", "cpu", "--timeline", "--json"];
    const { records } = await run(`scripts/${name}.ts`, flags);
    const { timeline, ms, workers } = records[0]!;
    const { worker, item, startMs, endMs } = timeline!;
    assert.deepEqual(
      [...item].sort((a, b) => a - b),
      Array.from({ length: 12 }, (_, number) => number),
    );
    assert.deepEqual(
      startMs,
      [...startMs].sort((a, b) => a - b),
    );
    for (const [number, end] of endMs.entries()) {
      assert.ok(startMs[number]! >= 0 && end > startMs[number]! && end <= ms);
      assert.ok(worker[number]! >= 0 && worker[number]! < workers);
      // One in flight in each worker: its iterations do not overlap.
      for (let other = number + 1; other < 12; other++)
        if (worker[other] === worker[number]) assert.ok(startMs[other]! >= end);
    }
  });
}

test("threads: --timeline draws it", async () => {
  const flags = ["-n", "12", "-w", "3", "--work", "cpu", "--timeline"];
  const { stdout } = await run("scripts/threads.ts", flags);
  assert.match(stdout, /\n +[0-2] │·*[╞░▒▓█].*│ +\d+ %\n/);
});
