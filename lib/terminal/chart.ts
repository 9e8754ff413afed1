// A line chart in the terminal: asciichart draws each line, this adds the x axis, gaps and a legend.

import asciichart, { type PlotConfig } from "asciichart";

/** One line: its points by rising x; a y of undefined is a gap, low and high the ends of its spread. */
export interface Series {
  name: string;
  points: {
    x: number;
    y: number | undefined;
    low?: number | undefined;
    high?: number | undefined;
  }[];
}

/** How one axis maps values to places. */
export interface Axis {
  scale: "linear" | "log";
  label: string;
  format: (value: number) => string;
  /** Where to mark it; left out: evenly. */
  ticks?: number[];
}

/** What the chart looks like. */
export interface ChartOptions {
  x: Axis;
  y: Axis;
  /** Columns in all. */
  width: number;
  /** Rows of the plot; 14 unless given. */
  height?: number;
  colour: boolean;
}

/** A colour (SGR code) and strokes, in asciichart's order, for each line: told apart without colour too. */
export const STYLES = [
  { sgr: 32, strokes: "┼┤╶╴─╰╭╮╯│" },
  { sgr: 33, strokes: "┼┤╺╸━┗┏┓┛┃" },
  { sgr: 36, strokes: "┼┤═══╚╔╗╝║" },
  { sgr: 35, strokes: "┼┤╌╌╌└┌┐┘╎" },
  { sgr: 31, strokes: "┼┤xxxxxxxx" },
  { sgr: 34, strokes: "┼┤++++++++" },
];
export const DOTTED = { sgr: 90, strokes: "┼┤········" };

/**
 * Draws series over a common x axis, with labels, ticks and a legend.
 *
 * @param series Drawn in order, later ones on top; one named "ideal" is dotted, one without points
 *   is left out, but keeps its style from the others.
 * @returns Lines of at most `width` columns; one that says so where there is no point at all.
 */
export function lineChart(
  series: Series[],
  { x, y, width, height = 14, colour }: ChartOptions,
): string {
  const points = series.flatMap((one) => one.points.filter((point) => point.y !== undefined));
  if (points.length === 0) return "(nothing to draw)";
  const [lowX, highX] = range(points.map((point) => project(x, point.x)));
  const ends = points.flatMap(({ y, low = y, high = y }) => [low!, high!]);
  const [lowY, highY] = range(ends.map((end) => project(y, end)));
  const toRow = (at: number) => ((project(y, at) - lowY) / (highY - lowY)) * height;

  const labels = Array.from({ length: height + 1 }, (_, row) =>
    y.format(unproject(y, highY - (row / height) * (highY - lowY))),
  );
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const columns = Math.max(2, width - labelWidth - 2);
  const toColumn = (at: number) =>
    Math.round(((project(x, at) - lowX) / (highX - lowX)) * (columns - 1));

  const paint = (sgr: number, text: string) => (colour ? `\x1b[${sgr}m${text}\x1b[0m` : text);
  const grid = labels.map(() => new Array<string>(columns).fill(" "));
  const styleOf = ({ name }: Series, number: number) =>
    name === "ideal" ? DOTTED : STYLES[number % STYLES.length]!;
  // Under the lines: where a spread is wider than a row, its ends are joined, side by side where
  // several lines have a point.
  for (const [number, one] of series.entries()) {
    for (const { x: at, low, high } of one.points) {
      if (low === undefined || high === undefined) continue;
      const [from, to] = [height - Math.round(toRow(high)), height - Math.round(toRow(low))];
      const column = toColumn(at);
      const aside = column + number < columns ? column + number : columns - 1 - number;
      for (let row = from; from < to && row <= to; row++)
        grid[row]![aside] = paint(styleOf(one, number).sgr, "┊");
    }
  }
  const legend = series.map((one, number) => {
    const { sgr, strokes } = styleOf(one, number);
    for (const stretch of stretches(one)) {
      const from = toColumn(stretch[0]!.x);
      const rows = interpolate(stretch.map((point) => [toColumn(point.x), toRow(point.y)]));
      for (const [row, line] of drawLine(rows, height, [...strokes]).entries()) {
        for (const [column, stroke] of [...line].entries()) {
          if (stroke !== " ") grid[row]![Math.min(from + column, columns - 1)] = paint(sgr, stroke);
        }
      }
    }
    const drawn = one.points.some((point) => point.y !== undefined);
    return {
      length: drawn ? one.name.length + 3 : 0,
      text: `${paint(sgr, strokes[4]!.repeat(2))} ${one.name}`,
    };
  });

  const ticks =
    x.ticks ?? [0, 0.25, 0.5, 0.75, 1].map((at) => unproject(x, lowX + at * (highX - lowX)));
  const [rule, marks] = xAxis(
    ticks.map((tick) => [toColumn(tick), x.format(tick)]),
    columns,
  );
  const margin = " ".repeat(labelWidth);
  return [
    `${margin} ${y.label}`,
    ...grid.map(
      (row, number) => `${labels[number]!.padStart(labelWidth)} ┤${row.join("").trimEnd()}`,
    ),
    `${margin} └${rule}`,
    `${margin}  ${marks}`,
    `${margin}  ${x.label}`,
    ...(series.length > 1
      ? legendLines(
          legend.filter((entry) => entry.length > 0),
          margin,
          width,
        )
      : []),
  ].join("\n");
}

