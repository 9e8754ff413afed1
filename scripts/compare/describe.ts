// A comparison for people: tables, charts, and what they mean.

import { formatMs, plural } from "../../lib/terminal/format.ts";
import { escapeControl } from "../../lib/terminal/terminal.ts";
import { describeTimeline } from "../../lib/terminal/timeline.ts";
import { type Look, speedupChart, timeChart } from "./charts.ts";
import { BASELINE, type Comparison, panelsOf } from "./comparison.ts";
import { findings } from "./findings.ts";
import { costTable, formatTable, timeTable, wrap } from "./tables.ts";

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
