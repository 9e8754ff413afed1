import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { type Axis, lineChart, type Series } from "../lib/terminal/chart.ts";
import { formatCount, formatMs } from "../lib/terminal/format.ts";

const x: Axis = {
  scale: "log",
  label: "requests",
  format: formatCount,
  ticks: [5, 50, 500, 10_000],
};
const y: Axis = { scale: "log", label: "time", format: formatMs };
const line = (name: string, ...ys: (number | undefined)[]): Series => ({
  name,
  points: [5, 50, 500, 10_000].slice(0, ys.length).map((at, index) => ({ x: at, y: ys[index] })),
});
const draw = (series: Series[], width = 80, colour = false) =>
  lineChart(series, { x, y, width, height: 10, colour }).split("\n");

/** The columns of the plot that hold a stroke, in each row. */
const plot = (lines: string[]) =>
  lines.filter((one) => one.includes("┤")).map((one) => one.slice(one.indexOf("┤") + 1));

test("chart: a rising line begins at the bottom left and ends at the top right", () => {
  const rows = plot(draw([line("a", 1, 10, 100, 1000)]));
  assert.equal(rows.length, 11);
  assert.match(rows.at(-1)!, /^─/);
  assert.match(rows[0]!, /─$/);
  const width = Math.max(...rows.map((row) => row.length));
  for (let column = 0; column < width; column++) {
    assert.ok(
      rows.some((row) => (row[column] ?? " ") !== " "),
      `column ${column} is empty`,
    );
  }
});

test("chart: no line is wider than asked for, at any width", () => {
  for (const width of [40, 60, 80, 200]) {
    for (const one of draw(
      [line("ideal", 1, 2, 3, 4), line("a", 5, 6, 7, 8), line("b", 9, 1, 8, 2)],
      width,
    )) {
      assert.ok(one.length <= width, `${one.length} > ${width}: ${one}`);
    }
  }
});

test("chart: ticks stand where their values are, on a log axis", () => {
  const lines = draw([line("a", 1, 2, 3, 4)]);
  const rule = lines.find((one) => one.includes("└"))!;
  const from = rule.indexOf("└") + 1;
  const ticks = [...rule].flatMap((stroke, column) => (stroke === "┬" ? [column - from] : []));
  const columns = rule.length - from;
  const expected = [5, 50, 500, 10_000].map((at) =>
    Math.round((Math.log10(at / 5) / Math.log10(2000)) * (columns - 1)),
  );
  assert.deepEqual(ticks, expected);
  assert.match(lines.at(-2)!, /5 +50 +500 +10,000$/);
});

test("chart: a gap in a series is a gap in its line", () => {
  const whole = plot(draw([line("a", 7, 7, 7, 7)])).join("");
  const broken = plot(draw([line("a", 7, undefined, 7, 7)])).join("");
  const strokes = (text: string) => [...text].filter((stroke) => stroke === "─").length;
  assert.ok(strokes(broken) < strokes(whole) / 1.5 && strokes(broken) > 0);
});

test("chart: a single point, equal values, and no point at all are drawn without a fuss", () => {
  assert.match(plot(draw([line("a", 3)])).join(""), /─/);
  assert.match(plot(draw([line("a", 3, 3, 3, 3)])).join(""), /─{60}/);
  assert.deepEqual(draw([line("a")]), ["(nothing to draw)"]);
  assert.deepEqual(draw([line("a", undefined)]), ["(nothing to draw)"]);
  assert.ok(
    !draw([line("a", 3), line("b", undefined)])
      .join("")
      .includes("NaN"),
  );
});

test("chart: colour adds nothing but colour, and without it lines still differ", () => {
  const series = [line("ideal", 1, 2, 3, 4), line("a", 5, 6, 7, 8), line("b", 9, 1, 8, 2)];
  const colourful = draw(series, 80, true).join("\n");
  assert.notEqual(colourful, draw(series).join("\n"));
  assert.equal(stripVTControlCharacters(colourful), draw(series).join("\n"));
  assert.match(draw(series).at(-1)!, /·· ideal {3}━━ a {3}══ b/);
});
