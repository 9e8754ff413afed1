// What a comparison over numbers of requests says: who is fastest, from where on, and why.

import { formatCount, formatMs, percent } from "../../lib/terminal/format.ts";
import { BASELINE, idealAt, middle, type TimedCell } from "./comparison.ts";
import { isOneThread } from "./findings-workers.ts";
import { at, capital, listed, namesIn, times } from "./phrases.ts";
import { ratio } from "./statistics.ts";

/** The sentences, for cells in the order of their sizes. */
export function overRequests(cells: TimedCell[], cores: number): string[] {
  const work = cells[0]?.samples[0]?.work;
  return [
    ...fastest(cells),
    ...(work === "cpu" ? computing(cells, cores) : againstBaseline(cells)),
    ...startUp(cells),
    ...(work === "post" ? nearLimit(cells, cores) : []),
    ...(work === "none" ? overhead(cells) : []),
  ];
}

/** Which technique was fastest at which sizes, and by how much at the largest. */
function fastest(cells: TimedCell[]): string[] {
  if (namesIn(cells).length < 2) return [];
  const runs: { names: string; level: boolean; sizes: number[] }[] = [];
  for (const size of sizesIn(cells)) {
    const rivals = cells.filter((cell) => cell.x === size);
    rivals.sort((a, b) => a.ms.median - b.ms.median);
    if (rivals.length < 2) continue;
    const level = rivals.filter(
      (cell) => cell === rivals[0] || !ratio(cell.ms, rivals[0]!.ms).differs,
    );
    const names = listed(level.map((cell) => cell.technique).sort());
    if (runs.at(-1)?.names === names) runs.at(-1)!.sizes.push(size);
    else runs.push({ names, level: level.length > 1, sizes: [size] });
  }
  const winners = runs.map(({ names, level, sizes }) => {
    const where =
      sizes.length === 1
        ? at(sizes[0]!)
        : `from ${formatCount(sizes[0]!)} to ${at(sizes.at(-1)!, "")}`;
    return `${capital(where)}: ${names} ${level ? "were fastest, and level with each other" : "was fastest"}.`;
  });
  return [...winners, ...leadAtLargest(cells)];
}

function leadAtLargest(cells: TimedCell[]): string[] {
  const largest = sizesIn(cells).at(-1);
  const rivals = cells.filter((cell) => cell.x === largest && cell.technique !== BASELINE);
  rivals.sort((a, b) => a.ms.median - b.ms.median);
  const [best, ...others] = rivals;
  const beaten = others.filter((cell) => ratio(cell.ms, best!.ms).differs);
  if (!best || beaten.length === 0) return [];
  const each = beaten.map(
    (cell) => `${times(ratio(cell.ms, best.ms))} as fast as ${cell.technique}`,
  );
  return [`${capital(at(largest!))} ${best.technique} ran ${listed(each)}.`];
}

/** From how many requests on each technique beats the plain loop. */
function againstBaseline(cells: TimedCell[]): string[] {
  const baseline = new Map(
    cells.filter((cell) => cell.technique === BASELINE).map((cell) => [cell.x, cell]),
  );
  if (baseline.size === 0) return [];
  return namesIn(cells)
    .filter((name) => name !== BASELINE)
    .flatMap((name) => {
      const shared = cells.filter((cell) => cell.technique === name && baseline.has(cell.x));
      const last = shared.at(-1);
      if (!last) return [];
      const beats = (cell: TimedCell) => {
        const { factor, differs } = ratio(baseline.get(cell.x)!.ms, cell.ms);
        return differs && factor > 1;
      };
      const lastLoss = shared.findLastIndex((cell) => !beats(cell));
      const firstWin = shared[lastLoss + 1];
      if (!firstWin)
        return [`${capital(name)} did not beat the plain loop up to ${at(last.x, "")}.`];
      const plain = baseline.get(last.x)!;
      return [
        `${capital(name)} beat the plain loop from ${at(firstWin.x, "")} on; at ${formatCount(last.x)} it took ${formatMs(last.ms.median)} instead of ${formatMs(plain.ms.median)}, ${times(ratio(plain.ms, last.ms))} as fast.`,
      ];
    });
}

