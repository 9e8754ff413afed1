// Numbers, times, sizes and tables as people read them.

/** A time with three digits and its unit: "0.42 ms", "21.3 ms", "1.71 s". */
export function formatMs(ms: number): string {
  const [value, unit] = ms < 1000 ? [ms, "ms"] : [ms / 1000, "s"];
  if (value === 0) return `0 ${unit}`;
  const decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(decimals)} ${unit}`;
}

/** A whole number with separators: "10,000". */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** A size in mebibytes: "143 MiB". */
export function formatBytes(bytes: number): string {
  return `${formatCount(bytes / 2 ** 20)} MiB`;
}

/** A number and its noun: "1 worker", "8 workers". */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

/** "a", "a and b", "a, b and c". */
export function listed(words: string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/**
 * Rows of cells as lines of right-aligned columns, a rule below the first row. What is wider than
 * `width` goes on in a table below, which repeats the first column.
 */
export function formatTable(rows: string[][], width = Number.POSITIVE_INFINITY): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  let fit = 1;
  let used = widths[0]!;
  while (fit < widths.length && (fit === 1 || used + 2 + widths[fit]! <= width)) {
    used += 2 + widths[fit++]!;
  }
  if (fit < widths.length) {
    const rest = rows.map((row) => [row[0]!, ...row.slice(fit)]);
    const first = rows.map((row) => row.slice(0, fit));
    return `${formatTable(first, width)}\n\n${formatTable(rest, width)}`;
  }
  const lines = rows.map((row) =>
    row.map((cell, column) => cell.padStart(widths[column]!)).join("  "),
  );
  return [lines[0], widths.map((width) => "─".repeat(width)).join("  "), ...lines.slice(1)].join(
    "\n",
  );
}

/** Text in lines of at most `width` columns; the first begins with `bullet`, the others below it. */
export function wrap(text: string, width: number, bullet = ""): string {
  const lines = [bullet];
  const indent = " ".repeat(bullet.length);
  // A number stays with its unit.
  for (const word of text.split(/ (?!(?:%|ms|s|us|MiB|±)(?:\W|$))/)) {
    const line = lines.at(-1)!;
    const glue = line === bullet || line === indent ? "" : " ";
    if (line.trim() && line.length + glue.length + word.length > width) lines.push(indent + word);
    else lines[lines.length - 1] = line + glue + word;
  }
  return lines.join("\n");
}

/** "12 %". */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
