// What must hold for any input: fast-check makes them up, and shrinks those that break it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { parseFlags, UsageError } from "../lib/command/flags.ts";
import { scriptFlags as table } from "../lib/command/script-flags.ts";
import { lineChart } from "../lib/terminal/chart.ts";
import { formatCount, formatMs } from "../lib/terminal/format.ts";
import { escapeControl } from "../lib/terminal/terminal.ts";
import type { Comparison } from "../scripts/compare/comparison.ts";
import { describe, formatTable, summarize, wrap } from "../scripts/compare/describe.ts";
import { readComparison, toJson, toMarkdown } from "../scripts/compare/exports.ts";
import { dictMemory, sharedMemoryDict } from "../scripts/shared-memory.ts";
import type { Job, Step } from "./bodies/dict-steps.ts";
import { check } from "./support/checker.ts";
import { madeUp } from "./support/comparison.ts";
import { bare, body, intoMergedDict, intoSharedDict } from "./support/load.ts";

test("flags: any command line gives whole values or a UsageError of one line", () => {
  const word = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(...Object.keys(table).map((name) => `--${name}`), "-n", "-w", "-c", "--"),
    fc.nat().map(String),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (args) => {
      try {
        const { requests, workers = 1, latency } = parseFlags(table, args);
        assert.ok(requests.every((one) => one >= 1 && one <= 1e7)); // none are the default
        assert.ok(Number.isInteger(workers) && workers >= 1 && workers <= 1024);
        assert.ok(latency >= 0 && latency <= 600_000);
      } catch (error) {
        assert.ok(error instanceof UsageError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test("flags: any good numbers come back as they were given", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1e7 }), { minLength: 1 }), (numbers) => {
      assert.deepEqual(parseFlags(table, ["-n", numbers.join()]).requests, numbers);
    }),
  );
});

test("terminal: no control character gets through, and plain text stays as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const shown = escapeControl(text);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      assert.doesNotMatch(shown, /[\x00-\x1f\x7f-\x9f]/);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
      assert.equal(escapeControl(text), text);
    }),
  );
});

test("chart: any points, any width: no line is too wide, and nothing is thrown", () => {
  const value = fc.double({ min: 1e-6, max: 1e9, noNaN: true });
  const point = fc.record({ x: value, y: fc.option(value, { nil: undefined }) });
  const series = fc.array(
    fc.record({ name: fc.constantFrom("ideal", "async", "threads"), points: fc.array(point) }),
  );
  const scale = fc.constantFrom("linear" as const, "log" as const);
  fc.assert(
    fc.property(series, fc.integer({ min: 40, max: 200 }), scale, scale, (all, width, a, b) => {
      for (const { points } of all) points.sort((one, other) => one.x - other.x);
      const ticks = all.flatMap(({ points }) => points.map(({ x }) => x));
      const text = lineChart(all, {
        x: { scale: a, label: "x", format: formatCount, ticks },
        y: { scale: b, label: "y", format: formatMs },
        width,
        height: 14,
        colour: false,
      });
      for (const line of text.split("\n")) assert.ok(line.length <= width, `${line.length}`);
      assert.doesNotMatch(text, /NaN|undefined/);
    }),
  );
});

test("format: a table is as wide as asked for where its columns allow it, and no cell is lost", () => {
  const cell = fc
    .string({ unit: "grapheme-ascii", maxLength: 12 })
    .map((text) => text.replaceAll(/\s/g, "_"));
  const rows = fc.integer({ min: 1, max: 8 }).chain((columns) =>
    fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), {
      minLength: 1,
      maxLength: 5,
    }),
  );
  fc.assert(
    fc.property(rows, fc.integer({ min: 26, max: 100 }), (cells, width) => {
      const text = formatTable(cells, width);
      for (const line of text.split("\n")) assert.ok(line.length <= width);
      for (const one of cells.flat()) assert.ok(text.includes(one));
    }),
  );
});

test("format: wrapping keeps every word and no line is too wide", () => {
  const words = fc.array(fc.stringMatching(/^[a-z0-9]{1,12}$/), { minLength: 1 });
  fc.assert(
    fc.property(words, fc.integer({ min: 20, max: 80 }), (all, width) => {
      const lines = wrap(all.join(" "), width, "- ").split("\n");
      for (const line of lines) assert.ok(line.length <= width, line);
      assert.deepEqual(
        lines
          .map((line) => line.slice(2))
          .join(" ")
          .split(" "),
        all,
      );
    }),
  );
});

test("compare: of any comparison, each figure and each sentence is borne out by its samples", () => {
  fc.assert(
    fc.property(madeUp, (made) => {
      const json = toJson(made);
      const summary = summarize(JSON.parse(json));
      check(json, describe(made, summary, { width: 1000, colour: false }));
    }),
    { numRuns: 300 },
  );
});

