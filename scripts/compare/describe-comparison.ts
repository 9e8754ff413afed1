// A comparison for people: tables, charts, and what they mean.

import type { RunRecord } from "../../lib/command/record.ts";
import { formatMs, plural } from "../../lib/terminal/format.ts";
import { escapeControl } from "../../lib/terminal/terminal.ts";
import { describeTimeline } from "../../lib/terminal/timeline.ts";
import { type Look, speedupChart, timeChart } from "./charts.ts";
import { BASELINE, type Cell, type Comparison, cellsOf } from "./comparison.ts";
import { findings } from "./findings.ts";
import { wrap } from "./phrases.ts";
import { costTable, formatTable, timeTable } from "./tables.ts";

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
    ...costTable(cells, look.width),
  ];
}

/** A heading and the lanes of a run. */
function timelineOf(record: RunRecord, { width }: Look): string[] {
  const { technique, requests, workers, ms } = record;
  const lanes = technique === BASELINE ? "" : `, ${plural(workers, "worker")}`;
  const heading = `${technique}, ${plural(requests, "iteration")}${lanes}: ${formatMs(ms)}`;
  return [`${heading}\n${describeTimeline(record, width)}`];
}
