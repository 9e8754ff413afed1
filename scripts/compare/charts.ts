// The charts of a comparison: time, and over workers how many times as fast.

import { type ChartOptions, lineChart, type Series, styleOf } from "../../lib/terminal/chart.ts";
import { formatMs, plural } from "../../lib/terminal/format.ts";
import { BASELINE, type Cell, type Line, type Panel } from "./comparison.ts";

/** Columns to draw in, and whether to colour. */
export type Look = Pick<ChartOptions, "width" | "colour">;

/** Time over requests or workers, on log axes; as bars where there is one row only. */
export function timeChart(panel: Panel, look: Look): string {
  const series = seriesOf(panel, ({ ms }) => ({ y: ms?.median, low: ms?.least, high: ms?.most }));
  if (panel.rows.filter((row) => row.length > 0).length === 1) return barChart(series, look);
  const y = { scale: "log", label: "time", format: formatMs } as const;
  return lineChart(series, { x: xAxisOf(panel, "log"), y, height: 16, ...look });
}

/** How many times as fast as the plain loop, over workers; linear: the ideal is straight. */
export function speedupChart(panel: Panel, look: Look): string {
  const isPlain = ({ technique, timed }: Line) => technique === BASELINE && timed.length > 0;
  const whom = panel.lines.some(isPlain) ? "the plain loop" : "with the fewest workers";
  const series = seriesOf(panel, ({ gain }) => ({ y: gain?.factor }));
  const format = (factor: number) => factor.toFixed(2);
  const y = { scale: "linear", label: `times as fast as ${whom}`, format } as const;
  return lineChart(series, { x: xAxisOf(panel, "linear"), y, height: 12, ...look });
}

/** The ideal and each technique; a row without a time is a gap. */
function seriesOf(
  { xs, lines, ideals }: Panel,
  toPoint: (cell: Pick<Cell, "ms" | "gain">) => Omit<Series["points"][number], "x">,
): Series[] {
  return [{ technique: "ideal", cells: ideals }, ...lines].map(({ technique, cells }) => ({
    name: technique,
    points: xs.map((x, row) => ({ x, y: undefined, ...(cells[row] && toPoint(cells[row])) })),
  }));
}

/** The axis over the rows; those before the first and after the last with a time have no place. */
function xAxisOf({ over, xs, machine, rows }: Panel, scale: "linear" | "log") {
  const cores = over === "workers" ? ` (this machine has ${plural(machine.cores, "core")})` : "";
  const isDrawn = (row: unknown[]) => row.length > 0;
  const ticks = xs.slice(rows.findIndex(isDrawn), rows.findLastIndex(isDrawn) + 1);
  return { label: over + cores, format: String, ticks, scale };
}

/** Each series' one point as a bar from zero, with name and time, at most `width` columns wide. */
function barChart(series: Series[], { width, colour }: Look): string {
  const bars = series.flatMap(({ name, points }) =>
    points.flatMap(({ y }) => (y === undefined ? [] : { name, ms: y, time: formatMs(y) })),
  );
  const nameWidth = Math.max(...bars.map(({ name }) => name.length));
  const timeWidth = Math.max(...bars.map(({ time }) => time.length));
  const longestMs = Math.max(...bars.map(({ ms }) => ms));
  const columns = Math.max(1, width - nameWidth - timeWidth - 4);
  const lines = bars.map(({ name, ms, time }, number) => {
    const bar = (name === "ideal" ? "·" : "█").repeat(Math.round((ms / longestMs) * columns));
    const painted = styleOf({ name }, number, colour).paint(bar);
    return `${name.padStart(nameWidth)}  ${time.padStart(timeWidth)}  ${painted}`;
  });
  return lines.join("\n");
}
