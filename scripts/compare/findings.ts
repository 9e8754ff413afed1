// What a comparison means, in sentences worked out from its runs, the most important first.

import { formatBytes, formatCount, formatMs, percent, plural } from "../../lib/terminal/format.ts";
import { BASELINE, type Comparison, type Line, type Panel, type TimedCell } from "./comparison.ts";
import { median, type Ratio, ratio } from "./statistics.ts";
import { capital, listed, requests } from "./text.ts";

/** A sentence, where there is something to say. */
type Finding = string | undefined;

/** A number of workers that comes this near to the best is as good: the knee is the smallest. */
const NEAR = 1.1;

/** The sentences. They say "request" for every iteration. */
export function findings({ over, machine }: Comparison, panels: Panel[]): Finding[] {
  const [equal, asPython] = panels as [Panel, Panel?];
  const { lines, last, work } = equal;
  const speed =
    over === "workers"
      ? lines.map((line) => sweep(line, work, machine.cores))
      : [
          ...fastest(equal),
          lead(equal),
          ...(work === "cpu" ? computing(equal, machine.cores) : lines.map(againstPlain)),
          ...lines.map(startUp),
          work === "post" ? nearLimit(equal) : undefined,
          ...(work === "none" ? last.map(overhead) : []),
        ];
  return [...speed, ...pythonsWorkers(equal, asPython), cheapest(equal), dictionaries(equal)];
}

/** "2.31 ± 0.05 times", or "2.3 times" of single runs. */
function times({ factor, deviation }: Ratio): string {
  return deviation === undefined
    ? `${factor.toFixed(1)} times`
    : `${factor.toFixed(2)} ± ${deviation.toFixed(2)} times`;
}

function byTime(a: TimedCell, b: TimedCell): number {
  return a.ms.median - b.ms.median;
}

/** Those of a row that are level with its fastest, by name. */
function levelWithBest(row: TimedCell[]): TimedCell[] {
  const [best] = row.toSorted(byTime);
  const level = row.filter((cell) => best && !ratio(cell.ms, best.ms).differs);
  return level.sort((a, b) => (a.technique < b.technique ? -1 : 1));
}

/** Which technique was fastest at which numbers of requests. */
function fastest({ rows }: Panel): Finding[] {
  const stretches: { names: string; verdict: string; sizes: number[] }[] = [];
  for (const row of rows.filter((cells) => cells.length > 1)) {
    const level = levelWithBest(row).map(({ technique }) => technique);
    const verdict = level.length > 1 ? "were fastest, and level with each other" : "was fastest";
    const names = listed(level);
    if (stretches.at(-1)?.names !== names) stretches.push({ names, verdict, sizes: [] });
    stretches.at(-1)!.sizes.push(row[0]!.requests);
  }
  return stretches.map(({ names, verdict, sizes }) => {
    const from = sizes.length > 1 ? `From ${formatCount(sizes[0]!)} to` : "At";
    return `${from} ${requests(sizes.at(-1)!)}: ${names} ${verdict}.`;
  });
}

/** By how much the fastest leads at the largest number of requests. */
function lead({ last }: Panel): Finding {
  const [best, ...others] = last.filter((cell) => cell.technique !== BASELINE).sort(byTime);
  const beaten = others.filter((cell) => ratio(cell.ms, best!.ms).differs);
  if (!best || beaten.length === 0) return undefined;
  const each = beaten.map(
    ({ technique, ms }) => `${times(ratio(ms, best.ms))} as fast as ${technique}`,
  );
  return `At ${requests(best.requests)} ${best.technique} ran ${listed(each)}.`;
}

/** From how many requests on a technique beats the plain loop. */
function againstPlain({ technique, timed }: Line): Finding {
  const rivals = timed.filter(({ gain }) => gain);
  const last = rivals.at(-1);
  if (!last) return undefined;
  const lastLoss = rivals.findLastIndex(({ gain }) => !gain!.differs || gain!.factor <= 1);
  const firstWin = rivals[lastLoss + 1];
  const name = capital(technique);
  if (!firstWin) return `${name} did not beat the plain loop up to ${requests(last.requests)}.`;
  const [ms, plainMs] = [formatMs(last.ms.median), formatMs(last.base!.ms.median)];
  const atLast = `at ${formatCount(last.requests)} it took ${ms} instead of ${plainMs}`;
  const from = requests(firstWin.requests);
  return `${name} beat the plain loop from ${from} on; ${atLast}, ${times(last.gain!)} as fast.`;
}

