// What a comparison means, in sentences worked out from its records.

import { formatCount, formatMs, listed, plural } from "./format.ts";
import type { RunRecord } from "./record.ts";

/** Times less than this share apart count as level: one run a size cannot tell them apart. */
const LEVEL = 0.1;

/** The plain loop's name, which the others are held against. */
export const BASELINE = "sequential";

/** True for a run whose time can be compared: all of it was done. */
export function isComparable(record: RunRecord): boolean {
  return !record.interrupted && record.failed === 0;
}

/** The limit at one number of requests: the median of what the runs' service times allow. */
export function idealAt(records: RunRecord[], requests: number): number | undefined {
  const ideals = records
    .filter((one) => one.requests === requests && one.technique !== BASELINE)
    .flatMap((one) => one.idealMs ?? [])
    .sort((a, b) => a - b);
  return ideals[ideals.length >> 1];
}

/** All that the records say, the most important first. */
export function findings(records: RunRecord[]): string[] {
  const good = records.filter(isComparable);
  return [
    ...fastest(good),
    ...againstBaseline(good),
    ...startUp(good),
    ...nearLimit(good),
    ...dictionaries(good),
    ...failures(records),
  ];
}

/** Which technique was fastest at which sizes. */
function fastest(records: RunRecord[]): string[] {
  if (namesIn(records).length < 2) return [];
  const runs: { names: string; sizes: number[] }[] = [];
  for (const requests of sizesIn(records)) {
    const rivals = records.filter((one) => one.requests === requests).sort((a, b) => a.ms - b.ms);
    if (rivals.length < 2) continue;
    const level = rivals.filter((one) => one.ms <= rivals[0]!.ms * (1 + LEVEL));
    const names = listed(level.map((one) => one.technique).sort());
    if (runs.at(-1)?.names === names) runs.at(-1)!.sizes.push(requests);
    else runs.push({ names, sizes: [requests] });
  }
  return runs.map(({ names, sizes }) => {
    const where =
      sizes.length === 1
        ? at(sizes[0]!)
        : `from ${formatCount(sizes[0]!)} to ${at(sizes.at(-1)!, "")}`;
    const level = names.includes(" and ");
    return `${capital(where)}: ${names} ${level ? `were fastest, level within ${LEVEL * 100} %` : "was fastest"}.`;
  });
}

/** From how many requests on each technique beats the plain loop. */
function againstBaseline(records: RunRecord[]): string[] {
  const baseline = new Map(
    records.filter((one) => one.technique === BASELINE).map((one) => [one.requests, one.ms]),
  );
  if (baseline.size === 0) return [];
  return namesIn(records)
    .filter((name) => name !== BASELINE)
    .flatMap((name) => {
      const shared = records
        .filter((one) => one.technique === name && baseline.has(one.requests))
        .sort((a, b) => a.requests - b.requests);
      const last = shared.at(-1);
      if (!last) return [];
      const lastLoss = shared.findLastIndex((one) => one.ms >= baseline.get(one.requests)!);
      const firstWin = shared[lastLoss + 1];
      if (!firstWin)
        return [`${capital(name)} did not beat the plain loop up to ${at(last.requests, "")}.`];
      const factor = (baseline.get(last.requests)! / last.ms).toFixed(1);
      const from =
        lastLoss === -1
          ? `already at ${at(firstWin.requests, "")}`
          : `from ${at(firstWin.requests, "")} on`;
      return [
        `${capital(name)} beat the plain loop ${from}: at ${formatCount(last.requests)} it took ${formatMs(last.ms)} instead of ${formatMs(baseline.get(last.requests)!)}, ${factor} times as fast.`,
      ];
    });
}

