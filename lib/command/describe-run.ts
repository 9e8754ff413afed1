// One run in words and a picture, for people.

import { availableParallelism } from "node:os";
import { lineChart, QUARTERS } from "../terminal/chart.ts";
import { formatBytes, formatCount, formatMs, percent, plural } from "../terminal/format.ts";
import { escapeControl, terminalWidth, wantsColour } from "../terminal/terminal.ts";
import { describeTimeline } from "../terminal/timeline.ts";
import { INTERRUPTED, type Run } from "../timing.ts";
import { PERCENTILES, type Percentiles, type RunRecord } from "./record.ts";

const CHART_POINTS = 200;

/** A run as a script prints it: how long, what became of the items, why so long, and a chart. */
export function describeRun(record: RunRecord, run: Run): string {
  const width = Math.min(terminalWidth(), 100);
  const unit = record.work === "post" ? "requests" : "iterations";
  const left = record.interrupted ? (record.errors[INTERRUPTED] ?? 0) : 0; // not done
  const paragraphs = [heading(record), figures(record, unit, left), errorLines(record, run)];
  if (record.startupMs !== undefined) {
    const chart = progressChart(record, run, width, unit, record.requests - left);
    paragraphs.push(arithmetic(record), chart);
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

function figures(record: RunRecord, unit: string, left: number): string {
  const { ms, ok, failed, statuses, retried, startupMs, clockMovedMs } = record;
  const perSecond = `${formatCount((ok / ms) * 1000)} ${failed > 0 ? "ok" : unit} a second`;
  const within = Object.entries(PERCENTILES).map(([field, percent]) => {
    const most = formatMs(record[field as keyof Percentiles] ?? 0);
    return percent === 50 ? `median ${most}` : `${percent} % within ${most}`;
  });
  const rows = {
    time: `${formatMs(ms)}, ${perSecond}`,
    result: result(record, left),
    statuses: counts(statuses),
    retries: retried && `${formatCount(retried)}, each of them a POST more`,
    "start-up":
      clockMovedMs !== undefined
        ? `unknown: the clock moved by ${formatMs(Math.abs(clockMovedMs))}`
        : startupMs !== undefined && `${formatMs(startupMs)} to the first iteration`,
    iteration: record.p50Ms !== undefined && within.join(", "),
    cost: `${formatMs(record.cpuMs)} of CPU, ${formatBytes(record.peakRssBytes)} of memory`,
  };
  const known = Object.entries(rows).filter(([, value]) => value);
  return known.map(([name, value]) => `${name.padEnd(9)}  ${value}`).join("\n");
}

/** What became of the items. */
function result(record: RunRecord, left: number): string {
  const { ok, failed, interrupted, doneBefore = 0, failedBefore = 0 } = record;
  const parts = [
    `${formatCount(ok)} ok, ${formatCount(failed - left)} failed`,
    interrupted && `, ${formatCount(left)} not done: interrupted`,
    doneBefore > 0 && `, ${formatCount(doneBefore)} done before`,
    failedBefore > 0 && ` (${formatCount(failedBefore)} failed: --again runs them again)`,
    interrupted &&
      record.doneBefore !== undefined &&
      "\n           what was in flight may have been carried out, and runs again by the same command",
  ];
  return parts.filter((part) => part !== false).join("");
}

/** The errors by kind, and the first few with their item. */
function errorLines({ errors: { [INTERRUPTED]: _, ...errors } }: RunRecord, { failures }: Run) {
  const kinds = Object.keys(errors).length > 0 ? [`errors     ${counts(errors)}`] : [];
  const lines = failures.map(({ index, what }) => `  item ${index}: ${escapeControl(what)}`);
  return [...kinds, ...lines].join("\n");
}

/** Where the time went: what it could be at best, and how near the run came. */
function arithmetic(record: RunRecord): string {
  const { requests, workers, concurrency, ms, idealMs, serviceMs, cpuMs } = record;
  if (record.interrupted || record.failed > 0) return "";
  if (idealMs !== undefined && serviceMs !== undefined) {
    const slots = workers * concurrency;
    const rounds = plural(Math.ceil(requests / slots), "round");
    const each = `${formatMs(serviceMs)} service time`;
    return [
      `${rounds} of at most ${slots} in flight x ${each} = ${formatMs(idealMs)}, the ideal;`,
      `it took ${formatMs(ms)}, start-up included: ${percent(idealMs / ms)} of that pace`,
    ].join("\n");
  }
  if (record.work !== "cpu") return "";
  const cores = Math.min(workers, availableParallelism());
  const busy = cpuMs / ms;
  const kept = `${busy.toFixed(2)} of ${plural(cores, "core")} kept busy, ${percent(busy / cores)}`;
  return `${formatMs(cpuMs)} of CPU in ${formatMs(ms)}: ${kept}`;
}

/** Iterations completed over time: the flat part is start-up. */
function progressChart(record: RunRecord, run: Run, width: number, unit: string, done: number) {
  const { calledMs, iterations } = run;
  const ends = Float64Array.from(iterations, ({ endMs }) => endMs - calledMs).sort();
  const each = Math.max(1, done / ends.length); // where not all are kept
  let settled = 0;
  const points = Array.from({ length: CHART_POINTS + 1 }, (_, number) => {
    const x = (number / CHART_POINTS) * record.ms;
    while (settled < ends.length && ends[settled]! <= x) settled++;
    return { x, y: settled * each };
  });
  const ticks = QUARTERS.map((at) => at * record.ms);
  const name = `${unit} completed`;
  const label = `${name}, of ${formatCount(record.requests)}`;
  return lineChart([{ name, points }], {
    x: { scale: "linear", label: "time", format: formatMs, ticks },
    y: { scale: "linear", label, format: formatCount },
    width,
    colour: wantsColour(),
    height: Math.min(10, record.requests), // no row without a whole number of its own
  });
}

/** "201: 500, 503: 3" */
function counts(byKey: Record<string, number>): string {
  const entries = Object.entries(byKey);
  return entries.map(([key, count]) => `${escapeControl(key)}: ${formatCount(count)}`).join(", ");
}