/** For computing: how many of the cores each put to use, at the most that the plain loop ran. */
function computing({ rows }: Panel, cores: number): Finding[] {
  const row = rows.findLast((cells) => cells.some(({ technique }) => technique === BASELINE));
  return (row ?? []).map((cell) => {
    const { gain, base } = cell;
    if (!gain || !base) return undefined;
    const name = capital(cell.technique);
    const plain = `the plain loop at ${requests(cell.requests)}`;
    const fast = `${times(gain)} as fast`;
    if (!gain.differs) {
      const measured = gain.deviation === undefined ? "" : ` (${fast})`;
      const why = isOnOneCore(cell) ? ": it computes on one core" : "";
      return `${name} stayed level with ${plain}${measured}${why}.`;
    }
    if (gain.factor < 1)
      return `${name} took ${times(ratio(cell.ms, base.ms))} as long as ${plain}.`;
    const most = Math.min(cores, cell.slots);
    const share = percent(gain.factor / most);
    return `${name} ran ${fast} as ${plain}: ${share} of what ${plural(most, "core")} can do.`;
  });
}

/** For computing: whether all of it was done on one core, however many workers there were. */
function isOnOneCore({ median, ms }: TimedCell): boolean {
  return (median.cpuMs ?? 0) < 1.2 * ms.median;
}

/** How much of the time of those that start workers is start-up. */
function startUp({ technique, timed }: Line): Finding {
  if (!timed[0] || (timed[0].median.startupMs ?? 0) < 10) return undefined;
  const shares = [...new Set([timed[0], timed.at(-1)!])].map(({ median, ms, requests: count }) => {
    const { startupMs = 0 } = median;
    const share = percent(startupMs / ms.median);
    return `${formatMs(startupMs)} of ${formatMs(ms.median)} at ${requests(count)} (${share})`;
  });
  return `${capital(technique)} took time to begin: ${shares.join(", ")}.`;
}

/** How near the best came to what the API's service time allows, at the largest size. */
function nearLimit({ last, rows, ideals }: Panel): Finding {
  const [best] = last.filter((cell) => cell.technique !== BASELINE).sort(byTime);
  const idealMs = ideals[rows.indexOf(last)];
  if (!best || idealMs === undefined) return undefined;
  const service = `${formatMs((idealMs * best.slots) / best.requests)} service time`;
  const product = `${requests(best.requests)} x ${service} / ${best.slots} in flight`;
  const pace = `${percent(idealMs / best.ms.median)} of that pace, start-up included`;
  const nearest = `${best.technique}, the nearest, came to ${pace}`;
  return `No technique can be faster than ${product} = ${formatMs(idealMs)}: ${nearest}.`;
}

/** For empty iterations: what is left is the technique itself. */
function overhead({ technique, ms, median, requests: count }: TimedCell): Finding {
  const { startupMs = 0 } = median;
  const eachUs = Number((((ms.median - startupMs) / count) * 1000).toPrecision(2));
  const end = startupMs < 10 ? "" : " (with the workers' shut-down)";
  const begin = `${formatMs(startupMs)} to begin`;
  return `By itself, ${technique}: ${begin}, then ${eachUs} us an iteration${end}.`;
}