/** How much of the time of those that start workers is start-up. */
function startUp(records: RunRecord[]): string[] {
  return namesIn(records).flatMap((name) => {
    const runs = records
      .filter((one) => one.technique === name && one.startupMs !== undefined)
      .sort((a, b) => a.requests - b.requests);
    const [small, large] = [runs[0], runs.at(-1)];
    if (!small || !large || small.startupMs! < 10) return [];
    const share = (one: RunRecord) =>
      `${Math.round((one.startupMs! / one.ms) * 100)} % of the time ${at(one.requests)}`;
    const shares = small === large ? share(small) : `${share(small)} and ${share(large)}`;
    return [`${capital(name)} took ${formatMs(large.startupMs!)} to begin: ${shares}.`];
  });
}

/** How near the best came to what the API's service time allows, at the largest size. */
function nearLimit(records: RunRecord[]): string[] {
  const largest = sizesIn(records).at(-1);
  const rivals = records.filter((one) => one.requests === largest && one.technique !== BASELINE);
  const best = rivals.sort((a, b) => a.ms - b.ms)[0];
  if (!best?.idealMs || best.serviceMs === undefined) return [];
  const lanes = Math.min(best.workers * best.inFlight, best.requests);
  return [
    `No technique can be faster than ${formatCount(best.requests)} requests x ${formatMs(best.serviceMs)} service time / ${lanes} in flight = ${formatMs(best.idealMs)}: ${best.technique}, the nearest, came to ${Math.round((best.idealMs / best.ms) * 100)} % of that pace.`,
  ];
}

/** What one operation costs in each of the dictionaries. */
function dictionaries(records: RunRecord[]): string[] {
  const costs = namesIn(records).flatMap((name) => {
    const own = records.filter((one) => one.technique === name);
    const awaited = median(own.flatMap((one) => one.dictAwaitedUs ?? []));
    const pipelined = median(own.flatMap((one) => one.dictPipelinedUs ?? []));
    return awaited === undefined && pipelined === undefined ? [] : [{ name, awaited, pipelined }];
  });
  if (costs.length === 0) return [];
  const us = (cost: number) => `${Number(cost.toPrecision(2))} us`;
  const each = costs.map(({ name, awaited, pipelined }) => {
    const parts = [
      ...(awaited === undefined
        ? []
        : [pipelined === undefined ? us(awaited) : `${us(awaited)} awaited`]),
      ...(pipelined === undefined
        ? []
        : [awaited === undefined ? us(pipelined) : `${us(pipelined)} pipelined`]),
    ];
    return `${parts.join(" or ")} in ${name}`;
  });
  const sentence = `One operation on the dictionary costs ${listed(each)}.`;
  const awaited = costs.filter((cost) => cost.awaited !== undefined);
  awaited.sort((a, b) => b.awaited! - a.awaited!);
  const [slowest, fastest] = [awaited[0], awaited.at(-1)];
  if (awaited.length < 2) return [sentence];
  const factor = formatCount(slowest!.awaited! / fastest!.awaited!);
  return [
    `${sentence} Waited for one by one, those of ${slowest!.name} take ${factor} times as long as those of ${fastest!.name}.`,
  ];
}

function median(values: number[]): number | undefined {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

/** Runs with failed iterations, and why they failed. */
function failures(records: RunRecord[]): string[] {
  return records
    .filter((one) => one.failed > 0 && !one.interrupted)
    .map((one) => {
      const answers = Object.entries(one.statuses).filter(([status]) => !status.startsWith("2"));
      const reasons = [...answers, ...Object.entries(one.errors)].map(
        ([key, count]) => `${key}: ${formatCount(count)}`,
      );
      return `${capital(one.technique)} ${at(one.requests)}: ${formatCount(one.failed)} failed (${reasons.join(", ")}).`;
    });
}

function namesIn(records: RunRecord[]): string[] {
  return [...new Set(records.map((one) => one.technique))];
}

function sizesIn(records: RunRecord[]): number[] {
  return [...new Set(records.map((one) => one.requests))].sort((a, b) => a - b);
}

function at(requests: number, preposition = "at "): string {
  return `${preposition}${plural(requests, "request")}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
