// What a comparison shows, in sentences, the most important first. Each states figures of rows that
// it names: no row is spoken for by others, and no reason is guessed.

import { formatCount, formatMs, percent, plural } from "../../lib/terminal/format.ts";
import { BASELINE, bestOf, failureOf, type Line, type Panel } from "./comparison.ts";
import { formatRatio, LEVEL_ONCE, ratio } from "./statistics.ts";

/** A number of workers that comes this near to the best is as good: the knee is the smallest. */
const NEAR = 1.1;
/** A spread above this share of the median is worth a warning. */
const LARGE_SPREAD = 0.2;

/** The sentences; a function that has nothing to say gives undefined. */
export function findings(panels: Panel[]): string[] {
  const [equal, asPython] = panels as [Panel, Panel?];
  const isSweep = equal.over === "workers";
  return [
    ...(isSweep ? [] : fastest(equal)),
    ...equal.lines.map((line) => (isSweep ? knee : againstPlain)(line, equal)),
    characterOf(equal),
    isSweep ? undefined : nearIdeal(equal),
    asPython && pythonsWorkers(asPython),
    ...panels.flatMap((panel) => panel.lines.map((line) => failures(line, panel))),
    noise(panels),
  ].flatMap((sentence) => (sentence ? sentence[0]!.toUpperCase() + sentence.slice(1) : []));
}

/** Rows by their x: "at 5 requests", "from 5 to 50 requests", "with 2 workers". */
function place({ over, work }: Panel, from: number, to = from): string {
  const noun = over === "workers" ? "worker" : work === "post" ? "request" : "iteration";
  if (from < to) return `from ${formatCount(from)} to ${plural(to, noun)}`;
  return `${over === "workers" ? "with" : "at"} ${plural(to, noun)}`;
}

/** What holds in rows next to each other, said once; a row without anything to say ends it. */
function stretches(verdicts: (string | undefined)[], panel: Panel) {
  const starts = [...verdicts.keys()].filter((row) => verdicts[row] !== verdicts[row - 1]);
  return starts.flatMap((first, number) => {
    const last = (starts[number + 1] ?? verdicts.length) - 1;
    const where = place(panel, panel.xs[first]!, panel.xs[last]!);
    return verdicts[first] ? { verdict: verdicts[first], where } : [];
  });
}

/** Which technique was fastest in which rows, and which of them nothing tells from it. */
function fastest(panel: Panel) {
  const verdicts = panel.rows.map((row, number) => {
    if (row.length < 2) return undefined;
    const best = bestOf(row)!;
    const level = row.filter((cell) => ratio(best.ms, cell.ms).verdict === "level");
    const names = level.map(({ technique }) => technique).sort();
    const close = names.length > 1 ? ", too close to tell" : "";
    const isWhole = row.length === panel.lines.filter(({ cells }) => cells[number]).length;
    const which = names.join(", ").replace(/, ([^,]*)$/, " or $1");
    return `${which} was fastest${isWhole ? "" : " of those with a time"}${close}`;
  });
  return stretches(verdicts, panel).map(({ verdict, where }) => `${where}: ${verdict}.`);
}

/** Where a technique beats the plain loop, and where it does not. */
function againstPlain({ technique, cells }: Line, panel: Panel) {
  const verdicts = cells.map((cell) => cell?.gain?.verdict);
  const parts = stretches(verdicts, panel).map(({ verdict, where }) => `${verdict} ${where}`);
  return parts.length > 0 ? `${technique} against the plain loop: ${parts.join(", ")}.` : undefined;
}

/** How near the best came to the ideal, in the last row that has one. */
function nearIdeal(panel: Panel) {
  const row = panel.ideals.findLastIndex(Boolean);
  if (row < 0) return undefined;
  const { rounds, atOnce, ms } = panel.ideals[row]!;
  const best = bestOf(panel.rows[row]!.filter((cell) => cell.technique !== BASELINE))!;
  const each = formatMs(ms.median / rounds);
  const product = `${plural(rounds, "round")} x ${each} = ${formatMs(ms.median)}`;
  const pace = `${best.technique} came to ${percent(ms.median / best.ms.median)} of that pace`;
  return `The ideal ${place(panel, best.requests)}, ${atOnce} at once, is ${product}: ${pace}.`;
}

