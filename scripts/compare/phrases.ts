// Words that the sentences about comparisons share.

import { plural } from "../../lib/terminal/format.ts";
import type { Cell } from "./comparison.ts";
import type { Ratio } from "./statistics.ts";

/** The techniques of some cells, each once, in their order. */
export function namesIn(cells: readonly Cell[]): string[] {
  return [...new Set(cells.map((cell) => cell.technique))];
}

/** "2.31 ± 0.05 times", or "2.3 times" of single runs. */
export function times({ factor, deviation }: Ratio): string {
  return deviation === undefined
    ? `${factor.toFixed(1)} times`
    : `${factor.toFixed(2)} ± ${deviation.toFixed(2)} times`;
}

/** "at 500 requests"; "from 5 requests" with another preposition. */
export function at(requests: number, preposition = "at "): string {
  return `${preposition}${plural(requests, "request")}`;
}

/** With a capital letter. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "a", "a and b", "a, b and c". */
export function listed(words: string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
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
