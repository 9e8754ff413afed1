// A comparison for people: tables, charts, and what they mean.

import { barChart } from "./bar-chart.ts";
import { lineChart, type Series } from "./chart.ts";
import {
  BASELINE,
  type Cell,
  type Comparison,
  cellsOf,
  idealAt,
  middle,
  REFUSALS,
  type TimedCell,
  timed,
} from "./comparison.ts";
import { findings } from "./findings.ts";
import { formatBytes, formatCount, formatMs, formatTable, plural, wrap } from "./format.ts";
import { namesIn } from "./phrases.ts";
import type { RunRecord } from "./record.ts";
import { ratio, sum } from "./statistics.ts";
import { escapeControl } from "./terminal.ts";
import { describeTimeline } from "./timeline.ts";

/** Columns to draw in, and whether to colour. */
export interface Look {
  width: number;
  colour: boolean;
}

/** All of a comparison. */
export function describeComparison(comparison: Comparison, look: Look): string {
  const cells = cellsOf(comparison);
  const [equal, asPython] = [false, true].map((one) =>
    cells.filter((cell) => cell.asPython === one),
  ) as [Cell[], Cell[]];
  const sentences = [...findings(comparison), ...comparison.remarks];
  return [
    ...panel(comparison, equal, look),
    ...(asPython.length > 0
      ? ["With as many workers as Python's executors choose:", ...panel(comparison, asPython, look)]
      : []),
    ...comparison.timelines.flatMap((record) => timelineOf(record, look)),
    sentences.map((sentence) => wrap(escapeControl(sentence), look.width, "- ")).join("\n"),
  ].join("\n\n");
}

/** One set of cells: its times, a chart, and what it cost. */
function panel(comparison: Comparison, cells: Cell[], look: Look): string[] {
  const speedups =
    comparison.over === "workers" && comparison.xs.length > 1
      ? [speedupChart(comparison, cells, look)]
      : [];
  return [
    formatTable(timeTable(comparison, cells), look.width),
    timeChart(comparison, cells, look),
    ...speedups,
    ...costTable(cells, look),
  ];
}

/**
 * Sizes or numbers of workers down, the limit and the techniques across; "-" where one was not run.
 * Over workers each time comes with how many times as fast as the plain loop it is.
 */
export function timeTable(comparison: Comparison, cells: Cell[]): string[][] {
  const { over, xs, machine } = comparison;
  const asPython = cells.some((cell) => cell.asPython);
  const techniques = (asPython ? namesIn(cells) : comparison.techniques).filter(
    (name) => over === "requests" || name !== BASELINE,
  );
  const ideals = xs.map((x) => idealAt(cells, x, machine.cores));
  const withIdeal = ideals.some((ideal) => ideal !== undefined);
  const name = (technique: string) => {
    const cell = cells.find((one) => one.technique === technique);
    return cell?.asPython ? `${technique} x${cell.workers}` : technique;
  };
  const rows = xs.map((x, row) => [
    formatCount(x),
    ...(withIdeal ? [ideals[row] === undefined ? "-" : formatMs(ideals[row])] : []),
    ...techniques.map((technique) => {
      const cell = cells.find((one) => one.technique === technique && one.x === x);
      const base = over === "workers" && cell ? baseOf(cell, cells) : undefined;
      return timeText(cell) + (base && cell?.ms ? `  ${speedup(base, cell as TimedCell)}` : "");
    }),
  ]);
  return [[over, ...(withIdeal ? ["ideal"] : []), ...techniques.map(name)], ...rows];
}

function speedup(base: TimedCell, cell: TimedCell): string {
  return `${ratio(base.ms, cell.ms).factor.toFixed(1)}x`;
}

/** What a time over workers is held against: the plain loop, or else the technique's fewest workers. */
function baseOf(cell: Cell, cells: Cell[]): TimedCell | undefined {
  const good = timed(cells);
  const own = (name: string) => good.find((one) => one.technique === name);
  return own(BASELINE) ?? own(cell.technique);
}

/** A cell of the table: the median, the spread where there are several runs, what failed. */
function timeText(cell: Cell | undefined): string {
  if (!cell) return "-";
  const failed = sum(cell.samples.map((one) => (one.interrupted ? 0 : one.failed)));
  const refused = sum(cell.samples.map((one) => refusals(one)));
  if (!cell.ms) {
    const all = cell.samples.filter((one) => !one.interrupted);
    if (all.length === 0) return "interrupted";
    if (all.every((one) => one.ok === 0)) return refused > 0 ? "refused" : "failed";
    const some = refused > 0 ? `${formatCount(refused)} refused` : `${formatCount(failed)} failed`;
    return `(${some}) ${formatMs(all[0]!.ms)}`;
  }
  const { median, deviation } = cell.ms;
  const text = formatMs(median);
  return deviation === undefined ? text : `${text} ±${Math.round((deviation / median) * 100)}%`;
}

function refusals({ statuses }: RunRecord): number {
  return sum(REFUSALS.map((status) => statuses[status] ?? 0));
}

/** Time over requests or workers, on log axes; as bars where there is one point only. */
function timeChart({ over, xs, machine }: Comparison, cells: Cell[], look: Look): string {
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
function speedupChart({ xs, machine }: Comparison, cells: Cell[], look: Look): string {
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

/** What each technique took at the last point that any of them reached, against the fastest. */
function costTable(cells: Cell[], look: Look): string[] {
  const good = timed(cells);
  const x = Math.max(...good.map((cell) => cell.x));
  const here = good.filter((cell) => cell.x === x);
  const fastest = here.reduce((a, b) => (b.ms.median < a.ms.median ? b : a), here[0]!);
  if (!fastest) return [];
  const rows = here.map((cell) => {
    const { factor, deviation } = ratio(cell.ms, fastest.ms);
    const error = deviation === undefined || cell === fastest ? "" : ` ±${deviation.toFixed(2)}`;
    const startupMs = middle(cell, "startupMs");
    return [
      cell.technique,
      formatCount(cell.workers),
      formatMs(cell.ms.median),
      `${factor.toFixed(2)}${error}`,
      startupMs === undefined ? "-" : formatMs(startupMs),
      formatMs(middle(cell, "cpuMs")!),
      formatBytes(middle(cell, "peakRssBytes")!),
    ];
  });
  const head = ["technique", "workers", "time", "relative", "start-up", "CPU time", "memory"];
  const what = `What it cost at ${plural(fastest.requests, "iteration")}, workers included:`;
  return [wrap(what, look.width), formatTable([head, ...rows], look.width)];
}

/** A heading and the lanes of a run. */
function timelineOf(record: RunRecord, { width }: Look): string[] {
  const { technique, requests, workers, ms } = record;
  const lanes = technique === BASELINE ? "" : `, ${plural(workers, "worker")}`;
  const heading = `${technique}, ${plural(requests, "iteration")}${lanes}: ${formatMs(ms)}`;
  return [`${heading}\n${describeTimeline(record, width)}`];
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
