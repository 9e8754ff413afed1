// What a comparison means, in sentences worked out from its runs, the most important first.

import { formatBytes, formatCount, formatMs } from "../../lib/terminal/format.ts";
import {
  BASELINE,
  type Cell,
  type Comparison,
  cellsOf,
  middle,
  type TimedCell,
  timed,
} from "./comparison.ts";
import { overRequests } from "./findings-requests.ts";
import { caveats, failures } from "./findings-trust.ts";
import { overWorkers } from "./findings-workers.ts";
import { listed, namesIn, times } from "./phrases.ts";
import { median, ratio } from "./statistics.ts";

/** All that a comparison says. */
export function findings(comparison: Comparison): string[] {
  const { over, machine } = comparison;
  const cells = cellsOf(comparison);
  const equal = cells.filter((cell) => !cell.asPython);
  // Over workers the plain loop is in every row, but was run once.
  const once = cells.filter(
    (cell) => over === "requests" || cell.technique !== BASELINE || cell.x === comparison.xs[0],
  );
  const about = over === "workers" ? overWorkers : overRequests;
  const sentences = [
    ...about(timed(equal), machine.cores),
    ...workerCounts(timed(cells)),
    ...cheapest(timed(equal)),
    ...dictionaries(equal),
    ...failures(once, over),
    ...caveats(comparison, once),
  ];
  if (cells[0]?.samples[0]?.work === "post") return sentences;
  return sentences.map((sentence) => sentence.replaceAll("request", "iteration"));
}

/** Why Python's defaults make threads look faster than processes. */
function workerCounts(cells: TimedCell[]): string[] {
  const last = (technique: string, asPython: boolean) =>
    cells.findLast((cell) => cell.technique === technique && cell.asPython === asPython);
  const [threads, processes] = [last("threads", true), last("processes", true)];
  if (!threads || !processes || threads.workers === processes.workers) return [];
  if (threads.x !== processes.x) return []; // one of them failed there
  const work = threads.samples[0]!.work;
  const where = `${formatCount(threads.requests)} ${work === "post" ? "requests" : "iterations"}`;
  const [a, b] = [last("threads", false), last("processes", false)];
  const equal =
    a && b && a.workers === b.workers && a.x === b.x
      ? ` With ${a.workers} of each they ran ${times(ratio(b.ms, a.ms))} as fast.`
      : "";
  const gain = ratio(processes.ms, threads.ms);
  const asInTheArticle = work === "post" && gain.differs && gain.factor > 1;
  return [
    `Python would start ${threads.workers} threads here, but ${processes.workers} processes: with those, threads ran ${times(gain)} as fast as processes at ${where}, being ${(threads.workers / processes.workers).toFixed(1)} times as many.${equal}`,
    ...(asInTheArticle
      ? [
          "That is the headline of the article, too, 50 s with processes and 15 s with threads on a machine with 2 cores: 500 x 0.2 s / 2 processes = 50 s, 500 x 0.2 s / 6 threads = 17 s (15 s at 0.18 s a request).",
        ]
      : []),
  ];
}

/** Of those that are level with the fastest at the last point, which takes least. */
function cheapest(cells: TimedCell[]): string[] {
  const here = cells.filter((cell) => cell.x === Math.max(...cells.map((one) => one.x)));
  const fastest = here.reduce((a, b) => (b.ms.median < a.ms.median ? b : a), here[0]!);
  const level = here.filter((cell) => cell === fastest || !ratio(cell.ms, fastest.ms).differs);
  if (level.length < 2) return [];
  const cost = (cell: Cell) => ({
    name: cell.technique,
    cpuMs: middle(cell, "cpuMs")!,
    bytes: middle(cell, "peakRssBytes")!,
  });
  const costs = level.map(cost).sort((a, b) => a.cpuMs - b.cpuMs);
  const [least, most] = [costs[0]!, costs.at(-1)!];
  if (most.cpuMs < 1.25 * least.cpuMs || most.bytes < least.bytes) return [];
  const names = listed(level.map((cell) => cell.technique).sort());
  return [
    `Where ${names} are level, ${least.name} is the cheapest: ${formatMs(least.cpuMs)} of CPU time and ${formatBytes(least.bytes)} of memory, against ${formatMs(most.cpuMs)} and ${formatBytes(most.bytes)} for ${most.name}.`,
  ];
}

/** What one operation costs in each of the dictionaries. */
function dictionaries(cells: Cell[]): string[] {
  const costs = namesIn(cells).flatMap((name) => {
    const own = cells.filter((cell) => cell.technique === name);
    const cost = (figure: "dictAwaitedUs" | "dictPipelinedUs") =>
      median(own.flatMap((cell) => middle(cell, figure) ?? []));
    const [awaited, pipelined] = [cost("dictAwaitedUs"), cost("dictPipelinedUs")];
    return awaited === undefined && pipelined === undefined ? [] : [{ name, awaited, pipelined }];
  });
  if (costs.length === 0) return [];
  const us = (cost: number) => `${Number(cost.toPrecision(2))} us`;
  const each = costs.map(({ name, awaited, pipelined }) => {
    const both = awaited !== undefined && pipelined !== undefined;
    const parts = [
      ...(awaited === undefined ? [] : [us(awaited) + (both ? " awaited" : "")]),
      ...(pipelined === undefined ? [] : [us(pipelined) + (both ? " pipelined" : "")]),
    ];
    return `${parts.join(" or ")} in ${name}`;
  });
  const sentence = `One operation on the dictionary costs ${listed(each)}.`;
  const awaited = costs.flatMap(({ name, awaited: us }) =>
    us === undefined ? [] : [{ name, us }],
  );
  awaited.sort((a, b) => b.us - a.us);
  const [slowest, fastest] = [awaited[0], awaited.at(-1)];
  if (!slowest || !fastest || slowest === fastest) return [sentence];
  const factor = formatCount(slowest.us / fastest.us);
  return [
    `${sentence} Waited for one by one, those of ${slowest.name} take ${factor} times as long as those of ${fastest.name}.`,
  ];
}
