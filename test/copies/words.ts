// Counts the words of a file in the shared dictionary: what README.md shows of it.

import { readFile } from "node:fs/promises";
import type { SharedDict } from "../../scripts/shared-dict.ts";

export default async function body(file: string, _context: unknown, dict: SharedDict<number>) {
  const words = (await readFile(file, "utf8")).match(/\S+/g) ?? [];
  const ofFile = new Map<string, number>(); // so that each of its words is one operation
  for (const word of words) ofFile.set(word, (ofFile.get(word) ?? 0) + 1);
  for (const [word, count] of ofFile) dict.increment(word, count).catch(() => {});
  return words.length;
}
