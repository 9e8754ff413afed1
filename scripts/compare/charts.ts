// The charts of a comparison: time, and over workers how many times as fast.

import { lineChart, type Series } from "../../lib/terminal/chart.ts";
import { formatCount, formatMs, plural } from "../../lib/terminal/format.ts";
import { barChart } from "./bar-chart.ts";
import { BASELINE, type Cell, type Comparison, idealAt, timed } from "./comparison.ts";
import { namesIn } from "./phrases.ts";
import { baseOf } from "./tables.ts";

/** Columns to draw in, and whether to colour. */
export interface Look {
  width: number;
  colour: boolean;
}

/** Time over requests or workers, on log axes; as bars where there is one point only. */
export function timeChart({ over, xs, machine }: Comparison, cells: Cell[], look: Look): string {
  const ideal = (x: number) => idealAt(cells, x, machine.cores);
  const [first, ...others] = xs.filter((x) => timed(cells).some((cell) => cell.x === x));
  if (first === undefined) return "(nothing to draw)";
  if (others.length === 0) {
    const bars = timed(cells).map((cell) => ({ name: cell.technique, value: cell.ms.median }));
    const limit = ideal(first);
    const all = [...(limit === undefined ? [] : [{ name: "ideal", value: limit }]), ...bars];
    return barChart(all, formatMs, look);
  }
  const lines = linesOf(cells, xs, (cell) => ({
    y: cell.ms?.median,
    low: cell.ms?.least,
    high: cell.ms?.most,
  }));
  const limit = { name: "ideal", points: xs.map((x) => ({ x, y: ideal(x) })) };
  return lineChart([limit, ...lines], {
    x: { scale: "log", label: axisLabel(over, machine), format: formatCount, ticks: xs },
    y: { scale: "log", label: "time", format: formatMs },
    height: 16,
    ...look,
  });
}

/** How many times as fast as with the plain loop, over workers; linear, so that the ideal is straight. */
export function speedupChart({ xs, machine }: Comparison, cells: Cell[], look: Look): string {
  const base = timed(cells).find((cell) => cell.technique === BASELINE)?.ms.median;
  const lines = linesOf(cells, xs, (cell) => {
    const own = cell.technique === BASELINE ? undefined : baseOf(cell, cells)?.ms.median;
    return { y: own !== undefined && cell.ms ? own / cell.ms.median : undefined };
  });
  const limit = xs.map((x) => {
    const ideal = idealAt(cells, x, machine.cores);
    return { x, y: base !== undefined && ideal !== undefined ? base / ideal : undefined };
  });
  return lineChart([{ name: "ideal", points: limit }, ...lines], {
    x: { scale: "linear", label: axisLabel("workers", machine), format: formatCount, ticks: xs },
    y: {
      scale: "linear",
      label:
        base === undefined
          ? "times as fast as with the fewest workers"
          : "times as fast as the plain loop",
      format: (factor) => factor.toFixed(1),
    },
    height: 12,
    ...look,
  });
}

function linesOf(
  cells: Cell[],
  xs: number[],
  toY: (cell: Cell) => Omit<Series["points"][number], "x">,
): Series[] {
  return namesIn(cells).map((name) => ({
    name,
    points: xs.map((x) => {
      const cell = cells.find((one) => one.technique === name && one.x === x);
      return { x, ...(cell ? toY(cell) : { y: undefined }) };
    }),
  }));
}

function axisLabel(over: Comparison["over"], { cores }: Comparison["machine"]): string {
  return over === "workers" ? `workers (this machine has ${plural(cores, "core")})` : over;
}
