// The tables of a comparison, times and what they cost, as lines of at most so many columns.

import { formatBytes, formatMs, plural } from "../../lib/terminal/format.ts";
import { sum } from "../../lib/timing.ts";
import { BASELINE, bestOf, type Cell, failureOf, hasAny, type Panel } from "./comparison.ts";
import { formatRatio, ratio } from "./statistics.ts";

/**
 * Sizes or numbers of workers down, as they can be typed; the ideal and the techniques across; "-"
 * where one was not run. Over workers each time comes with how many times as fast as its base it is.
 */
export function timeTable({ over, xs, asPython, ideals, lines }: Panel): string[][] {
  const others = lines.filter(({ technique }) => technique !== BASELINE);
  const shown = over === "workers" && others.length > 0 ? others : lines;
  const hasIdeal = ideals.some((ideal) => ideal !== undefined);
  const head = shown.map(({ technique, cells }) =>
    asPython ? `${technique} x${cells.find(Boolean)!.workers}` : technique,
  );
  return [
    [over, ...(hasIdeal ? ["ideal"] : []), ...head],
    ...xs.map((x, row) => [
      `${x}`,
      ...(hasIdeal ? [orDash(ideals[row]?.ms.median, formatMs)] : []),
      ...shown.map(({ cells }) => {
        const gain = over === "workers" && cells[row]?.gain;
        return timeText(cells[row]) + (gain ? `  ${formatRatio({ factor: gain.factor })}x` : "");
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
  const last = rows.findLast(hasAny);
  if (!last) return [];
  const fastest = bestOf(last)!;
  const costs = last.map((cell) => {
    const { startupMs, cpuMs, peakRssBytes } = cell.median;
    return [
      cell.technique,
      `${cell.workers}`,
      formatMs(cell.ms.median),
      cell === fastest ? "1" : formatRatio(ratio(cell.ms, fastest.ms)),
      orDash(startupMs, formatMs),
      orDash(cpuMs, formatMs),
      orDash(peakRssBytes, formatBytes),
    ];
  });
  const head = ["technique", "workers", "time", "relative", "start-up", "CPU time", "memory"];
  const what = `What it cost at ${plural(fastest.requests, "iteration")}, workers included:`;
  return [wrap(what, width), formatTable([head, ...costs], width)];
}

function orDash(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? "-" : format(value);
}

/**
 * Rows of cells as lines of right-aligned columns, a rule below the first row. What is wider than
 * `width` goes on in a table below, which repeats the first column.
 */
export function formatTable(rows: string[][], width = Number.POSITIVE_INFINITY): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const ends = widths.map((_, column) => sum(widths.slice(0, column + 1)) + 2 * column);
  const fit = Math.max(2, ends.filter((end) => end <= width).length);
  if (fit < widths.length) {
    const rest = rows.map((row) => [row[0]!, ...row.slice(fit)]);
    const first = rows.map((row) => row.slice(0, fit));
    return `${formatTable(first, width)}\n\n${formatTable(rest, width)}`;
  }
  const rule = widths.map((width) => "─".repeat(width));
  return [rows[0]!, rule, ...rows.slice(1)]
    .map((row) => row.map((cell, column) => cell.padStart(widths[column]!)).join("  "))
    .join("\n");
}

/** Text in lines of at most `width` columns; the first begins with `bullet`, others below it. */
export function wrap(text: string, width: number, bullet = ""): string {
  const room = width - bullet.length;
  const end = "(?= (?!(?:%|ms|s|us|MiB|±)(?:\\W|$))|$)"; // a number stays with its unit
  const lines = text.match(new RegExp(`\\S.{0,${room - 1}}${end}|\\S+`, "g")) ?? [];
  return bullet + lines.join(`\n${" ".repeat(bullet.length)}`);
}