/** For computing: how many of the cores each technique put to use, at the largest size that the plain loop ran. */
function computing(cells: TimedCell[], cores: number): string[] {
  const plain = cells.findLast((cell) => cell.technique === BASELINE);
  if (!plain) return [];
  const here = cells.filter((cell) => cell.x === plain.x && cell !== plain);
  return here.map((cell) => {
    const { factor, deviation, differs } = ratio(plain.ms, cell.ms);
    const name = capital(cell.technique);
    const where = at(plain.x);
    if (!differs)
      return `${name} stayed level with the plain loop ${where}${deviation === undefined ? "" : ` (${times({ factor, deviation, differs })} as fast)`}${isOneThread(cell) ? ": it computes on one core" : ""}.`;
    if (factor < 1)
      return `${name} took ${times(ratio(cell.ms, plain.ms))} as long as the plain loop ${where}.`;
    const most = Math.min(cores, cell.slots);
    const share = percent(factor / most);
    return `${name} ran ${times({ factor, deviation, differs })} as fast as the plain loop ${where}: ${share} of what ${most} ${most === 1 ? "core" : "cores"} can do.`;
  });
}

/** How much of the time of those that start workers is start-up. */
function startUp(cells: TimedCell[]): string[] {
  return namesIn(cells).flatMap((name) => {
    const own = cells.filter((cell) => cell.technique === name);
    const [small, large] = [own[0]!, own.at(-1)!];
    const startupMs = (cell: TimedCell) => middle(cell, "startupMs") ?? 0;
    if (startupMs(small) < 10) return [];
    const share = (cell: TimedCell) =>
      `${formatMs(startupMs(cell))} of ${formatMs(cell.ms.median)} ${at(cell.x)} (${percent(startupMs(cell) / cell.ms.median)})`;
    const shares = small === large ? share(small) : `${share(small)}, ${share(large)}`;
    return [`${capital(name)} took time to begin: ${shares}.`];
  });
}

/** How near the best came to what the API's service time allows, at the largest size. */
function nearLimit(cells: TimedCell[], cores: number): string[] {
  const largest = sizesIn(cells).at(-1)!;
  const rivals = cells.filter((cell) => cell.x === largest && cell.technique !== BASELINE);
  const best = rivals.sort((a, b) => a.ms.median - b.ms.median)[0];
  const idealMs = idealAt(cells, largest, cores);
  if (!best || idealMs === undefined) return [];
  const serviceMs = (idealMs * best.slots) / best.requests;
  return [
    `No technique can be faster than ${formatCount(best.requests)} requests x ${formatMs(serviceMs)} service time / ${best.slots} in flight = ${formatMs(idealMs)}: ${best.technique}, the nearest, came to ${percent(idealMs / best.ms.median)} of that pace, start-up included.`,
  ];
}

/** For empty iterations: what is left is the technique itself. */
function overhead(cells: TimedCell[]): string[] {
  const largest = sizesIn(cells).at(-1);
  const here = cells.filter((cell) => cell.x === largest);
  return here.map((cell) => {
    const startupMs = middle(cell, "startupMs") ?? 0;
    const eachUs = ((cell.ms.median - startupMs) / cell.requests) * 1000;
    const end = startupMs < 10 ? "" : " (with the workers' shut-down)";
    return `By itself, ${cell.technique}: ${formatMs(startupMs)} to begin, then ${Number(eachUs.toPrecision(2))} us an iteration${end}.`;
  });
}

function sizesIn(cells: TimedCell[]): number[] {
  return [...new Set(cells.map((cell) => cell.x))].sort((a, b) => a - b);
}
