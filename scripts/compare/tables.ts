// The tables of a comparison, times and what they cost, as lines of at most so many columns.

import { formatBytes, formatMs, plural } from "../../lib/terminal/format.ts";
import type { Cell, Panel, TimedCell } from "./comparison.ts";
import { BASELINE, bestOf, failureOf } from "./comparison.ts";
import { formatRatio, ratio } from "./statistics.ts";

/**
 * Sizes or numbers of workers down, as they can be typed; the ideal and the techniques across; "-"
 * where one was not run. Over workers each time comes with how many times as fast as its base it is.
 *
 * @returns Columns: head, and a cell for each row.
 */
export function timeTable({ over, xs, asPython, ideals, lines }: Panel): string[][] {
  const others = lines.filter(({ technique }) => technique !== BASELINE);
  const shown = over === "workers" && others.length > 0 ? others : lines;
  const ideal = ["ideal", ...ideals.map((one) => orDash(one?.ms.median, formatMs))];
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
  const share = ((ms.deviation ?? 0) / ms.median) * 100;
  const spread = share < 0.01 ? "" : ` ±${Number(share.toPrecision(share < 10 ? 1 : 2))}%`;
  const part = ms.count < samples.length ? ` (${ms.count} of ${samples.length} runs)` : "";
  return formatMs(ms.median) + spread + part;
}

/** What each technique took in the last row that any of them reached, against the fastest. */
export function costTable({ rows }: Panel, width: number): string[] {
  const last = rows.findLast((row) => row.length > 0);
  if (!last) return [];
  const best = bestOf(last)!;
  const column = (head: string, toText: (cell: TimedCell) => string) => [head, ...last.map(toText)];
  const relative = (cell: TimedCell) => formatRatio(ratio(cell.ms, best.ms));
  const columns = [
    column("technique", ({ technique }) => technique),
    column("workers", ({ workers }) => `${workers}`),
    column("time", ({ ms }) => formatMs(ms.median)),
    column("relative", (cell) => (cell === best ? "1" : relative(cell))),
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
  const fits = (_: unknown, last: number) =>
    linesOf(padded.slice(0, last + 1), "  ")[0]!.length <= width;
  const fit = Math.max(2, padded.filter(fits).length);
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