/** Where more workers stop paying, and why. */
function sweep({ technique, timed }: Line, work: Panel["work"], cores: number): Finding {
  if (timed.length < 2) return undefined; // the plain loop, for one
  const name = capital(technique);
  const [fewest, most] = [timed[0]!, timed.at(-1)!];
  const byTimes = timed.toSorted(byTime);
  const [best, worst] = [byTimes[0]!, byTimes.at(-1)!];
  if (work === "cpu" && cores > 1 && timed.every(isOnOneCore)) {
    const range = `${formatMs(best.ms.median)} to ${formatMs(worst.ms.median)}`;
    const span = `with ${fewest.workers} to ${most.workers} of them`;
    return `${name} computes in one thread, whatever the number of workers: ${range} ${span}.`;
  }
  const isNear = ({ factor, differs }: Ratio) => factor <= NEAR || !differs;
  const knee = timed.find(({ ms }) => isNear(ratio(ms, best.ms)))!;
  const [base, gain] = [knee.base!, knee.gain!];
  const isPlain = base.technique === BASELINE;
  const whom = isPlain ? "the plain loop" : `that with ${plural(base.workers, "worker")}`;
  const speed = gain.differs ? `${times(gain)} as fast as ${whom}` : `level with ${whom}`;
  const kneeMs = formatMs(knee.ms.median);
  if (knee === most) {
    const efficiency = percent(gain.factor / (most.slots / (isPlain ? 1 : base.slots)));
    const end = `${kneeMs}, ${speed} (${efficiency} efficiency)`;
    const all = `every worker up to ${most.workers}, the most that were tried`;
    return `${name} gained from ${all}: ${end}.`;
  }
  const took = base === knee ? kneeMs : `${kneeMs}, ${speed}`;
  const workers = `${plural(knee.workers, "worker")} (${took})`;
  const loss = ratio(most.ms, knee.ms);
  const later = isNear(loss) ? "" : `; ${most.workers} took ${times(loss)} as long`;
  const why = limitOf(fewest, knee, most, work, cores);
  return knee === fewest
    ? `${name} gained nothing from more than ${workers}${later}: ${why}.`
    : `${name} gained up to ${workers}; more did not pay${later}: ${why}.`;
}

/** Why workers beyond the knee did not pay: the first limit that the figures show. */
function limitOf(
  fewest: TimedCell,
  knee: TimedCell,
  most: TimedCell,
  work: Panel["work"],
  cores: number,
): string {
  const { cpuMs = 0, startupMs = 0, serviceMs = 0, p50Ms = 0 } = most.median;
  const share = startupMs / most.ms.median;
  const ofTime = `${percent(share)} of the time with ${most.workers}`;
  const startUp = `${formatMs(startupMs)} of start-up are ${ofTime}, and do not shrink`;
  const ownCores = plural(cores, "core");
  if (work === "cpu" && knee.slots >= cores) return `there are ${ownCores} to compute on`;
  if (work === "none") return "there is no work to share, only workers to start";
  if (work === "post") {
    const before = fewest.median;
    if (before.serviceMs && serviceMs > 1.4 * before.serviceMs) {
      const rise = `${formatMs(serviceMs)} for a request instead of ${formatMs(before.serviceMs)}`;
      return `the API takes longer the more it is asked, ${rise}`;
    }
    if (share >= 0.3) return startUp;
    const busy = cpuMs / most.ms.median; // without the API
    if (busy > 0.75 * (most.workerKind === "lane" ? 1 : cores - 0.5)) {
      const kept = `the loop keeps ${busy.toFixed(1)} of ${ownCores} busy`;
      return `the CPU is the limit: ${kept}, and the API needs the rest`;
    }
    const rise = before.p50Ms ? p50Ms / before.p50Ms : 0;
    if (rise > 0.5 * (most.slots / fewest.slots)) {
      const longer = `${rise.toFixed(1)} times as long as with ${fewest.workers}`;
      return `a request takes ${longer}: the API serves no more at once`;
    }
  }
  if (share >= 0.2) return startUp;
  if (most.requests < 4 * most.slots)
    return `${most.requests} requests are few for ${most.slots} in flight`;
  return `the gain is less than ${percent(NEAR - 1)}`;
}

