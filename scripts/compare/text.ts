// Tables and sentences as lines of at most so many columns, and words that sentences share.

import { plural } from "../../lib/terminal/format.ts";

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
  const rule = widths.map((width) => "─".repeat(width));
  return [rows[0]!, rule, ...rows.slice(1)]
    .map((row) => row.map((cell, column) => cell.padStart(widths[column]!)).join("  "))
    .join("\n");
}

/** Text in lines of at most `width` columns; the first begins with `bullet`, others below it. */
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

/** "a", "a and b", "a, b and c". */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** The text with a capital letter. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "1 request", "8 requests". */
export function requests(count: number): string {
  return plural(count, "request");
}
