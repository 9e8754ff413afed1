// A line chart in the terminal: asciichart draws each line, this adds the x axis, gaps and a legend.

import { stripVTControlCharacters } from "node:util";
import asciichart, { type PlotConfig } from "asciichart";

type Value = number | undefined;

/** One line: its points by rising x; a y of undefined is a gap, low and high the ends of its spread. */
export interface Series {
  name: string;
  points: { x: number; y: Value; low?: Value; high?: Value }[];
}

/** How one axis maps values to places. */
export interface Axis {
  scale: "linear" | "log";
  label: string;
  format: (value: number) => string;
  /** Where to mark the x axis. */
  ticks?: number[];
}

/** What the chart looks like. */
export interface ChartOptions {
  x: Axis;
  y: Axis;
  /** Columns in all, and rows of the plot. */
  width: number;
  height: number;
  colour: boolean;
}

/** Where an axis is marked evenly, as shares of its length. */
export const QUARTERS = [0, 0.25, 0.5, 0.75, 1];
/** The strokes of each line, in asciichart's order, which tell lines apart without colour. */
const STROKES = ["─╰╭╮╯│", "━┗┏┓┛┃", "═╚╔╗╝║", "╌└┌┐┘╎", "xxxxxx", "++++++"];
/** The colour of each line (an SGR code). */
const COLOURS = [32, 33, 36, 35, 31, 34];

/** The strokes of a line or bar by its name and number, and what paints text in its colour, if any. */
export function styleOf({ name }: { name: string }, number: number, colour: boolean) {
  const style = number % STROKES.length;
  const [strokes, sgr] = name === "ideal" ? ["······", 90] : [STROKES[style]!, COLOURS[style]];
  return { strokes, paint: (text: string) => (colour ? `\x1b[${sgr}m${text}\x1b[0m` : text) };
}

/**
 * Draws series over a common x axis, with labels, ticks and a legend.
 *
 * @param series Drawn in order, later ones on top; one named "ideal" is dotted, one without points
 *   is left out, but keeps its style from the others.
 * @returns Lines of at most `width` columns; one that says so where there is no point at all.
 */
export function lineChart(series: Series[], options: ChartOptions): string {
  const { x, y, width, height, colour } = options;
  const points = series.flatMap((one) => one.points.filter((point) => point.y !== undefined));
  if (points.length === 0) return "(nothing to draw)";
  const ends = points.flatMap(({ y, low = y, high = y }) => [low!, high!]);
  const xs = points.map((point) => point.x);
  const [xScale, yScale] = [scaleOf(x, xs), scaleOf(y, ends)];
  const rows = [...Array(height + 1).keys()];
  const labels = rows.map((row) => y.format(yScale.below(row / height)));
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const columns = Math.max(2, width - labelWidth - 2);
  const toColumn = (at: number) => Math.round(xScale.share(at) * (columns - 1));
  const toRow = (at: number) => yScale.share(at) * height; // from the bottom

  const grid = labels.map(() => new Array<string>(columns).fill(" "));
  const lines = series.map((one, number) => ({ ...one, number, ...styleOf(one, number, colour) }));
  // Under the lines: where a spread is wider than a row, its ends are joined, side by side where
  // several lines have a point. A point without a spread has NaN for its ends, so nothing is drawn.
  for (const { points, number, paint } of lines) {
    for (const { x: at, low = Number.NaN, high = Number.NaN } of points) {
      const [from, to] = [height - Math.round(toRow(high)), height - Math.round(toRow(low))];
      const column = toColumn(at);
      const aside = column + number < columns ? column + number : columns - 1 - number;
      for (let row = from; from < to && row <= to; row++) grid[row]![aside] = paint("┊");
    }
  }
  for (const { points, strokes, paint } of lines) {
    const parts: Place[][] = [[]]; // those between gaps
    for (const { x, y } of points)
      if (y === undefined) parts.push([]);
      else parts.at(-1)!.push({ column: toColumn(x), row: toRow(y) });
    for (const part of parts)
      for (const [row, line] of drawPart(part, height, strokes).entries())
        for (const [step, stroke] of [...line].entries())
          if (stroke !== " ") grid[row]![part[0]!.column + step] = paint(stroke);
  }

  const ticks = x.ticks?.map((at): Tick => [toColumn(at), x.format(at)]);
  const [rule, marks] = xAxis(ticks ?? [], columns);
  const margin = " ".repeat(labelWidth);
  const drawn = lines.filter((line) => line.points.some((point) => point.y !== undefined));
  const legend = drawn.map(({ name, strokes, paint }) => `${paint(strokes[0]!.repeat(2))} ${name}`);
  const below = series.length > 1 ? legendLines(legend, width - labelWidth - 2) : [];
  return [
    `${margin} ${y.label}`,
    ...grid.map((row, at) => {
      const label = labels[at] === labels[at - 1] ? "" : labels[at]!;
      return `${label.padStart(labelWidth)} ┤${row.join("").trimEnd()}`;
    }),
    `${margin} └${rule}`,
    ...[marks, x.label, ...below].map((line) => `${margin}  ${line}`),
  ].join("\n");
}