/** Why Python's numbers of workers make threads look faster than processes. */
function pythonsWorkers(equal: Panel, asPython: Panel | undefined): Finding[] {
  const lastCells = (asPython?.lines ?? []).flatMap(({ timed }) => timed.at(-1) ?? []);
  const threads = lastCells.find(({ workerKind }) => workerKind === "thread");
  const processes = lastCells.find(({ workerKind }) => workerKind === "process");
  if (!threads || !processes || threads.workers === processes.workers) return [];
  if (threads.requests !== processes.requests) return []; // one of them failed there
  const gain = ratio(processes.ms, threads.ms);
  const start = `${threads.workers} threads here, but ${processes.workers} processes`;
  const where = `${processes.technique} at ${requests(threads.requests)}`;
  const fast = `${threads.technique} ran ${times(gain)} as fast as ${where}`;
  const asMany = `${(threads.workers / processes.workers).toFixed(1)} times as many`;
  const [a, b] = [threads, processes].map((cell) =>
    equal.lines.find(({ technique }) => technique === cell.technique)?.timed.at(-1),
  );
  const isFair = a && b && a.workers === b.workers && a.requests === b.requests;
  const fair = isFair
    ? ` With ${a.workers} of each they ran ${times(ratio(b.ms, a.ms))} as fast.`
    : "";
  const isHeadline = equal.work === "post" && gain.differs && gain.factor > 1;
  return [
    `Python would start ${start}: with those, ${fast}, being ${asMany}.${fair}`,
    isHeadline ? HEADLINE : undefined,
  ];
}
const HEADLINE =
  "That is the headline of the article, too, 50 s with processes and 15 s with threads on a " +
  "machine with 2 cores: 500 x 0.2 s / 2 processes = 50 s, 500 x 0.2 s / 6 threads = 17 s " +
  "(15 s at 0.18 s a request).";

/** Of those that are level with the fastest in the last row, which takes least. */
function cheapest({ last }: Panel): Finding {
  const level = levelWithBest(last);
  const costs = level.map(({ technique, median }) => {
    const { cpuMs = 0, peakRssBytes = 0 } = median;
    return { technique, cpuMs, bytes: peakRssBytes };
  });
  costs.sort((a, b) => a.cpuMs - b.cpuMs);
  const [least, most] = [costs[0], costs.at(-1)];
  if (!least || !most || most.cpuMs < 1.25 * least.cpuMs || most.bytes < least.bytes)
    return undefined;
  const names = listed(level.map(({ technique }) => technique));
  const cost = `${formatMs(least.cpuMs)} of CPU time and ${formatBytes(least.bytes)} of memory`;
  const other = `${formatMs(most.cpuMs)} and ${formatBytes(most.bytes)} for ${most.technique}`;
  return `Where ${names} are level, ${least.technique} is the cheapest: ${cost}, against ${other}.`;
}

/** What one operation costs in each of the dictionaries. */
function dictionaries({ lines }: Panel): Finding {
  const costs = lines.map(({ technique, timed }) => {
    const cost = (figure: "dictAwaitedUs" | "dictPipelinedUs") =>
      median(timed.flatMap((cell) => cell.median[figure] ?? []));
    return { technique, awaited: cost("dictAwaitedUs"), pipelined: cost("dictPipelinedUs") };
  });
  const us = (cost: number | undefined) => cost && `${Number(cost.toPrecision(2))} us`;
  const each = costs.flatMap(({ technique, awaited, pipelined }) => {
    const both = awaited && pipelined && `${us(awaited)} awaited or ${us(pipelined)} pipelined`;
    const said = both ?? us(awaited) ?? us(pipelined);
    return said ? `${said} in ${technique}` : [];
  });
  if (each.length === 0) return undefined;
  const sentence = `One operation on the dictionary costs ${listed(each)}.`;
  const waiting = costs.filter(({ awaited }) => awaited).sort((a, b) => b.awaited! - a.awaited!);
  const [slowest, quickest] = [waiting[0], waiting.at(-1)];
  if (!slowest || !quickest || slowest === quickest) return sentence;
  const factor = formatCount(slowest.awaited! / quickest.awaited!);
  const longer = `${factor} times as long as those of ${quickest.technique}`;
  return `${sentence} Waited for one by one, those of ${slowest.technique} take ${longer}.`;
}
