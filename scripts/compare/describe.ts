// A comparison for people: tables, charts, and what they mean.

import { type ChartOptions, lineChart, type Series, styleOf } from "../../lib/terminal/chart.ts";
import { formatBytes, formatMs, plural } from "../../lib/terminal/format.ts";
import { escapeControl } from "../../lib/terminal/terminal.ts";
import { describeTimeline } from "../../lib/terminal/timeline.ts";
import type { Cell, Comparison, Panel, TimedCell } from "./comparison.ts";
import { BASELINE, bestOf, failureOf, panelsOf } from "./comparison.ts";
import { findings } from "./findings.ts";
import { formatRatio, ratio } from "./statistics.ts";

/** Columns to draw in, and whether to colour. */
export type Look = Pick<ChartOptions, "width" | "colour">;

/** Works out what there is to show; what a script or an API said cannot steer the terminal. */
export function summarize(comparison: Comparison) {
  const panels = panelsOf(comparison).map((panel) => ({ ...panel, table: timeTable(panel) }));
  const sentences = [...findings(panels), ...comparison.remarks].map(escapeControl);
  return { panels, sentences };
}

/** What is worked out of a comparison once, for all that shows it. */
export type Summary = ReturnType<typeof summarize>;

/** For each panel its times, charts, and what it cost; then timelines, then sentences. */
export function describe(comparison: Comparison, summary: Summary, look: Look): string {
  const isSweep = comparison.over === "workers" && comparison.xs.length > 1;
  return [
    ...summary.panels.flatMap((panel) => [
      ...(panel.asPython ? ["With as many workers as Python's executors choose:"] : []),
      formatTable(panel.table, look.width),
      timeChart(panel, look),
      ...(isSweep ? [speedupChart(panel, look)] : []),
      ...costTable(panel, look.width),
    ]),
    ...comparison.timelines.map((record) => {
      const { technique, requests, workers, ms } = record;
      const lanes = technique === BASELINE ? "" : `, ${plural(workers, "worker")}`;
      const heading = `${technique}, ${plural(requests, "iteration")}${lanes}: ${formatMs(ms)}`;
      return `${heading}\n${describeTimeline(record, look.width)}`;
    }),
    summary.sentences.map((sentence) => wrap(sentence, look.width, "- ")).join("\n"),
  ].join("\n\n");
}

/**
 * Sizes or numbers of workers down, as they can be typed; the ideal and the techniques across; "-"
 * where one was not run. Over workers each time comes with how many times as fast it is.
 *
 * @returns Columns: head, and a cell for each row.
 */
function timeTable({ over, xs, asPython, ideals, lines }: Panel): string[][] {
  const others = lines.filter(({ technique }) => technique !== BASELINE);
  const shown = over === "workers" && others.length > 0 ? others : lines;
  const ideal = ["ideal", ...ideals.map((row) => orDash(row?.ms.median, formatMs))];
  return [
    [over, ...xs.map(String)],
    ...(ideals.some(Boolean) ? [ideal] : []),
    ...shown.map(({ technique, cells }) => [
      asPython ? `${technique} x${cells.find(Boolean)!.workers}` : technique,
      ...cells.map((cell) => {
        const gain = over === "workers" && cell?.gain;
        return timeText(cell) + (gain ? `  ${formatRatio({ factor: gain.factor })}x` : "");
      }),
    ]),
  ];
}

/**
 * A cell of the table: the median of the runs in which nothing failed, their spread, and how many
 * of the runs they are, where not all. Where there are none, what of the iterations failed.
 */
function timeText(cell: Cell | undefined): string {
  if (!cell) return "-";
  const { ms, samples } = cell;
  if (!ms) return failureOf(samples)?.text ?? "interrupted";
  const share = ms.deviationShare * 100;
  const spread = share < 0.01 ? "" : ` ±${Number(share.toPrecision(share < 10 ? 1 : 2))}%`;
  const part = ms.count < samples.length ? ` (${ms.count} of ${samples.length} runs)` : "";
  return formatMs(ms.median) + spread + part;
}

/** What each technique took in the last row that any of them reached, against the fastest. */
function costTable({ rows }: Panel, width: number): string[] {
  const last = rows.findLast((row) => row.length > 0);
  if (!last) return [];
  const best = bestOf(last)!;
  const column = (head: string, toText: (cell: TimedCell) => string) => [head, ...last.map(toText)];
  const columns = [
    column("technique", ({ technique }) => technique),
    column("workers", ({ workers }) => `${workers}`),
    column("time", ({ ms }) => formatMs(ms.median)),
    column("relative", (cell) => (cell === best ? "1" : formatRatio(ratio(cell.ms, best.ms)))),
    column("start-up", ({ median }) => orDash(median.startupMs, formatMs)),
    column("CPU time", ({ median }) => orDash(median.cpuMs, formatMs)),
    column("memory", ({ median }) => orDash(median.peakRssBytes, formatBytes)),
  ];
  const what = `What it cost at ${plural(best.requests, "iteration")}, workers included:`;
  return [wrap(what, width), formatTable(columns, width)];
}

function orDash(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? "-" : format(value);
}

/**
 * Columns as text, right-aligned, with a rule below their heads. What is wider than `width` goes on
 * in a table below, which repeats the first column.
 */
export function formatTable(columns: string[][], width = Number.POSITIVE_INFINITY): string {
  const padded = columns.map(([head = "", ...cells]) => {
    const widest = Math.max(...[head, ...cells].map((cell) => cell.length));
    return [head, "─".repeat(widest), ...cells].map((cell) => cell.padStart(widest));
  });
  const widthOf = (count: number) => linesOf(padded.slice(0, count), "  ")[0]!.length;
  const fit = Math.max(2, padded.filter((_, last) => widthOf(last + 1) <= width).length);
  const rest = [columns[0]!, ...columns.slice(fit)];
  const table = linesOf(padded.slice(0, fit), "  ").join("\n");
  return rest.length > 1 ? `${table}\n\n${formatTable(rest, width)}` : table;
}

/** The rows of columns, with something between their cells. */
export function linesOf(columns: string[][], between: string): string[] {
  return columns[0]!.map((_, row) => columns.map((cells) => cells[row]).join(between));
}

/** Text in lines of at most `width` columns; the first begins with `bullet`, others below it. */
export function wrap(text: string, width: number, bullet = ""): string {
  const room = width - bullet.length;
  const end = "(?= (?!(?:%|ms|s|us|MiB|±)(?:\\W|$))|$)"; // a number stays with its unit
  const lines = text.match(new RegExp(`\\S.{0,${room - 1}}${end}|\\S+`, "g")) ?? [];
  return bullet + lines.join(`\n${" ".repeat(bullet.length)}`);
}

/** Time over requests or workers, on log axes; as bars where there is one row only. */
function timeChart(panel: Panel, look: Look): string {
  const series = seriesOf(panel, ({ ms }) => ({ y: ms?.median, low: ms?.least, high: ms?.most }));
  if (panel.rows.filter((row) => row.length > 0).length === 1) return barChart(series, look);
  const y = { scale: "log", label: "time", format: formatMs } as const;
  return lineChart(series, { x: xAxisOf(panel, "log"), y, height: 16, ...look });
}

/** How many times as fast as the plain loop, over workers; linear: the ideal is straight. */
function speedupChart(panel: Panel, look: Look): string {
  const hasPlain = panel.rows.flat().some(({ technique }) => technique === BASELINE);
  const whom = hasPlain ? "the plain loop" : "with the fewest workers";
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
