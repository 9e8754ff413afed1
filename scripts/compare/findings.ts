// What a comparison shows, in sentences, the most important first. Each states figures of rows that
// it names: no row is spoken for by others, and no reason is guessed.

import { formatCount, formatMs, percent, plural } from "../../lib/terminal/format.ts";
import {
  BASELINE,
  type Comparison,
  failureOf,
  type Line,
  type Panel,
  type TimedCell,
} from "./comparison.ts";
import { formatRatio, LEVEL_ONCE, type Ratio, ratio } from "./statistics.ts";

/** A sentence, where there is something to say. */
type Finding = string | undefined;
/** Rows by their x: "at 5 requests", "from 5 to 50 requests", "with 2 workers". */
type Place = (from: number, to?: number) => string;

/** A number of workers that comes this near to the best is as good: the knee is the smallest. */
const NEAR = 1.1;
/** A spread above this share of the median is worth a warning. */
const LARGE_SPREAD = 0.2;

/** The sentences. */
export function findings({ over, xs }: Comparison, panels: Panel[]): string[] {
  const [equal, asPython] = panels as [Panel, Panel?];
  const unit = equal.work === "post" ? "request" : "iteration";
  const [preposition, noun] = over === "workers" ? ["with", "worker"] : ["at", unit];
  const place: Place = (from, to = from) =>
    from === to
      ? `${preposition} ${plural(to, noun)}`
      : `from ${formatCount(from)} to ${plural(to, noun)}`;
  const ofLine = (line: Line) =>
    over === "workers" ? knee(line, equal, place) : againstPlain(line, xs, place);
  return [
    ...(over === "workers" ? [] : fastest(equal, xs, place)),
    ...equal.lines.map(ofLine),
    characterOf(equal),
    over === "workers" ? undefined : nearIdeal(equal, place),
    ...(asPython ? pythonsWorkers(asPython, place) : []),
    ...panels.flatMap((panel) => panel.lines.map((line) => failures(line, panel, over, place))),
    noise([...new Set(panels.flatMap(({ rows }) => rows.flat()))], unit),
  ].flatMap((sentence) => (sentence ? capital(sentence) : []));
}

/** "2.31 ± 0.05 times as fast", or that nothing tells the two apart. */
function times(gain: Ratio, whom: string): string {
  return gain.differs ? `${formatRatio(gain)} times as fast as ${whom}` : `level with ${whom}`;
}

function verdictOn({ differs, factor }: Ratio): "level" | "faster" | "slower" {
  return !differs ? "level" : factor > 1 ? "faster" : "slower";
}

/** What holds in rows next to each other, said once; a row without anything to say ends it. */
function stretches(verdicts: Finding[], xs: number[], place: Place) {
  const found: { verdict: Finding; from: number; to: number }[] = [];
  for (const [row, verdict] of verdicts.entries()) {
    const [x, last] = [xs[row]!, found.at(-1)];
    if (last && last.verdict === verdict) last.to = x;
    else found.push({ verdict, from: x, to: x });
  }
  return found
    .filter(({ verdict }) => verdict !== undefined)
    .map(({ verdict, from, to }) => ({ verdict, where: place(from, to) }));
}

/** Which technique was fastest in which rows, and which of them nothing tells from it. */
function fastest({ rows, lines }: Panel, xs: number[], place: Place): Finding[] {
  const verdicts = rows.map((row, number) => {
    const best = bestOf(row);
    if (!best || row.length < 2) return undefined;
    const level = row.filter((cell) => !ratio(cell.ms, best.ms).differs);
    const names = listed(level.map(({ technique }) => technique).sort(), "or");
    const close = level.length > 1 ? ", too close to tell" : "";
    const isWhole = row.length === lines.filter(({ cells }) => cells[number]).length;
    return `${names} was fastest${isWhole ? "" : " of those with a time"}${close}`;
  });
  return stretches(verdicts, xs, place).map(({ verdict, where }) => `${where}: ${verdict}.`);
}

/** Where a technique beats the plain loop, and where it does not. */
function againstPlain({ technique, cells, timed }: Line, xs: number[], place: Place): Finding {
  const last = timed.findLast(({ gain }) => gain);
  if (!last) return undefined;
  const verdicts = cells.map((cell) => cell?.gain && verdictOn(cell.gain));
  const parts = stretches(verdicts, xs, place).map(({ verdict, where }) => `${verdict} ${where}`);
  const both = `${formatMs(last.ms.median)} instead of ${formatMs(last.base!.ms.median)}`;
  const all = `${parts.join(", ")}; ${place(last.requests)} ${both}`;
  return `${technique} against the plain loop: ${all}.`;
}

/** How near the best came to the ideal, in the last row that has one. */
function nearIdeal({ rows, ideals }: Panel, place: Place): Finding {
  const row = ideals.findLastIndex((ideal) => ideal !== undefined);
  if (row < 0) return undefined;
  const { rounds, atOnce, ms } = ideals[row]!;
  const best = bestOf(rows[row]!.filter((cell) => cell.technique !== BASELINE))!;
  const product = `${plural(rounds, "round")} x ${formatMs(ms / rounds)} = ${formatMs(ms)}`;
  const pace = `${best.technique} came to ${percent(ms / best.ms.median)} of that pace`;
  return `The ideal ${place(best.requests)}, ${atOnce} at once, is ${product}: ${pace}.`;
}

