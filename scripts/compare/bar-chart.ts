// A bar chart in the terminal, for values of which there is only one each.

import { DOTTED, STYLES } from "../../lib/terminal/chart.ts";

/** Bars from zero with their names and values, each line at most `width` columns wide. */
export function barChart(
  bars: { name: string; value: number }[],
  format: (value: number) => string,
  { width, colour }: { width: number; colour: boolean },
): string {
  if (bars.length === 0) return "(nothing to draw)";
  const nameWidth = Math.max(...bars.map((bar) => bar.name.length));
  const textWidth = Math.max(...bars.map((bar) => format(bar.value).length));
  const longest = Math.max(...bars.map((bar) => bar.value));
  const columns = Math.max(1, width - nameWidth - textWidth - 4);
  const lines = bars.map(({ name, value }, number) => {
    const bar = (name === "ideal" ? "·" : "█").repeat(Math.round((value / longest) * columns));
    const { sgr } = name === "ideal" ? DOTTED : STYLES[number % STYLES.length]!;
    const painted = colour ? `\x1b[${sgr}m${bar}\x1b[0m` : bar;
    return `${name.padStart(nameWidth)}  ${format(value).padStart(textWidth)}  ${painted}`;
  });
  return lines.join("\n");
}