test("compare: a saved file in which anything is changed is refused in one line, or shown whole", () => {
  const folder = mkdtempSync(join(tmpdir(), "properties-"));
  after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "changed.json");
  const changed = fc.tuple(
    fc.infiniteStream(fc.nat()),
    fc.constantFrom(null, 0, -1, 0.5, "x", "\x1b[2J", true, [], {}, [null], { a: 1 }),
  );
  fc.assert(
    fc.property(madeUp, changed, (made, [turns, other]) => {
      made.timelines = made.samples.slice(0, 1).map((run) => ({
        ...run,
        timeline: { worker: [0, 1], item: [0, 1], startMs: [0, 1], endMs: [1, run.ms] },
      }));
      // Any place in it, from the outside in.
      let place: Record<string, unknown> = JSON.parse(toJson(made));
      const whole = place;
      for (;;) {
        const names = Object.keys(place);
        const name = names[turns.next().value! % names.length]!;
        const inner = place[name];
        const isInner = typeof inner === "object" && inner && Object.keys(inner).length > 0;
        if (!isInner || turns.next().value! % 5 === 0) {
          place[name] = other;
          break;
        }
        place = inner as Record<string, unknown>;
      }
      writeFileSync(file, JSON.stringify(whole));
      let read: Comparison;
      try {
        read = readComparison(file);
      } catch (error) {
        return assert.ok(error instanceof UsageError, `${error}`);
      }
      const summary = summarize(read);
      const text = describe(read, summary, { width: 80, colour: false });
      assert.doesNotMatch(text + toMarkdown(read, summary), /NaN|undefined|Infinity/);
      assert.ok(!(text + toMarkdown(read, summary)).includes("\x1b"));
    }),
    { numRuns: 300 },
  );
});

const odd = fc.constantFrom(
  "__proto__",
  "constructor",
  "toString",
  "",
  "1",
  1,
  -0,
  0,
  Number.NaN,
  1.5,
);
const key = fc.oneof(odd, fc.string(), fc.integer(), fc.double());

/** Does one operation to a Map, and gives what the shared dictionary should answer. */
function applyTo(model: Map<unknown, unknown>, [name, at, value]: Step): unknown {
  if (name === "get") return model.get(at);
  if (name === "has") return model.has(at);
  if (name === "delete") return model.delete(at);
  if (name === "size") return model.size;
  if (name === "set") return void model.set(at, value);
  for (const entry of at as [unknown, unknown][]) model.set(...entry); // update
  return undefined;
}

test("shared-dict: any operations do what a Map's do, and reach no prototype", async () => {
  const value = fc.anything().map(clone);
  const operation = fc.oneof(
    fc.tuple(fc.constantFrom("get", "set", "has", "delete", "size"), key, value),
    fc.tuple(fc.constant("update"), fc.array(fc.tuple(key, value))),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(operation), fc.boolean(), async (steps, pipelined) => {
      const [own, model] = [new Map<string | number, unknown>(), new Map<unknown, unknown>()];
      const answers = steps.map((step) => applyTo(model, step));
      const job: Job = { steps: [...steps, ["entries"]], pipelined };
      const options = { ...bare, workers: 1, with: "threads" } as const;
      const [result] = await intoSharedDict(own, [job], body("dict-steps"), options);
      assert.deepEqual(result, { status: "fulfilled", value: [...answers, [...model]] });
      assert.deepEqual([...own], [...model]);
      assert.equal(Object.getPrototypeOf({}), Object.prototype);
      assert.equal(({} as Record<string, unknown>).polluted, undefined);
    }),
    { numRuns: 40 },
  );
});

test("merge-dict: any entries become what set() by set() makes of them, later wins", async () => {
  const entries = fc.array(fc.tuple(key, fc.anything().map(clone)));
  await fc.assert(
    fc.asyncProperty(fc.array(entries), async (all) => {
      const [merged, model] = [new Map<unknown, unknown>(), new Map<unknown, unknown>()];
      for (const [at, value] of all.flat()) model.set(at, value);
      const jobs = all.map((entries) => ({ entries }));
      const options = { ...bare, workers: 2, with: "threads" } as const;
      const results = await intoMergedDict(merged, jobs, body("entries"), options);
      assert.ok(results.every(({ status }) => status === "fulfilled"));
      assert.deepEqual([...merged], [...model]);
      assert.equal(({} as Record<string, unknown>).polluted, undefined);
    }),
    { numRuns: 25 },
  );
});

/** A value as it arrives on the other side; those that cannot be sent are left out. */
function clone(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return undefined;
  }
}

test("shared-memory: any operations do what a Map's do", () => {
  const operation = fc.tuple(
    fc.constantFrom("set", "get", "has", "add"),
    fc.oneof(fc.integer({ min: -8, max: 8 }), fc.integer()),
    fc.oneof(fc.double(), fc.integer()),
  );
  fc.assert(
    fc.property(fc.array(operation), (operations) => {
      const dict = sharedMemoryDict(dictMemory(operations.length + 1));
      const model = new Map<number, number>();
      for (const [name, at, value] of operations) {
        if (name === "set") {
          dict.set(at, value);
          model.set(at, value);
        } else if (name === "add") {
          const sum = (model.get(at) ?? 0) + value;
          assert.equal(dict.add(at, value), sum);
          model.set(at, sum);
        } else if (name === "get") assert.equal(dict.get(at), model.get(at));
        else assert.equal(dict.has(at), model.has(at));
      }
      assert.equal(dict.size(), model.size);
      const byKey = (a: [number, number], b: [number, number]) => a[0] - b[0];
      assert.deepEqual([...dict.entries()].sort(byKey), [...model].sort(byKey));
    }),
  );
});
