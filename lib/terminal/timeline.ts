// What each worker did when: a lane a worker, drawn over the time of the run.

import { sum, type Timeline } from "../timing.ts";
import { QUARTERS, type Tick, xAxis } from "./chart.ts";
import { formatCount, formatMs, percent, plural } from "./format.ts";

const LANES_SHOWN = 32;
/** An iteration narrower than this many columns is not drawn by itself: the lane shows a density. */
const NARROWEST = 3;
const DENSITIES = [" ", "░", "▒", "▓", "█"];
const STARTING = "·";

interface Lane {
  worker: number;
  spans: { item: number; fromMs: number; toMs: number }[];
  /** The stretches in which at least one iteration ran. */
  busy: [fromMs: number, toMs: number][];
}

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
  const lanes = timeline ? lanesOf(timeline) : [];
  if (lanes.length === 0) return "(no iteration was run: there is no timeline)";
  const shown = lanes.slice(0, LANES_SHOWN);
  const names = shown.map((lane) => formatCount(lane.worker));
  const left = Math.max(6, ...names.map((name) => name.length));
  const columns = Math.max(10, width - left - 2 - " 100 %".length);
  const perColumn = ms / columns;
  const lengths = lanes.flatMap(({ spans }) => spans.map((span) => span.toMs - span.fromMs));
  const asDensity = sum(lengths) / lengths.length < NARROWEST * perColumn;
  const draw = asDensity ? drawDensity : drawSpans;

  const rows = shown.map((lane, number) => {
    const busy = percent(busyMs(lane) / ms).padStart(5);
    return `${names[number]!.padStart(left)} │${draw(lane, columns, perColumn)}│${busy}`;
  });
  const ticks = QUARTERS.map((at): Tick => [Math.round(at * (columns - 1)), formatMs(at * ms)]);
  const [rule, marks] = xAxis(ticks, columns);
  const margin = " ".repeat(left);
  const hidden = lanes.length - shown.length;
  const average = percent(sum(lanes.map(busyMs)) / ms / workers);
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

/** The iterations of each worker, in the order of their starts. */
function lanesOf({ worker, item, startMs, endMs }: Timeline): Lane[] {
  const lanes: Lane[] = []; // with holes: a worker may have run none
  for (const [number, at] of worker.entries()) {
    lanes[at] ??= { worker: at, spans: [], busy: [] };
    const { spans, busy } = lanes[at];
    const [fromMs, toMs] = [startMs[number]!, endMs[number]!];
    spans.push({ item: item[number]!, fromMs, toMs });
    const last = busy.at(-1);
    if (last && fromMs <= last[1]) last[1] = Math.max(last[1], toMs);
    else busy.push([fromMs, toMs]);
  }
  return Object.values(lanes);
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

/** One lane as the share of each column in which at least one iteration ran. */
function drawDensity({ busy }: Lane, columns: number, perColumn: number): string {
  const shares = new Array<number>(columns).fill(0);
  for (const [fromMs, toMs] of busy) {
    const last = Math.min(columns - 1, Math.floor(toMs / perColumn));
    for (let column = Math.floor(fromMs / perColumn); column <= last; column++) {
      const from = Math.max(fromMs, column * perColumn);
      const to = Math.min(toMs, (column + 1) * perColumn);
      shares[column]! += Math.max(0, to - from) / perColumn;
    }
  }
  const full = DENSITIES.length - 1;
  const cells = shares.map((share) => DENSITIES[Math.ceil(Math.min(1, share) * full - 0.01)]!);
  cells.fill(STARTING, 0, Math.max(0, Math.floor(busy[0]![0] / perColumn)));
  return cells.join("");
}

function busyMs({ busy }: Lane): number {
  return sum(busy.map(([fromMs, toMs]) => toMs - fromMs));
}
