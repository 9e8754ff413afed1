// The tables of a comparison: times, and what they cost.

import type { RunRecord } from "../../lib/command/record.ts";
import { formatBytes, formatCount, formatMs, plural } from "../../lib/terminal/format.ts";
import { sum } from "../../lib/timing.ts";
import {
  BASELINE,
  type Cell,
  type Comparison,
  idealAt,
  middle,
  REFUSALS,
  type TimedCell,
  timed,
} from "./comparison.ts";
import { namesIn, wrap } from "./phrases.ts";
import { ratio } from "./statistics.ts";

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
export function baseOf(cell: Cell, cells: Cell[]): TimedCell | undefined {
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

/** What each technique took at the last point that any of them reached, against the fastest. */
export function costTable(cells: Cell[], width: number): string[] {
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
  return [wrap(what, width), formatTable([head, ...rows], width)];
}

/**
 * Rows of cells as lines of right-aligned columns, a rule below the first row. What is wider than
 * `width` goes on in a table below, which repeats the first column.
 */
export function formatTable(rows: string[][], width = Number.POSITIVE_INFINITY): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  let fit = 1;
  let used = widths[0]!;
  while (fit < widths.length && (fit === 1 || used + 2 + widths[fit]! <= width)) {
    used += 2 + widths[fit++]!;
  }
  if (fit < widths.length) {
    const rest = rows.map((row) => [row[0]!, ...row.slice(fit)]);
    const first = rows.map((row) => row.slice(0, fit));
    return `${formatTable(first, width)}\n\n${formatTable(rest, width)}`;
  }
  const lines = rows.map((row) =>
    row.map((cell, column) => cell.padStart(widths[column]!)).join("  "),
  );
  return [lines[0], widths.map((width) => "─".repeat(width)).join("  "), ...lines.slice(1)].join(
    "\n",
  );
}