/** The legend in as many lines as it takes. */
function legendLines(entries: string[], width: number): string[] {
  const lines: string[] = [];
  for (const entry of entries) {
    const longer = [...lines.slice(-1), entry].join("   ");
    if (stripVTControlCharacters(longer).length > width) lines.push(entry);
    else lines.splice(-1, 1, longer);
  }
  return lines;
}

type Place = { column: number; row: number };

/** A part of a line as rows of strokes from the top, straight from each place to the next. */
function drawPart(places: Place[], height: number, strokes: string): string[] {
  const rows = places.flatMap(({ column, row }, number) => {
    const to = places[number + 1] ?? { column: column + 2, row }; // the last has a stroke of its own
    const columns = to.column - column;
    return Array.from({ length: columns }, (_, step) => row + ((to.row - row) * step) / columns);
  });
  // Already in rows: asciichart is not to scale. Before an offset of 0, its axis has no place.
  const symbols = [..."    ", ...strokes] as unknown as PlotConfig["symbols"];
  const scale = { min: 0, max: height, height, offset: 0, format: () => " ", symbols };
  return asciichart.plot(rows, scale).split("\n");
}

/** Where an axis has a mark, and what it is. */
export type Tick = [column: number, mark: string];

/** The x axis as a rule with ticks and the marks below it; marks that would touch are left out, but not the last. */
export function xAxis(ticks: Tick[], columns: number): [rule: string, marks: string] {
  const rule = new Array<string>(columns).fill("─");
  const marks = new Array<string>(columns).fill(" ");
  const placed = ticks.filter(([column]) => column >= 0 && column < columns);
  for (const [column, mark] of [...placed.slice(-1), ...placed]) {
    const from = Math.max(0, Math.min(column - (mark.length >> 1), columns - mark.length));
    const around = marks.slice(Math.max(0, from - 1), from + mark.length + 1);
    if (around.some((cell) => cell !== " ")) continue;
    rule[column] = "┬";
    marks.splice(from, mark.length, ...mark);
  }
  return [rule.join(""), marks.join("").trimEnd()];
}

/** An axis's scale from the least to the most of these values, or around them if all are equal. */
function scaleOf({ scale }: Axis, values: number[]) {
  const place = (value: number) => (scale === "log" ? Math.log10(value) : value);
  const places = values.map(place);
  const [least, most] = [Math.min(...places), Math.max(...places)];
  const apart = most > least ? 0 : Math.max(0.1, Math.abs(most) * 0.1);
  const [low, high] = [least - apart, most + apart];
  return {
    share: (value: number) => (place(value) - low) / (high - low),
    /** The value that is so far below the most, as a share of the axis. */
    below(share: number) {
      const place = high - share * (high - low);
      return scale === "log" ? 10 ** place : place;
    },
  };
}
