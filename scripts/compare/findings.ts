// What a comparison shows, in sentences, the most important first. Each states figures of rows that
// it names: no row is spoken for by others, and no reason is guessed.

import { formatCount, formatMs, percent, plural } from "../../lib/terminal/format.ts";
import {
  BASELINE,
  bestOf,
  failureOf,
  type Line,
  type Panel,
  type TimedCell,
} from "./comparison.ts";
import { formatRatio, LEVEL_ONCE, type Ratio, ratio } from "./statistics.ts";

/** A sentence, where there is something to say. */
type Finding = string | undefined;

/** A number of workers that comes this near to the best is as good: the knee is the smallest. */
const NEAR = 1.1;
/** A spread above this share of the median is worth a warning. */
const LARGE_SPREAD = 0.2;

/** The sentences. */
export function findings(panels: Panel[]): string[] {
  const [equal, asPython] = panels as [Panel, Panel?];
  const isSweep = equal.over === "workers";
  return [
    ...(isSweep ? [] : fastest(equal)),
    ...equal.lines.map((line) => (isSweep ? knee : againstPlain)(line, equal)),
    characterOf(equal),
    isSweep ? undefined : nearIdeal(equal),
    ...(asPython ? pythonsWorkers(asPython) : []),
    ...panels.flatMap((panel) => panel.lines.map((line) => failures(line, panel))),
    noise(panels),
  ].flatMap((sentence) => (sentence ? sentence[0]!.toUpperCase() + sentence.slice(1) : []));
}

/** Rows by their x: "at 5 requests", "from 5 to 50 requests", "with 2 workers". */
function place(panel: Panel, from: number, to = from): string {
  const isSweep = panel.over === "workers";
  const last = plural(to, isSweep ? "worker" : unitOf(panel));
  return from < to ? `from ${formatCount(from)} to ${last}` : `${isSweep ? "with" : "at"} ${last}`;
}

function unitOf({ work }: Panel): string {
  return work === "post" ? "request" : "iteration";
}

/** "2.31 ± 0.05 times as fast", or that nothing tells the two apart. */
function times(gain: Ratio, whom: string): string {
  return gain.differs ? `${formatRatio(gain)} times as fast as ${whom}` : `level with ${whom}`;
}

function verdictOn({ differs, factor }: Ratio): "level" | "faster" | "slower" {
  return !differs ? "level" : factor > 1 ? "faster" : "slower";
}

/** What holds in rows next to each other, said once; a row without anything to say ends it. */
function stretches(verdicts: Finding[], panel: Panel) {
  const found: { verdict: Finding; from: number; to: number }[] = [];
  for (const [row, verdict] of verdicts.entries()) {
    const [x, last] = [panel.xs[row]!, found.at(-1)];
    if (last && last.verdict === verdict) last.to = x;
    else found.push({ verdict, from: x, to: x });
  }
  return found.flatMap(({ verdict, from, to }) =>
    verdict === undefined ? [] : { verdict, where: place(panel, from, to) },
  );
}

/** Which technique was fastest in which rows, and which of them nothing tells from it. */
function fastest(panel: Panel): Finding[] {
  const verdicts = panel.rows.map((row, number) => {
    if (row.length < 2) return undefined;
    const best = bestOf(row)!;
    const level = row.filter((cell) => !ratio(cell.ms, best.ms).differs);
    const names = level.map(({ technique }) => technique).sort();
    const close = level.length > 1 ? ", too close to tell" : "";
    const isWhole = row.length === panel.lines.filter(({ cells }) => cells[number]).length;
    return `${listed(names, "or")} was fastest${isWhole ? "" : " of those with a time"}${close}`;
  });
  return stretches(verdicts, panel).map(({ verdict, where }) => `${where}: ${verdict}.`);
}

/** Where a technique beats the plain loop, and where it does not. */
function againstPlain({ technique, cells, timed }: Line, panel: Panel): Finding {
  const last = timed.findLast(({ gain }) => gain);
  if (!last) return undefined;
  const verdicts = cells.map((cell) => cell?.gain && verdictOn(cell.gain));
  const parts = stretches(verdicts, panel).map(({ verdict, where }) => `${verdict} ${where}`);
  const both = `${formatMs(last.ms.median)} instead of ${formatMs(last.base!.ms.median)}`;
  const all = `${parts.join(", ")}; ${place(panel, last.requests)} ${both}`;
  return `${technique} against the plain loop: ${all}.`;
}

