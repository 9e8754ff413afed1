// One run in words and a picture, for people.

import { availableParallelism } from "node:os";
import { lineChart } from "../terminal/chart.ts";
import { formatBytes, formatCount, formatMs, percent, plural } from "../terminal/format.ts";
import { escapeControl, terminalWidth, wantsColour } from "../terminal/terminal.ts";
import { describeTimeline } from "../terminal/timeline.ts";
import type { Run } from "../timing.ts";
import { errorKey, isOk, type RunRecord } from "./record.ts";

const ERRORS_SHOWN = 3;
const CHART_POINTS = 200;

/** A run as a script prints it: how long, what became of the items, why so long, and a chart. */
export function describeRun(record: RunRecord, run: Run): string {
  const width = Math.min(terminalWidth(), 100);
  const paragraphs = [heading(record), figures(record), errorLines(record, run)];
  if (record.startupMs !== undefined) {
    paragraphs.push(arithmetic(record), progressChart(record, run, width));
    if (record.timeline) paragraphs.push(describeTimeline(record, width));
  }
  return `${paragraphs.filter((paragraph) => paragraph !== "").join("\n\n")}\n`;
}

function heading({ technique, requests, work, url, workers, concurrency }: RunRecord): string {
  const kinds = { post: "POST", cpu: "CPU-bound iteration", none: "empty iteration" };
  const what = { ...kinds, body: "iteration" }[work];
  const each = concurrency > 1 ? ` with ${concurrency} in flight in each` : "";
  const target = url ? ` to ${url}` : "";
  return `${technique}: ${plural(requests, what)}${target}, ${plural(workers, "worker")}${each}`;
}

function figures(record: RunRecord): string {
  const { ms, ok, failed, statuses, interrupted, errors, startupMs } = record;
  const notDone = interrupted ? (errors.AbortError ?? 0) : 0;
  const perSecond = formatCount(((ok + failed - notDone) / ms) * 1000);
  const result = `${formatCount(ok)} ok, ${formatCount(failed - notDone)} failed`;
  const stopped = interrupted ? `, ${formatCount(notDone)} not done: interrupted` : "";
  const rows = [
    ["time", `${formatMs(ms)}, ${perSecond} ${unitOf(record)} a second`],
    ["result", result + stopped],
    ["statuses", counts(statuses)],
  ];
  if (startupMs !== undefined) {
    const [p50, p95, p99] = [record.p50Ms!, record.p95Ms!, record.p99Ms!].map(formatMs);
    rows.push(["start-up", `${formatMs(startupMs)} to the first iteration`]);
    rows.push(["iteration", `median ${p50}, 95 % within ${p95}, 99 % within ${p99}`]);
  }
  const memory = formatBytes(record.peakRssBytes);
  rows.push(["cost", `${formatMs(record.cpuMs)} of CPU, ${memory} of memory`]);
  const known = rows.filter(([, value]) => value !== "");
  return known.map(([name, value]) => `${name!.padEnd(9)}  ${value}`).join("\n");
}

/** The errors by kind, and the first few with their item. */
function errorLines({ errors: { AbortError: _, ...errors }, work }: RunRecord, { results }: Run) {
  const lines = Object.keys(errors).length > 0 ? [`errors     ${counts(errors)}`] : [];
  const most = lines.length + ERRORS_SHOWN;
  for (const [index, result] of results.entries()) {
    if (lines.length === most) break;
    if (result.status === "fulfilled") {
      if (!isOk(result, work)) lines.push(`  item ${index}: answered ${result.value}`);
    } else if (errorKey(result.reason) !== "AbortError") {
      const { message = String(result.reason) } = (result.reason ?? {}) as Partial<Error>;
      lines.push(`  item ${index}: ${escapeControl(message)}`);
    }
  }
  return lines.join("\n");
}

/** Where the time went: what it could be at best, and how near the run came. */
function arithmetic(record: RunRecord): string {
  const { requests, workers, concurrency, ms, startupMs = 0, idealMs, serviceMs, cpuMs } = record;
  if (record.interrupted || record.failed > 0) return "";
  if (idealMs !== undefined && serviceMs !== undefined) {
    const slots = Math.min(workers * concurrency, requests);
    const each = `${formatMs(serviceMs)} service time`;
    const loopMs = ms - startupMs;
    return [
      `${plural(requests, "request")} x ${each} / ${slots} in flight = ${formatMs(idealMs)} at best;`,
      `after start-up the loop took ${formatMs(loopMs)}: ${percent(idealMs / loopMs)} of that pace`,
    ].join("\n");
  }
  if (record.work !== "cpu") return "";
  const cores = Math.min(workers, availableParallelism());
  const busy = cpuMs / ms;
  const kept = `${busy.toFixed(2)} of ${plural(cores, "core")} kept busy, ${percent(busy / cores)}`;
  return `${formatMs(cpuMs)} of CPU in ${formatMs(ms)}: ${kept}`;
}

/** Iterations completed over time: the flat part is start-up. */
function progressChart(record: RunRecord, { calledMs, endMs }: Run, width: number): string {
  const ends = endMs.filter((end) => end >= 0).sort();
  let settled = 0;
  const points = Array.from({ length: CHART_POINTS + 1 }, (_, number) => {
    const x = (number / CHART_POINTS) * record.ms;
    while (settled < ends.length && ends[settled]! - calledMs <= x) settled++;
    return { x, y: settled };
  });
  const name = `${unitOf(record)} completed`;
  const label = `${name}, of ${formatCount(record.requests)}`;
  return lineChart([{ name, points }], {
    x: { scale: "linear", label: "time", format: formatMs },
    y: { scale: "linear", label, format: formatCount },
    ...{ width, colour: wantsColour() },
    height: Math.min(10, record.requests), // no row without a whole number of its own
  });
}

function unitOf({ work }: RunRecord): string {
  return work === "post" ? "requests" : "iterations";
}

/** "201: 500, 503: 3" */
function counts(byKey: Record<string, number>): string {
  const each = Object.entries(byKey).map(
    ([key, count]) => `${escapeControl(key)}: ${formatCount(count)}`,
  );
  return each.join(", ");
}