/** The legend in as many lines as it takes. */
function legendLines(
  entries: { length: number; text: string }[],
  margin: string,
  width: number,
): string[] {
  const lines: string[] = [];
  let used = width;
  for (const { length, text } of entries) {
    if (used + 3 + length > width) {
      lines.push(`${margin}  ${text}`);
      used = margin.length + 2 + length;
    } else {
      lines[lines.length - 1] += `   ${text}`;
      used += 3 + length;
    }
  }
  return lines;
}

/** One line as rows of strokes from the top, one column between each two of the values. */
function drawLine(values: number[], height: number, symbols: string[]): string[] {
  // Already in rows: asciichart is not to scale. Its labels and axis, 3 columns, are cut off.
  const scale = {
    min: 0,
    max: height,
    height,
    offset: 2,
    format: () => "  ",
    symbols,
  };
  const plot = asciichart.plot(values, scale as unknown as PlotConfig);
  return plot.split("\n").map((line) => line.slice(3));
}

/** The parts of a line between its gaps. */
function stretches({ points }: Series): { x: number; y: number }[][] {
  const parts: { x: number; y: number }[][] = [[]];
  for (const { x, y } of points) {
    if (y === undefined) parts.push([]);
    else parts.at(-1)!.push({ x, y });
  }
  return parts.filter((part) => part.length > 0);
}

/** A value for every column from the first to the last, and one more to end the last column's stroke. */
function interpolate(points: [column: number, row: number][]): number[] {
  const rows: number[] = [];
  for (const [number, [column, row]] of points.entries()) {
    const [nextColumn, nextRow] = points[number + 1] ?? [column + 1, row];
    for (let at = column; at < nextColumn; at++) {
      rows.push(row + ((nextRow - row) * (at - column)) / (nextColumn - column));
    }
  }
  return [...rows, points.at(-1)![1]];
}

/** The x axis as a rule with ticks and the marks below it; marks that would touch are left out, but not the last. */
export function xAxis(ticks: [number, string][], columns: number): [rule: string, marks: string] {
  const rule = new Array<string>(columns).fill("─");
  let marks = "";
  const fromOf = ([column, mark]: [number, string]) =>
    Math.max(0, Math.min(column - (mark.length >> 1), columns - mark.length));
  const last = ticks.at(-1)!;
  for (const tick of ticks) {
    const [column, mark] = tick;
    if (column < 0 || column >= columns) continue;
    const from = fromOf(tick);
    const touches = tick !== last && from + mark.length >= fromOf(last);
    if (touches || (marks && from <= marks.length)) continue;
    rule[column] = "┬";
    marks = marks.padEnd(from) + mark;
  }
  return [rule.join(""), marks];
}

/** Where a value stands on an axis. */
function project(axis: Axis, value: number): number {
  return axis.scale === "log" ? Math.log10(value) : value;
}

/** The value that stands at a place of an axis. */
function unproject(axis: Axis, place: number): number {
  return axis.scale === "log" ? 10 ** place : place;
}

/** Lowest and highest value, a little apart where they are the same. */
function range(values: number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return high > low
    ? [low, high]
    : [low - Math.max(0.1, Math.abs(low) * 0.1), high + Math.max(0.1, Math.abs(high) * 0.1)];
}