/** Whether a loop of the user's waits or computes, by the CPU time of the plain loop. */
function characterOf({ lines, work }: Panel): Finding {
  const plain = lines.find(({ technique }) => technique === BASELINE)?.timed.at(-1);
  if (work !== "body" || !plain) return undefined;
  const busy = (plain.median.cpuMs ?? 0) / plain.ms.median;
  const does = busy > 0.8 ? "computes" : busy < 0.3 ? "waits" : "waits and computes";
  return `This loop ${does}: one after another, its iterations kept ${percent(busy)} of a core busy.`;
}

/** The fewest workers that come near the best, and where more of them took longer. */
function knee({ technique, cells, timed }: Line, { ideals }: Panel, place: Place): Finding {
  if (timed.length < 2) return undefined; // the plain loop, for one
  const best = bestOf(timed)!;
  const first = timed.find(({ ms }) => ms.median <= NEAR * best.ms.median)!;
  const { base, gain, ms, workers } = first;
  const whom = base!.technique === BASELINE ? "the plain loop" : place(base!.workers);
  const speed = base === first ? "" : `, ${times(gain!, whom)}`;
  const ideal = ideals[cells.indexOf(first)];
  const pace = ideal ? `, ${percent(ideal.ms / ms.median)} of the ideal pace` : "";
  const slower = timed.filter((cell, number) =>
    timed.slice(0, number).some((fewer) => verdictOn(ratio(fewer.ms, cell.ms)) === "slower"),
  );
  const numbers = listed(
    slower.map((cell) => `${cell.workers}`),
    "and",
  );
  const longer = numbers && `; slower than with fewer: ${numbers}`;
  const near = `within ${percent(NEAR - 1)} of its best time ${place(workers)}`;
  return `${technique} first came ${near}: ${formatMs(ms.median)}${speed}${pace}${longer}.`;
}

/** What Python's numbers of workers make of threads and processes. */
function pythonsWorkers({ lines, work }: Panel, place: Place): Finding[] {
  const cells = lines.flatMap(({ timed }) => timed.at(-1) ?? []);
  const threads = cells.find(({ workerKind }) => workerKind === "thread");
  const processes = cells.find(({ workerKind }) => workerKind === "process");
  // Where the largest size failed for one of them, nothing compares.
  if (!threads || threads.requests !== processes?.requests) return [];
  if (threads.workers === processes.workers) return [];
  const gain = ratio(processes.ms, threads.ms);
  const start = `${threads.workers} threads here and ${processes.workers} processes`;
  const ran = `${threads.technique} ${times(gain, processes.technique)}`;
  return [
    `Python would start ${start}: ${place(threads.requests)}, ${ran}.`,
    work === "post" && verdictOn(gain) === "faster" ? HEADLINE : undefined,
  ];
}
const HEADLINE =
  "That is the headline of the article, too, 50 s with processes and 15 s with threads on a " +
  "machine with 2 cores: 500 x 0.2 s / 2 processes = 50 s, 500 x 0.2 s / 6 threads = 17 s " +
  "(15 s at 0.18 s a request).";

/** What failed, of all that a technique ran. */
function failures(
  { technique, cells }: Line,
  { asPython }: Panel,
  over: Comparison["over"],
  place: Place,
): Finding {
  const own = [...new Set(cells)].flatMap((cell) => cell ?? []);
  const first = own.find(({ samples }) => failureOf(samples));
  if (!first) return undefined;
  const { text, kinds } = failureOf(own.flatMap(({ samples }) => samples))!;
  const name = asPython ? `${technique} x${first.workers}` : technique;
  return `${name}: ${text} (${kinds}), first ${place(first[over])}.`;
}

/** Where the figures say less than they seem to. */
function noise(cells: TimedCell[], unit: string): Finding {
  const share = ({ ms }: TimedCell) => (ms.deviation ?? 0) / ms.median;
  const wide = cells.filter((cell) => share(cell) > LARGE_SPREAD);
  const [widest] = wide.sort((a, b) => share(b) - share(a));
  if (widest) {
    const { technique, requests, workers, ms } = widest;
    const count = `${wide.length} of ${plural(cells.length, "time")}`;
    const where = `${technique} x${workers} at ${plural(requests, unit)}`;
    const range = `${formatMs(ms.least)} to ${formatMs(ms.most)}`;
    return `The spread is large for ${count}, most so for ${where}: ${range}. Try more --runs.`;
  }
  if (cells.length === 0 || cells.some(({ samples }) => samples.length > 1)) return undefined;
  const level = `less than ${percent(LEVEL_ONCE)} apart is called level`;
  return `Everything was run once: ${level}. --runs 5 shows which differences are real.`;
}

function bestOf(cells: TimedCell[]): TimedCell | undefined {
  return cells.toSorted((a, b) => a.ms.median - b.ms.median)[0];
}

/** "a", "a and b", "a, b and c". */
function listed(words: readonly string[], joint: "and" | "or"): string {
  const [first, last] = [words.slice(0, -1).join(", "), words.at(-1) ?? ""];
  return first ? `${first} ${joint} ${last}` : last;
}

/** The text with a capital letter. */
function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
