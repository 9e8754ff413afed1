// A comparison for people: a table, a line chart, and what they mean.

import { lineChart } from "./chart.ts";
import { findings, idealAt, isComparable } from "./findings.ts";
import { formatCount, formatMs, formatTable, wrap } from "./format.ts";
import type { RunRecord } from "./record.ts";
import { terminalWidth, wantsColour } from "./terminal.ts";

/** All of a comparison; `remarks` are sentences about how it was run. */
export function describeComparison(
  records: RunRecord[],
  sizes: number[],
  techniques: string[],
  remarks: string[],
): string {
  const width = Math.min(terminalWidth(), 120);
  const sentences = [...findings(records), ...remarks];
  return [
    comparisonTable(records, sizes, techniques),
    comparisonChart(records, sizes, techniques, { width, colour: wantsColour() }),
    sentences.map((sentence) => wrap(sentence, width, "- ")).join("\n"),
  ].join("\n\n");
}

/** Sizes down, the limit and the techniques across; "-" where a technique was not run. */
export function comparisonTable(
  records: RunRecord[],
  sizes: number[],
  techniques: string[],
): string {
  const withIdeal = sizes.some((size) => idealAt(records, size) !== undefined);
  const rows = sizes.map((size) => {
    const ideal = idealAt(records, size);
    const cells = techniques.map((technique) => cell(find(records, technique, size)));
    return [
      formatCount(size),
      ...(withIdeal ? [ideal === undefined ? "-" : formatMs(ideal)] : []),
      ...cells,
    ];
  });
  return formatTable([["requests", ...(withIdeal ? ["ideal"] : []), ...techniques], ...rows]);
}

/** Time over requests, both on log axes, a line a technique and a dotted one for the limit. */
export function comparisonChart(
  records: RunRecord[],
  sizes: number[],
  techniques: string[],
  look: { width: number; colour: boolean },
): string {
  const lines = techniques.map((name) => ({
    name,
    points: sizes.map((x) => {
      const record = find(records, name, x);
      return { x, y: record && isComparable(record) ? record.ms : undefined };
    }),
  }));
  const ideal = { name: "ideal", points: sizes.map((x) => ({ x, y: idealAt(records, x) })) };
  const hasIdeal = ideal.points.some((point) => point.y !== undefined);
  return lineChart([...(hasIdeal ? [ideal] : []), ...lines], {
    x: { scale: "log", label: "requests", format: formatCount, ticks: sizes },
    y: { scale: "log", label: "time", format: formatMs },
    height: 16,
    ...look,
  });
}

function cell(record: RunRecord | undefined): string {
  if (!record) return "-";
  if (record.interrupted) return "interrupted";
  if (record.ok === 0) return "failed";
  return formatMs(record.ms) + (record.failed > 0 ? ` (${formatCount(record.failed)} failed)` : "");
}

function find(records: RunRecord[], technique: string, requests: number): RunRecord | undefined {
  return records.find((one) => one.technique === technique && one.requests === requests);
}
