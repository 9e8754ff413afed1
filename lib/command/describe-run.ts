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
  const paragraphs = [heading(record), figures(record), errorLines(record, run)];
  if (record.startupMs !== undefined) {
    paragraphs.push(arithmetic(record), progressChart(record, run));
    if (record.timeline) paragraphs.push(describeTimeline(record, chartWidth()));
  }
  return `${paragraphs.filter((paragraph) => paragraph !== "").join("\n\n")}\n`;
}

function heading({ technique, requests, work, url, workers, concurrency }: RunRecord): string {
  const kinds = { post: "POST", cpu: "CPU-bound iteration", none: "empty iteration" };
  const what = work === "body" ? "iteration" : kinds[work];
  const each = concurrency > 1 ? ` with ${concurrency} in flight in each` : "";
  const target = url ? ` to ${url}` : "";
  return `${technique}: ${plural(requests, what)}${target}, ${plural(workers, "worker")}${each}`;
}

function figures(record: RunRecord): string {
  const { ms, ok, failed, statuses, interrupted, cpuMs, peakRssBytes } = record;
  const notDone = interrupted ? (record.errors.AbortError ?? 0) : 0;
  const done = ok + failed - notDone;
  const unit = record.work === "post" ? "requests" : "iterations";
  const answers = Object.entries(statuses).map(
    ([status, count]) => `${status}: ${formatCount(count)}`,
  );
  const rows = [
    ["time", `${formatMs(ms)}, ${formatCount((done / ms) * 1000)} ${unit} a second`],
    [
      "result",
      `${formatCount(ok)} ok, ${formatCount(failed - notDone)} failed${interrupted ? `, ${formatCount(notDone)} not done: interrupted` : ""}`,
    ],
  ];
  if (answers.length > 0) rows.push(["statuses", answers.join(", ")]);
  if (record.startupMs !== undefined) {
    const [p50, p95, p99] = [record.p50Ms!, record.p95Ms!, record.p99Ms!].map(formatMs);
    rows.push(["start-up", `${formatMs(record.startupMs)} to the first iteration`]);
    rows.push(["iteration", `median ${p50}, 95 % within ${p95}, 99 % within ${p99}`]);
  }
  rows.push(["cost", `${formatMs(cpuMs)} of CPU, ${formatBytes(peakRssBytes)} of memory`]);
  return rows.map(([name, value]) => `${name!.padEnd(9)}  ${value}`).join("\n");
}

/** The errors by kind, and the first few with their item. */
function errorLines({ errors, work }: RunRecord, { results }: Run): string {
  const lines: string[] = [];
  for (const [index, result] of results.entries()) {
    if (lines.length === ERRORS_SHOWN) break;
    if (result.status === "rejected" && errorKey(result.reason) !== "AbortError") {
      const { message = String(result.reason) } = (result.reason ?? {}) as Partial<Error>;
      lines.push(`  item ${index}: ${escapeControl(message)}`);
    } else if (result.status === "fulfilled" && !isOk(result, work)) {
      lines.push(`  item ${index}: answered ${result.value}`);
    }
  }
  const kinds = Object.entries(errors).filter(([key]) => key !== "AbortError");
  const counts = kinds.map(([key, count]) => `${escapeControl(key)}: ${formatCount(count)}`);
  if (counts.length > 0) lines.unshift(`errors     ${counts.join(", ")}`);
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
  if (record.work === "cpu") {
    const cores = Math.min(workers, availableParallelism());
    const busy = cpuMs / ms;
    return `${formatMs(cpuMs)} of CPU in ${formatMs(ms)}: ${busy.toFixed(2)} of ${plural(cores, "core")} kept busy, ${percent(busy / cores)}`;
  }
  return "";
}

/** Iterations completed over time: the flat part is start-up. */
function progressChart({ requests, ms, work }: RunRecord, { calledMs, endMs }: Run): string {
  const ends = endMs.filter((end) => end >= 0).sort();
  let settled = 0;
  const points = Array.from({ length: CHART_POINTS + 1 }, (_, number) => {
    const x = (number / CHART_POINTS) * ms;
    while (settled < ends.length && ends[settled]! - calledMs <= x) settled++;
    return { x, y: settled };
  });
  const name = work === "post" ? "requests" : "iterations";
  return lineChart([{ name: `${name} completed`, points }], {
    x: { scale: "linear", label: "time", format: formatMs },
    y: {
      scale: "linear",
      label: `${name} completed, of ${formatCount(requests)}`,
      format: formatCount,
    },
    width: chartWidth(),
    height: Math.min(10, requests), // no row without a whole number of its own
    colour: wantsColour(),
  });
}

function chartWidth(): number {
  return Math.min(terminalWidth(), 100);
}