/** Whether a loop of the user's waits or computes, by the CPU time of the plain loop. */
function characterOf({ lines, work }: Panel) {
  const plain = lines.find(({ technique }) => technique === BASELINE)?.timed.at(-1);
  if (work !== "body" || !plain) return undefined;
  const busy = (plain.median.cpuMs ?? 0) / plain.ms.median;
  const does = busy > 0.8 ? "computes" : busy < 0.3 ? "waits" : "waits and computes";
  return `This loop ${does}: one after another, its iterations kept ${percent(busy)} of a core busy.`;
}

/** The fewest workers that come near the best. */
function knee({ technique, cells, timed }: Line, panel: Panel) {
  if (timed.length < 2) return undefined; // the plain loop, for one
  const bestMs = bestOf(timed)!.ms.median;
  const first = timed.find(({ ms }) => ms.median <= NEAR * bestMs)!;
  const ideal = panel.ideals[cells.indexOf(first)];
  const pace = ideal ? `, ${percent(ideal.ms.median / first.ms.median)} of the ideal pace` : "";
  const near = `within ${percent(NEAR - 1)} of its best time ${place(panel, first.workers)}`;
  return `${technique} first came ${near}: ${formatMs(first.ms.median)}${pace}.`;
}

/** What Python's numbers of workers make of threads and processes. */
function pythonsWorkers(panel: Panel) {
  const cells = panel.lines.flatMap(({ timed }) => timed.at(-1) ?? []);
  const threads = cells.find(({ workerKind }) => workerKind === "thread");
  const processes = cells.find(({ workerKind }) => workerKind === "process");
  // Where the largest size failed for one of them, nothing compares.
  if (!threads || threads.requests !== processes?.requests) return undefined;
  if (threads.workers === processes.workers) return undefined;
  const gain = ratio(processes.ms, threads.ms);
  const start = `${threads.workers} threads here and ${processes.workers} processes`;
  const than = gain.verdict === "level" ? "level with" : `${formatRatio(gain)} times as fast as`;
  const ran = `${threads.technique} ${than} ${processes.technique}`;
  const headline = panel.work === "post" && gain.verdict === "faster" ? HEADLINE : "";
  return `Python would start ${start}: ${place(panel, threads.requests)}, ${ran}.${headline}`;
}
const HEADLINE =
  " That is the headline of the article, too, 50 s with processes and 15 s with threads on a " +
  "machine with 2 cores: 500 x 0.2 s / 2 processes = 50 s, 500 x 0.2 s / 6 threads = 17 s " +
  "(15 s at 0.18 s a request).";

/** What failed, of all that a technique ran. */
function failures({ technique, cells }: Line, panel: Panel) {
  const own = [...new Set(cells)].flatMap((cell) => cell ?? []);
  const first = own.find(({ samples }) => failureOf(samples));
  if (!first) return undefined;
  const { text, kinds } = failureOf(own.flatMap(({ samples }) => samples))!;
  const name = panel.asPython ? `${technique} x${first.workers}` : technique;
  return `${name}: ${text} (${kinds}), first ${place(panel, first[panel.over])}.`;
}

/** Where the figures say less than they seem to. */
function noise(panels: Panel[]) {
  const cells = [...new Set(panels.flatMap(({ rows }) => rows.flat()))];
  const wide = cells.filter(({ ms }) => ms.deviationShare > LARGE_SPREAD);
  const of = `${wide.length} of ${plural(cells.length, "time")}`;
  if (wide.length > 0)
    return `The spread is above ${percent(LARGE_SPREAD)} for ${of}: try more --runs.`;
  if (cells.length === 0 || cells.some(({ samples }) => samples.length > 1)) return undefined;
  const level = `less than ${percent(LEVEL_ONCE)} apart is called level`;
  return `Everything was run once: ${level}. --runs 5 shows which differences are real.`;
}
