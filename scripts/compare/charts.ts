// The charts of a comparison: time, and over workers how many times as fast.

import { type Axis, lineChart, type Series, styleOf } from "../../lib/terminal/chart.ts";
import { formatMs, plural } from "../../lib/terminal/format.ts";
import { BASELINE, type Cell, type Comparison, type Ideal, type Panel } from "./comparison.ts";

/** Columns to draw in, and whether to colour. */
export interface Look {
  width: number;
  colour: boolean;
}

/** Time over requests or workers, on log axes; as bars where there is one row only. */
export function timeChart(comparison: Comparison, panel: Panel, look: Look): string {
  const drawn = panel.rows.filter((row) => row.length > 0);
  if (drawn.length === 1) {
    const bars = drawn[0]!.map(({ technique, ms }) => ({ name: technique, value: ms.median }));
    const ideal = panel.ideals[panel.rows.indexOf(drawn[0]!)];
    return barChart(ideal ? [{ name: "ideal", value: ideal.ms }, ...bars] : bars, look);
  }
  const toY = ({ ms }: Cell) => ({ y: ms?.median, low: ms?.least, high: ms?.most });
  const series = seriesOf(comparison, panel, ({ ms }) => ({ y: ms }), toY);
  const y = { scale: "log", label: "time", format: formatMs } as const;
  return lineChart(series, { x: xAxisOf(comparison, panel, "log"), y, height: 16, ...look });
}

/** How many times as fast as the plain loop, over workers; linear: the ideal is straight. */
export function speedupChart(comparison: Comparison, panel: Panel, look: Look): string {
  const plain = panel.rows.flat().find(({ technique }) => technique === BASELINE)?.ms.median;
  const whom = plain === undefined ? "with the fewest workers" : "the plain loop";
  const toIdeal = ({ ms }: Ideal) => ({ y: plain && plain / ms });
  const series = seriesOf(comparison, panel, toIdeal, ({ gain }) => ({ y: gain?.factor }));
  const label = `times as fast as ${whom}`;
  const y = { scale: "linear", label, format: (factor: number) => factor.toFixed(2) } as const;
  return lineChart(series, { x: xAxisOf(comparison, panel, "linear"), y, height: 12, ...look });
}

/** The ideal and each technique; a row without a time is a gap. */
function seriesOf(
  { xs }: Comparison,
  { lines, ideals }: Panel,
  toIdeal: (ideal: Ideal) => Omit<Series["points"][number], "x">,
  toY: (cell: Cell) => Omit<Series["points"][number], "x">,
): Series[] {
  const points = <T>(rows: (T | undefined)[], toPoint: (row: T) => ReturnType<typeof toY>) =>
    xs.map((x, row) => ({ x, ...(rows[row] ? toPoint(rows[row]) : { y: undefined }) }));
  const techniques = lines.map(({ technique, cells }) => ({
    name: technique,
    points: points(cells, toY),
  }));
  return [{ name: "ideal", points: points(ideals, toIdeal) }, ...techniques];
}

/** The axis over the rows; those before the first and after the last with a time have no place. */
function xAxisOf({ over, xs, machine }: Comparison, { rows }: Panel, scale: Axis["scale"]): Axis {
  const cores = over === "workers" ? ` (this machine has ${plural(machine.cores, "core")})` : "";
  const drawn = xs.filter((_, row) => rows[row]!.length > 0);
  const ticks = xs.filter((x) => x >= drawn[0]! && x <= drawn.at(-1)!);
  return { label: over + cores, format: String, ticks, scale };
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
