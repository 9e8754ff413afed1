// The tables of a comparison: times, and what they cost.

import { formatBytes, formatCount, formatMs, plural } from "../../lib/terminal/format.ts";
import { sum } from "../../lib/timing.ts";
import { BASELINE, type Cell, type Comparison, type Panel, REFUSALS } from "./comparison.ts";
import { ratio } from "./statistics.ts";
import { formatTable, wrap } from "./text.ts";

/**
 * Sizes or numbers of workers down, the limit and the techniques across; "-" where one was not run.
 * Over workers each time comes with how many times as fast as the plain loop it is.
 */
export function timeTable({ over, xs }: Comparison, panel: Panel): string[][] {
  const { asPython, ideals } = panel;
  const lines = panel.lines.filter(
    ({ technique }) => over === "requests" || technique !== BASELINE,
  );
  const hasIdeal = ideals.some((ideal) => ideal !== undefined);
  const head = lines.map(({ technique, cells }) =>
    asPython ? `${technique} x${cells.find(Boolean)!.workers}` : technique,
  );
  return [
    [over, ...(hasIdeal ? ["ideal"] : []), ...head],
    ...xs.map((x, row) => [
      formatCount(x),
      ...(hasIdeal ? [orDash(ideals[row], formatMs)] : []),
      ...lines.map(({ cells }) => {
        const gain = over === "workers" && cells[row]?.gain;
        return timeText(cells[row]) + (gain ? `  ${gain.factor.toFixed(1)}x` : "");
      }),
    ]),
  ];
}

/** A cell of the table: the median, the spread where there are several runs, what failed. */
function timeText(cell: Cell | undefined): string {
  if (!cell) return "-";
  if (cell.ms) {
    const { median, deviation } = cell.ms;
    const text = formatMs(median);
    return deviation === undefined ? text : `${text} ±${Math.round((deviation / median) * 100)}%`;
  }
  const runs = cell.samples.filter((run) => !run.interrupted);
  if (runs.length === 0) return "interrupted";
  const refused = sum(REFUSALS.map((status) => cell.failures.get(status) ?? 0));
  if (runs.every((run) => run.ok === 0)) return refused > 0 ? "refused" : "failed";
  const failed = sum(runs.map((run) => run.failed));
  const some = refused > 0 ? `${formatCount(refused)} refused` : `${formatCount(failed)} failed`;
  return `(${some}) ${formatMs(runs[0]!.ms)}`;
}

/** What each technique took in the last row that any of them reached, against the fastest. */
export function costTable({ last }: Panel, width: number): string[] {
  const [fastest] = last.toSorted((a, b) => a.ms.median - b.ms.median);
  if (!fastest) return [];
  const rows = last.map((cell) => {
    const { factor, deviation } = ratio(cell.ms, fastest.ms);
    const error = deviation === undefined || cell === fastest ? "" : ` ±${deviation.toFixed(2)}`;
    const { startupMs, cpuMs, peakRssBytes } = cell.median;
    return [
      cell.technique,
      formatCount(cell.workers),
      formatMs(cell.ms.median),
      `${factor.toFixed(2)}${error}`,
      orDash(startupMs, formatMs),
      formatMs(cpuMs!),
      formatBytes(peakRssBytes!),
    ];
  });
  const head = ["technique", "workers", "time", "relative", "start-up", "CPU time", "memory"];
  const what = `What it cost at ${plural(fastest.requests, "iteration")}, workers included:`;
  return [wrap(what, width), formatTable([head, ...rows], width)];
}

function orDash(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? "-" : format(value);
}
