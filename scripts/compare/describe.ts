// A comparison for people: tables, charts, and what they mean.

import { formatMs, plural } from "../../lib/terminal/format.ts";
import { escapeControl } from "../../lib/terminal/terminal.ts";
import { describeTimeline } from "../../lib/terminal/timeline.ts";
import { type Look, speedupChart, timeChart } from "./charts.ts";
import { BASELINE, type Comparison, panelsOf, type Summary } from "./comparison.ts";
import { findings } from "./findings.ts";
import { costTable, timeTable } from "./tables.ts";
import { formatTable, wrap } from "./text.ts";
import { trust } from "./trust.ts";

/** Works out what there is to show. */
export function summarize(comparison: Comparison): Summary {
  const panels = panelsOf(comparison);
  const tables = panels.map((panel) => timeTable(comparison, panel));
  const unit = panels[0]!.work === "post" ? "request" : "iteration";
  const sentences = [...findings(comparison, panels), ...trust(comparison, panels)]
    .filter((sentence) => sentence !== undefined)
    .map((sentence) => sentence.replaceAll("request", unit));
  return { panels, tables, sentences: [...sentences, ...comparison.remarks] };
}

/** For each panel its times, charts, and what it cost; then timelines, then sentences. */
export function describe(comparison: Comparison, summary: Summary, look: Look): string {
  const { panels, tables, sentences } = summary;
  const isSweep = comparison.over === "workers" && comparison.xs.length > 1;
  return [
    ...panels.flatMap((panel, number) => [
      ...(panel.asPython ? ["With as many workers as Python's executors choose:"] : []),
      formatTable(tables[number]!, look.width),
      timeChart(comparison, panel, look),
      ...(isSweep ? [speedupChart(comparison, panel, look)] : []),
      ...costTable(panel, look.width),
    ]),
    ...comparison.timelines.map((record) => {
      const { technique, requests, workers, ms } = record;
      const lanes = technique === BASELINE ? "" : `, ${plural(workers, "worker")}`;
      const heading = `${technique}, ${plural(requests, "iteration")}${lanes}: ${formatMs(ms)}`;
      return `${heading}\n${describeTimeline(record, look.width)}`;
    }),
    sentences.map((sentence) => wrap(escapeControl(sentence), look.width, "- ")).join("\n"),
  ].join("\n\n");
}
