// What each worker did when: a lane a worker, drawn over the time of the run.

import { sum, type Timeline } from "../timing.ts";
import { xAxis } from "./chart.ts";
import { formatCount, formatMs, plural } from "./format.ts";

const LANES_SHOWN = 32;
/** An iteration narrower than this many columns is not drawn by itself: the lane shows a density. */
const NARROWEST = 3;
const DENSITIES = [" ", "░", "▒", "▓", "█"];
const STARTING = "·";
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** A run of so many milliseconds. */
interface Drawn {
  timeline?: Timeline;
  ms: number;
}

interface Lane {
  worker: number;
  spans: { item: number; fromMs: number; toMs: number }[];
}

/**
 * Draws a run's timeline: dots until a worker begins its first iteration, then its iterations by
 * number, or where they are too short for that, how busy it was; and its share of time at work.
 *
 * @returns Lines of at most `width` columns.
 */
export function describeTimeline({ timeline, ms }: Drawn, width: number): string {
  const lanes = timeline ? lanesOf(timeline) : [];
  if (lanes.length === 0) return "(no iteration was run: there is no timeline)";
  const shown = lanes.slice(0, LANES_SHOWN);
  const names = shown.map((lane) => formatCount(lane.worker));
  const left = Math.max(6, ...names.map((name) => name.length));
  const columns = Math.max(10, width - left - 2 - " 100 %".length);
  const perColumn = ms / columns;
  const lengths = lanes.flatMap(({ spans }) => spans.map((span) => span.toMs - span.fromMs));
  const meanMs = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  const asDensity = meanMs < NARROWEST * perColumn;
  const draw = asDensity ? drawDensity : drawSpans;

  const rows = shown.map((lane, number) => {
    const busy = Math.round((busyMs(lane) / ms) * 100);
    const line = draw(lane, columns, perColumn);
    return `${names[number]!.padStart(left)} │${line}│${`${busy} %`.padStart(5)}`;
  });
  const [rule, marks] = xAxis(
    TICKS.map((tick) => [Math.round(tick * (columns - 1)), formatMs(tick * ms)]),
    columns,
  );
  const margin = " ".repeat(left);
  const hidden = lanes.length - shown.length;
  const average = Math.round((sum(lanes.map(busyMs)) / ms / lanes.length) * 100);
  return [
    `${"worker".padStart(left)}  ${" ".repeat(columns)}  busy`,
    ...rows,
    ...(hidden > 0 ? [`${margin}  and ${plural(hidden, "more worker")}`] : []),
    `${margin} └${rule}┘`,
    `${margin}  ${marks}`,
    `${margin}  ${STARTING} not begun yet   ${asDensity ? "░▒▓█ share of the time at work" : "╞7═ iteration 7"}   blank: idle`,
    `${margin}  on average a worker was busy ${average} % of the time`,
  ].join("\n");
}

/** The iterations of each worker, in order. */
function lanesOf({ worker, item, startMs, endMs }: Timeline): Lane[] {
  const lanes = new Map<number, Lane>();
  for (const [number, at] of worker.entries()) {
    const lane = lanes.get(at) ?? { worker: at, spans: [] };
    lanes.set(at, lane);
    lane.spans.push({ item: item[number]!, fromMs: startMs[number]!, toMs: endMs[number]! });
  }
  return [...lanes.values()].sort((a, b) => a.worker - b.worker);
}

/** One lane with every iteration by itself. Those that overlap (several in flight) hide each other. */
function drawSpans({ spans }: Lane, columns: number, perColumn: number): string {
  const cells = new Array<string>(columns).fill(" ");
  const column = (ms: number) => Math.min(columns - 1, Math.max(0, Math.floor(ms / perColumn)));
  cells.fill(STARTING, 0, column(spans[0]!.fromMs));
  for (const { item, fromMs, toMs } of spans) {
    const [from, to] = [column(fromMs), column(toMs)];
    cells.fill("═", from, Math.max(to, from + 1));
    cells[from] = "╞";
    const name = String(item);
    if (name.length < to - from) cells.splice(from + 1, name.length, ...name);
  }
  return cells.join("");
}

/** One lane as how busy it was in each column. */
function drawDensity(lane: Lane, columns: number, perColumn: number): string {
  const begun = Math.floor(lane.spans[0]!.fromMs / perColumn);
  const busy = busyByColumn(lane, columns, perColumn);
  return Array.from({ length: columns }, (_, column) => {
    if (column < begun) return STARTING;
    return DENSITIES[Math.ceil(Math.min(1, busy[column]!) * (DENSITIES.length - 1) - 0.01)]!;
  }).join("");
}

/** For each column the share of it in which at least one iteration ran. */
function busyByColumn({ spans }: Lane, columns: number, perColumn: number): number[] {
  const busy = new Array<number>(columns).fill(0);
  for (const [fromMs, toMs] of merged(spans)) {
    const last = Math.min(columns - 1, Math.floor(toMs / perColumn));
    for (let column = Math.floor(fromMs / perColumn); column <= last; column++) {
      const from = Math.max(fromMs, column * perColumn);
      const to = Math.min(toMs, (column + 1) * perColumn);
      busy[column]! += Math.max(0, to - from) / perColumn;
    }
  }
  return busy;
}

/** Milliseconds in which at least one iteration ran. */
function busyMs({ spans }: Lane): number {
  return sum(merged(spans).map(([fromMs, toMs]) => toMs - fromMs));
}

/** Stretches without overlaps, from spans in the order of their starts. */
function merged(spans: Lane["spans"]): [number, number][] {
  const stretches: [number, number][] = [];
  for (const { fromMs, toMs } of spans) {
    const last = stretches.at(-1);
    if (last && fromMs <= last[1]) last[1] = Math.max(last[1], toMs);
    else stretches.push([fromMs, toMs]);
  }
  return stretches;
}