/** How near the best came to the ideal, in the last row that has one. */
function nearIdeal(panel: Panel): Finding {
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
function characterOf({ lines, work }: Panel): Finding {
  const plain = lines.find(({ technique }) => technique === BASELINE)?.timed.at(-1);
  if (work !== "body" || !plain) return undefined;
  const busy = (plain.median.cpuMs ?? 0) / plain.ms.median;
  const does = busy > 0.8 ? "computes" : busy < 0.3 ? "waits" : "waits and computes";
  return `This loop ${does}: one after another, its iterations kept ${percent(busy)} of a core busy.`;
}

/** The fewest workers that come near the best. */
function knee({ technique, cells, timed }: Line, panel: Panel): Finding {
  if (timed.length < 2) return undefined; // the plain loop, for one
  const best = bestOf(timed)!;
  const first = timed.find(({ ms }) => ms.median <= NEAR * best.ms.median)!;
  const { base, gain, ms, workers } = first;
  const whom = base!.technique === BASELINE ? "the plain loop" : place(panel, base!.workers);
  const speed = base === first ? "" : `, ${times(gain!, whom)}`;
  const ideal = panel.ideals[cells.indexOf(first)];
  const pace = ideal ? `, ${percent(ideal.ms.median / ms.median)} of the ideal pace` : "";
  const slower = timed.filter((cell, number) =>
    timed.slice(0, number).some((fewer) => verdictOn(ratio(fewer.ms, cell.ms)) === "slower"),
  );
  const numbers = listed(
    slower.map((cell) => `${cell.workers}`),
    "and",
  );
  const longer = numbers && `; slower than with fewer: ${numbers}`;
  const near = `within ${percent(NEAR - 1)} of its best time ${place(panel, workers)}`;
  return `${technique} first came ${near}: ${formatMs(ms.median)}${speed}${pace}${longer}.`;
}

/** What Python's numbers of workers make of threads and processes. */
function pythonsWorkers(panel: Panel): Finding[] {
  const cells = panel.lines.flatMap(({ timed }) => timed.at(-1) ?? []);
  const threads = cells.find(({ workerKind }) => workerKind === "thread");
  const processes = cells.find(({ workerKind }) => workerKind === "process");
  // Where the largest size failed for one of them, nothing compares.
  if (!threads || threads.requests !== processes?.requests) return [];
  if (threads.workers === processes.workers) return [];
  const gain = ratio(processes.ms, threads.ms);
  const start = `${threads.workers} threads here and ${processes.workers} processes`;
  const ran = `${threads.technique} ${times(gain, processes.technique)}`;
  return [
    `Python would start ${start}: ${place(panel, threads.requests)}, ${ran}.`,
    panel.work === "post" && verdictOn(gain) === "faster" ? HEADLINE : undefined,
  ];
}
const HEADLINE =
  "That is the headline of the article, too, 50 s with processes and 15 s with threads on a " +
  "machine with 2 cores: 500 x 0.2 s / 2 processes = 50 s, 500 x 0.2 s / 6 threads = 17 s " +
  "(15 s at 0.18 s a request).";

/** What failed, of all that a technique ran. */
function failures({ technique, cells }: Line, panel: Panel): Finding {
  const own = [...new Set(cells)].flatMap((cell) => cell ?? []);
  const first = own.find(({ samples }) => failureOf(samples));
  if (!first) return undefined;
  const { text, kinds } = failureOf(own.flatMap(({ samples }) => samples))!;
  const name = panel.asPython ? `${technique} x${first.workers}` : technique;
  return `${name}: ${text} (${kinds}), first ${place(panel, first[panel.over])}.`;
}

/** Where the figures say less than they seem to. */
function noise(panels: Panel[]): Finding {
  const cells = [...new Set(panels.flatMap(({ rows }) => rows.flat()))];
  const share = ({ ms }: TimedCell) => (ms.deviation ?? 0) / ms.median;
  const wide = cells.filter((cell) => share(cell) > LARGE_SPREAD);
  const [widest] = wide.sort((a, b) => share(b) - share(a));
  if (widest) {
    const { technique, requests, workers, ms } = widest;
    const count = `${wide.length} of ${plural(cells.length, "time")}`;
    const where = `${technique} x${workers} at ${plural(requests, unitOf(panels[0]!))}`;
    const range = `${formatMs(ms.least)} to ${formatMs(ms.most)}`;
    return `The spread is large for ${count}, most so for ${where}: ${range}. Try more --runs.`;
  }
  if (cells.length === 0 || cells.some(({ samples }) => samples.length > 1)) return undefined;
  const level = `less than ${percent(LEVEL_ONCE)} apart is called level`;
  return `Everything was run once: ${level}. --runs 5 shows which differences are real.`;
}

/** "a", "a and b", "a, b and c". */
function listed(words: readonly string[], joint: "and" | "or"): string {
  return words.join(", ").replace(/, ([^,]*)$/, ` ${joint} $1`);
}
