// The charts of a comparison: time, and over workers how many times as fast.

import { lineChart, type Series, styleOf } from "../../lib/terminal/chart.ts";
import { formatMs, plural } from "../../lib/terminal/format.ts";
import { BASELINE, type Cell, type Comparison, type Ideal, type Panel } from "./comparison.ts";

/** Columns to draw in, and whether to colour. */
export interface Look {
  width: number;
  colour: boolean;
}

/** Time over requests or workers, on log axes; as bars where there is one row only. */
export function timeChart(comparison: Comparison, panel: Panel, look: Look): string {
  const { ideals, rows } = panel;
  const drawn = rows.filter(hasAny);
  if (drawn.length === 1) {
    const bars = drawn[0]!.map(({ technique, ms }) => ({ name: technique, value: ms.median }));
    const ideal = ideals[rows.indexOf(drawn[0]!)];
    return barChart(ideal ? [{ name: "ideal", value: ideal.ms }, ...bars] : bars, look);
  }
  const toY = ({ ms }: Cell) => ({ y: ms?.median, low: ms?.least, high: ms?.most });
  return lineChart(
    seriesOf(comparison, panel, (ideal) => ideal.ms, toY),
    {
      x: { ...xAxisOf(comparison, panel), scale: "log" },
      y: { scale: "log", label: "time", format: formatMs },
      height: 16,
      ...look,
    },
  );
}

/** How many times as fast as the plain loop, over workers; linear: the ideal is straight. */
export function speedupChart(comparison: Comparison, panel: Panel, look: Look): string {
  const plain = panel.rows.flat().find(({ technique }) => technique === BASELINE)?.ms.median;
  const whom = plain === undefined ? "with the fewest workers" : "the plain loop";
  const toIdeal = ({ ms }: Ideal) => plain && plain / ms;
  const toY = ({ gain }: Cell) => ({ y: gain?.factor });
  return lineChart(seriesOf(comparison, panel, toIdeal, toY), {
    x: { ...xAxisOf(comparison, panel), scale: "linear" },
    y: { scale: "linear", label: `times as fast as ${whom}`, format: (y) => y.toFixed(1) },
    height: 12,
    ...look,
  });
}

function seriesOf(
  { xs }: Comparison,
  { lines, ideals }: Panel,
  toIdeal: (ideal: Ideal) => number | undefined,
  toY: (cell: Cell) => Omit<Series["points"][number], "x">,
): Series[] {
  const series = (name: string, ys: Omit<Series["points"][number], "x">[]) => ({
    name,
    points: xs.map((x, row) => ({ x, ...ys[row]! })),
  });
  const gap = { y: undefined };
  return [
    series(
      "ideal",
      ideals.map((ideal) => ({ y: ideal && toIdeal(ideal) })),
    ),
    ...lines.map(({ technique, cells }) =>
      series(
        technique,
        cells.map((cell) => (cell ? toY(cell) : gap)),
      ),
    ),
  ];
}

/** The axis over the rows; those before the first and after the last with a time have no place. */
function xAxisOf({ over, xs, machine }: Comparison, { rows }: Panel) {
  const cores = over === "workers" ? ` (this machine has ${plural(machine.cores, "core")})` : "";
  const ends = [rows.findIndex(hasAny), rows.findLastIndex(hasAny) + 1];
  return { label: over + cores, format: String, ticks: xs.slice(...ends) };
}

function hasAny(row: unknown[]): boolean {
  return row.length > 0;
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
