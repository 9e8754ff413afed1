// The axes of charts: where values stand, and the x axis as text.

/** How one axis maps values to places. */
export interface Axis {
  scale: "linear" | "log";
  label: string;
  format: (value: number) => string;
  /** Where to mark it; left out: evenly. */
  ticks?: number[];
}

/** The x axis as a rule with ticks and the marks below it; marks that would touch are left out, but not the last. */
export function xAxis(ticks: [number, string][], columns: number): [rule: string, marks: string] {
  const rule = new Array<string>(columns).fill("─");
  let marks = "";
  const fromOf = ([column, mark]: [number, string]) =>
    Math.max(0, Math.min(column - (mark.length >> 1), columns - mark.length));
  const last = ticks.at(-1)!;
  for (const tick of ticks) {
    const [column, mark] = tick;
    if (column < 0 || column >= columns) continue;
    const from = fromOf(tick);
    const touches = tick !== last && from + mark.length >= fromOf(last);
    if (touches || (marks && from <= marks.length)) continue;
    rule[column] = "┬";
    marks = marks.padEnd(from) + mark;
  }
  return [rule.join(""), marks];
}

/** Where a value stands on an axis. */
export function project(axis: Axis, value: number): number {
  return axis.scale === "log" ? Math.log10(value) : value;
}

/** The value that stands at a place of an axis. */
export function unproject(axis: Axis, place: number): number {
  return axis.scale === "log" ? 10 ** place : place;
}

/** Lowest and highest value, a little apart where they are the same. */
export function range(values: number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return high > low
    ? [low, high]
    : [low - Math.max(0.1, Math.abs(low) * 0.1), high + Math.max(0.1, Math.abs(high) * 0.1)];
}
