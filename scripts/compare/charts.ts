// The charts of a comparison: time, and over workers how many times as fast.

import { lineChart, type Series, styleOf } from "../../lib/terminal/chart.ts";
import { formatCount, formatMs, plural } from "../../lib/terminal/format.ts";
import { BASELINE, type Cell, type Comparison, type Line, type Panel } from "./comparison.ts";

/** Columns to draw in, and whether to colour. */
export interface Look {
  width: number;
  colour: boolean;
}

/** Time over requests or workers, on log axes; as bars where there is one row only. */
export function timeChart(comparison: Comparison, panel: Panel, look: Look): string {
  const { lines, ideals, rows } = panel;
  const drawn = rows.filter((row) => row.length > 0);
  if (drawn.length === 1) {
    const bars = drawn[0]!.map(({ technique, ms }) => ({ name: technique, value: ms.median }));
    const value = ideals[rows.indexOf(drawn[0]!)];
    return barChart(value === undefined ? bars : [{ name: "ideal", value }, ...bars], look);
  }
  const toY = ({ ms }: Cell) => ({ y: ms?.median, low: ms?.least, high: ms?.most });
  return lineChart(seriesOf(comparison, ideals, lines, toY), {
    x: { ...xAxisOf(comparison), scale: "log" },
    y: { scale: "log", label: "time", format: formatMs },
    height: 16,
    ...look,
  });
}

/** How many times as fast as the plain loop, over workers; linear: the ideal is straight. */
export function speedupChart(comparison: Comparison, panel: Panel, look: Look): string {
  const plain = panel.rows.flat().find(({ technique }) => technique === BASELINE)?.ms.median;
  const ideals = panel.ideals.map((ideal) => plain && ideal && plain / ideal);
  const whom = plain === undefined ? "with the fewest workers" : "the plain loop";
  const toY = ({ gain }: Cell) => ({ y: gain?.factor });
  return lineChart(seriesOf(comparison, ideals, panel.lines, toY), {
    x: { ...xAxisOf(comparison), scale: "linear" },
    y: { scale: "linear", label: `times as fast as ${whom}`, format: (y) => y.toFixed(1) },
    height: 12,
    ...look,
  });
}

function seriesOf(
  { xs }: Comparison,
  ideals: Panel["ideals"],
  lines: Line[],
  toY: (cell: Cell) => Omit<Series["points"][number], "x">,
): Series[] {
  const pointsOf = (cells: Line["cells"]) =>
    xs.map((x, row) => ({ x, y: undefined, ...(cells[row] && toY(cells[row])) }));
  return [
    { name: "ideal", points: xs.map((x, row) => ({ x, y: ideals[row] })) },
    ...lines.map(({ technique, cells }) => ({ name: technique, points: pointsOf(cells) })),
  ];
}

function xAxisOf({ over, xs, machine }: Comparison) {
  const cores = over === "workers" ? ` (this machine has ${plural(machine.cores, "core")})` : "";
  return { label: over + cores, format: formatCount, ticks: xs };
}

/** Bars from zero with their names and values, each line at most `width` columns wide. */
function barChart(bars: { name: string; value: number }[], { width, colour }: Look): string {
  const nameWidth = Math.max(...bars.map(({ name }) => name.length));
  const textWidth = Math.max(...bars.map(({ value }) => formatMs(value).length));
  const longest = Math.max(...bars.map(({ value }) => value));
  const columns = Math.max(1, width - nameWidth - textWidth - 4);
  const lines = bars.map(({ name, value }, number) => {
    const bar = (name === "ideal" ? "·" : "█").repeat(Math.round((value / longest) * columns));
    const painted = styleOf({ name }, number, colour).paint(bar);
    return `${name.padStart(nameWidth)}  ${formatMs(value).padStart(textWidth)}  ${painted}`;
  });
  return lines.join("\n");
}
