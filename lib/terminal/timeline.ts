// What each worker did when: a lane a worker, drawn over the time of the run.

import { sum, type Timeline } from "../timing.ts";
import { QUARTERS, type Tick, xAxis } from "./chart.ts";
import { formatCount, formatMs, percent, plural } from "./format.ts";

const LANES_SHOWN = 32;
/** An iteration narrower than this many columns is not drawn by itself: the lane shows a density. */
const NARROWEST = 3;
const DENSITIES = [" ", "░", "▒", "▓", "█"];
const STARTING = "·";

type Span = { item: number; fromMs: number; toMs: number };

/**
 * Draws a run's timeline: dots until a worker begins its first iteration, then its iterations by
 * number, or where they are too short for that, how busy it was; and its share of time at work.
 *
 * @returns Lines of at most `width` columns.
 */
export function describeTimeline(
  { timeline, ms, workers }: { timeline?: Timeline; ms: number; workers: number },
  width: number,
): string {
  const lanes = Object.entries(timeline ? lanesOf(timeline) : []);
  if (lanes.length === 0) return "(no iteration was run: there is no timeline)";
  const shown = lanes.slice(0, LANES_SHOWN);
  const names = shown.map(([worker]) => formatCount(+worker));
  const left = Math.max(6, ...names.map((name) => name.length));
  const columns = Math.max(10, width - left - 2 - " 100 %".length);
  const perColumn = ms / columns;
  const lengths = lanes.flatMap(([, spans]) => spans.map((span) => span.toMs - span.fromMs));
  const asDensity = sum(lengths) / lengths.length < NARROWEST * perColumn;
  const draw = asDensity ? drawDensity : drawSpans;

  const rows = shown.map(([, spans], number) => {
    const cells = draw(spans, columns, perColumn).join("");
    const busy = percent(busyMs(spans) / ms).padStart(5);
    return `${names[number]!.padStart(left)} │${cells}│${busy}`;
  });
  const ticks = QUARTERS.map((at): Tick => [Math.round(at * (columns - 1)), formatMs(at * ms)]);
  const [rule, marks] = xAxis(ticks, columns);
  const margin = " ".repeat(left);
  const hidden = lanes.length - shown.length;
  const average = percent(sum(lanes.map(([, spans]) => busyMs(spans))) / ms / workers);
  const strokes = asDensity ? "░▒▓█ share of the time at work" : "╞7═ iteration 7";
  return [
    `${"worker".padStart(left)}  ${" ".repeat(columns)}  busy`,
    ...rows,
    ...(hidden > 0 ? [`${margin}  and ${plural(hidden, "more worker")}`] : []),
    `${margin} └${rule}┘`,
    `${margin}  ${marks}`,
    `${margin}  ${STARTING} not begun yet   ${strokes}   blank: idle`,
    `${margin}  on average, each of ${plural(workers, "worker")} was busy ${average} of the time`,
  ].join("\n");
}

/** The iterations of each worker, in the order of their starts; of one that ran none, a hole. */
function lanesOf({ worker, item, startMs, endMs }: Timeline): Span[][] {
  const lanes: Span[][] = [];
  for (const [number, at] of worker.entries()) {
    lanes[at] ??= [];
    lanes[at].push({ item: item[number]!, fromMs: startMs[number]!, toMs: endMs[number]! });
  }
  return lanes;
}

/** One lane with every iteration by itself. Those that overlap (several in flight) hide each other. */
function drawSpans(spans: Span[], columns: number, perColumn: number): string[] {
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
  return cells;
}

/** One lane as the share of each column in which at least one iteration ran. */
function drawDensity(spans: Span[], columns: number, perColumn: number): string[] {
  const cells = Array.from({ length: columns }, (_, column) => {
    const share = busyMs(spans, column * perColumn, (column + 1) * perColumn) / perColumn;
    return DENSITIES[Math.ceil(Math.min(1, share) * (DENSITIES.length - 1) - 0.01)]!;
  });
  return cells.fill(STARTING, 0, Math.max(0, Math.floor(spans[0]!.fromMs / perColumn)));
}

/** For how long at least one iteration ran, in all or from one time until another. */
function busyMs(spans: Span[], from = 0, until = Number.POSITIVE_INFINITY): number {
  let [busy, begun, ended] = [0, from, from]; // before the last stretch, and that one's ends
  for (const { fromMs, toMs } of spans) {
    if (fromMs >= until) break;
    if (fromMs > ended) [busy, begun] = [busy + (ended - begun), fromMs];
    ended = Math.max(ended, Math.min(toMs, until));
  }
  return busy + (ended - begun);
}
