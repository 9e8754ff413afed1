// Checks what compare.ts shows of a comparison, figure by figure and sentence by sentence, against
// its exported samples. Nothing of what made the figures is used here: all is worked out anew, by
// the rules that README.md states.

import assert from "node:assert/strict";
import type { Comparison, Sample } from "../../scripts/compare/comparison.ts";

const PLAIN = "sequential";
const UNITS: Record<string, number> = { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000 };
const TIME = String.raw`[\d.,]+ (?:us|ms|s|min|h)`;

/** One technique in one row, or all of it. */
interface Runs {
  technique: string;
  all: Sample[];
  /** Those in which nothing failed, and their times. */
  good: Sample[];
  times: number[];
}

/**
 * @param json What --export-json saves.
 * @param text What stands on the terminal, on lines that are wide enough for all of it.
 * @throws {AssertionError} A figure or a sentence that the samples do not bear out, or one missing.
 */
export function check(json: string, text: string): void {
  const comparison: Comparison = JSON.parse(json);
  const sections = text.split("\n\n");
  const isTable = (head: string) => (section: string) => section.trimStart().startsWith(head);
  const tables = sections.filter(isTable(`${comparison.over}  `));
  const costs = sections.filter(isTable("technique  "));
  for (const [number, asPython] of [false, true].entries()) {
    const panel = panelOf(comparison, asPython);
    if (asPython && panel.all.length === 0) continue;
    checkTimes(panel, cellsOf(tables[number]!));
    const last = panel.rows.findLast((row) => row.some(isTimed));
    if (last) checkCosts(last, cellsOf(costs.shift()!));
  }
  assert.equal(costs.length, 0);
  for (const section of sections) checkChart(comparison, section);
  const lines = sections.at(-1)!.split("\n");
  const sentences = lines.filter((line) => line.startsWith("- ")).map((line) => line.slice(2));
  checkSentences(comparison, sentences.slice(0, sentences.length - comparison.remarks.length));
}

/** The runs with the number of workers asked for, or with Python's, in rows. */
function panelOf({ over, xs, techniques, samples, machine }: Comparison, asPython: boolean) {
  const all = samples.filter((run) => run.asPython === asPython);
  const runsOf = (technique: string, isMeant: (run: Sample) => boolean): Runs => {
    const runs = all.filter((run) => run.technique === technique && isMeant(run));
    const good = runs.filter((run) => !run.interrupted && run.failed === 0);
    return { technique, all: runs, good, times: good.map((run) => run.ms) };
  };
  const isInAllRows = (technique: string) => over === "workers" && technique === PLAIN;
  const rows = xs.map((x) =>
    techniques.map((name) => runsOf(name, (run) => isInAllRows(name) || run[over] === x)),
  );
  return { over, xs, all, rows, cores: machine.cores, asPython };
}
type Panel = ReturnType<typeof panelOf>;

const isTimed = ({ times }: Runs) => times.length > 0;
const inRow = (row: Runs[], technique: string) => row.find((runs) => runs.technique === technique)!;

/** The middle of the values, by counting how many are not above and not below. */
function middle(values: number[]): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length / 2;
  return Number.isInteger(half) ? (sorted[half - 1]! + sorted[half]!) / 2 : sorted[half - 0.5]!;
}

/** Sample standard deviation, by the pairs' differences. */
function deviation(values: number[]): number {
  const n = values.length;
  let squares = 0;
  for (const a of values) for (const b of values) squares += (a - b) ** 2;
  return Math.sqrt(squares / 2 / n / (n - 1));
}

/** How many times as fast `b` is as `a`. */
function compared(a: number[], b: number[]) {
  const factor = middle(a) / middle(b);
  const apart = Math.max(factor, 1 / factor) - 1;
  if (a.length < 2 || b.length < 2) return { factor, differs: apart > 0.1 };
  const [shareA, shareB] = [deviation(a) / middle(a), deviation(b) / middle(b)];
  const error = 1.25 * Math.sqrt(shareA ** 2 / a.length + shareB ** 2 / b.length);
  const least = a.length < 3 || b.length < 3 ? 0.1 : 0.03;
  const spread = factor * Math.sqrt(shareA ** 2 + shareB ** 2);
  return { factor, differs: apart > least && apart > 2 * error, spread };
}

/** What a row's runs could have taken at best. */
function idealOf(row: Runs[], cores: number) {
  const others = row.filter((runs) => runs.technique !== PLAIN && isTimed(runs));
  const slots = others.map(({ good: [run] }) => run!.workers * run!.concurrency);
  const [first] = others.flatMap(({ good }) => good);
  if (!first || slots.some((slot) => slot !== slots[0])) return undefined;
  const isComputing = first.work === "cpu";
  const most = isComputing ? Math.min(first.workers, cores) : slots[0]!;
  const rounds = Math.ceil(first.requests / most);
  const plain = inRow(row, PLAIN)?.times ?? [];
  const known = others.filter(({ good }) => good.some((run) => run.serviceMs !== undefined));
  const eachMs = isComputing
    ? plain.map((ms) => ms / first.requests)
    : known.map(({ good }) => middle(good.flatMap((run) => run.serviceMs ?? [])));
  if (eachMs.length === 0) return undefined;
  const each = isComputing ? middle(eachMs) : Math.min(...eachMs);
  return { rounds, atOnce: Math.min(most, first.requests), ms: rounds * each };
}

/** What a technique's time in a row is held against. */
function baseOf({ over, rows }: Panel, row: Runs[], { technique }: Runs): Runs | undefined {
  const plain = inRow(row, PLAIN);
  if (technique === PLAIN) return undefined;
  if (plain && isTimed(plain)) return plain;
  if (over === "requests") return undefined;
  return rows.map((other) => inRow(other, technique)).find(isTimed);
}

/** Iterations of runs that an interrupt did not leave undone, and those of them that failed. */
function counted(runs: Sample[]) {
  let [settled, failed] = [0, 0];
  const kinds = new Map<string, number>();
  for (const { requests, ok, interrupted, statuses, errors } of runs) {
    const undone = interrupted ? (errors.AbortError ?? 0) : 0;
    settled += requests - undone;
    failed += requests - undone - ok;
    for (const [key, count] of [...Object.entries(statuses), ...Object.entries(errors)])
      if (!key.startsWith("2") && !(interrupted && key === "AbortError"))
        kinds.set(key, count + (kinds.get(key) ?? 0));
  }
  const areRefusals = [...kinds.keys()].every((key) => key === "429" || key === "503");
  return { settled, failed, kinds, what: areRefusals ? "refused" : "failed" };
}

/** Whether a figure as it is shown says the value: it is off by half of its last digit at most. */
function says(shown: string, value: number): boolean {
  const [, digits, unit = "1"] = /^([\d.,]+(?:e-?\d+)?) ?(us|ms|s|min|h)?$/.exec(shown) ?? [];
  if (digits === undefined) return false;
  const step = 10 ** -(digits.split(".")[1]?.length ?? 0);
  const apart = Math.abs(Number(digits.replaceAll(",", "")) - value / (UNITS[unit] ?? 1));
  return apart <= (step / 2) * (1 + 1e-6);
}

function agrees(shown: string, value: number, what = shown): void {
  assert.ok(says(shown, value), `${what}: "${shown}" is shown for ${value}`);
}

/** "1.84 ± 0.11", or without a deviation where it rounds to nothing or is not known. */
function agreesRatio(shown: string, { factor, spread }: { factor: number; spread?: number }) {
  const [number, error] = shown.split(" ± ");
  agrees(number!, factor, shown);
  if (error !== undefined) agrees(error, spread!, shown);
  else assert.ok(factor < 1 || (spread ?? 0) < 0.0051, `${shown} lacks ± ${spread}`);
}

/** The cells of a table, by the rule below its head. */
function cellsOf(table: string): string[][] {
  const [head, rule, ...rows] = table.split("\n");
  const spans = [...rule!.matchAll(/─+/g)].map(({ index, 0: dashes }) => [index, dashes.length]);
  return [head!, ...rows].map((line) =>
    spans.map(([from, length]) => line.slice(from, from! + length!).trim()),
  );
}

function checkTimes(panel: Panel, [head, ...rows]: string[][]): void {
  const { over, xs, cores, asPython } = panel;
  const ideals = panel.rows.map((row) => idealOf(row, cores));
  assert.deepEqual(
    rows.map(([x]) => x),
    xs.map(String),
    "a table's rows can be typed",
  );
  assert.equal(head!.includes("ideal"), ideals.some(Boolean));
  for (const [number, cells] of rows.entries()) {
    for (const [column, cell] of cells.entries()) {
      const [name, workers] = head![column]!.split(" x");
      if (column === 0) continue;
      if (name === "ideal") {
        if (ideals[number]) agrees(cell, ideals[number].ms, "ideal");
        else assert.equal(cell, "-");
        continue;
      }
      const runs = inRow(panel.rows[number]!, name!);
      if (asPython) assert.ok(runs.all.every((run) => `${run.workers}` === workers));
      checkTime(
        cell,
        runs,
        over === "workers" ? baseOf(panel, panel.rows[number]!, runs) : undefined,
      );
    }
  }
}

function checkTime(cell: string, { all, good, times }: Runs, base: Runs | undefined): void {
  if (times.length === 0) {
    const { settled, failed, what } = counted(all);
    const text = failed > 0 ? `${failed} of ${settled} ${what}` : "interrupted";
    assert.equal(cell, all.length === 0 ? "-" : text);
    return;
  }
  const pattern = new RegExp(
    String.raw`^(${TIME})(?: ±([\d.]+)%)?(?: \((\d+) of (\d+) runs\))?(?: {2}([\d.]+)x)?$`,
  );
  const [match, time, share, part, runs, gain] = pattern.exec(cell) ?? [];
  assert.ok(match, cell);
  agrees(time!, middle(times));
  const percent = times.length > 1 ? (deviation(times) / middle(times)) * 100 : 0;
  // One digit below ten, two above, and none where there is next to no spread.
  const step = 10 ** (Math.floor(Math.log10(percent)) - (percent < 10 ? 0 : 1));
  if (share) assert.ok(Math.abs(Number(share) - percent) <= (step / 2) * (1 + 1e-6), cell);
  else assert.ok(percent < 0.01, cell);
  assert.deepEqual(
    [part, runs],
    good.length < all.length ? [`${good.length}`, `${all.length}`] : [undefined, undefined],
  );
  assert.equal(gain !== undefined, base !== undefined, cell);
  if (gain) agrees(gain, middle(base!.times) / middle(times), cell);
}

function checkCosts(row: Runs[], [, ...rows]: string[][]): void {
  const timed = row.filter(isTimed);
  const fastest = Math.min(...timed.map(({ times }) => middle(times)));
  const best = timed.find(({ times }) => middle(times) === fastest)!;
  assert.deepEqual(
    rows.map(([technique]) => technique),
    timed.map(({ technique }) => technique),
  );
  for (const [number, runs] of timed.entries()) {
    const [, workers, time, relative, startUp, cpu, memory] = rows[number]!;
    const medianOf = (name: "startupMs" | "cpuMs" | "peakRssBytes") =>
      middle(runs.good.flatMap((run) => run[name] ?? []));
    assert.equal(workers, `${runs.good[0]!.workers}`);
    agrees(time!, middle(runs.times));
    if (runs === best) assert.equal(relative, "1");
    else agreesRatio(relative!, compared(runs.times, best.times));
    if (startUp === "-") assert.ok(runs.good.every((run) => run.startupMs === undefined));
    else agrees(startUp!, medianOf("startupMs"));
    agrees(cpu!, medianOf("cpuMs"));
    agrees(memory!.replace(" MiB", ""), medianOf("peakRssBytes") / 2 ** 20);
  }
}

/** A line chart's ends are those of what is drawn, and its last mark that of the last row. */
function checkChart(comparison: Comparison, section: string): void {
  const lines = section.split("\n");
  if (lines[0]!.trim() !== "time" || !section.includes("┤")) return;
  const marks =
    lines[lines.findIndex((line) => line.trimStart().startsWith("└")) + 1]!.trim().split(/ +/);
  const panels = [panelOf(comparison, false), panelOf(comparison, true)];
  const lasts = panels.map(({ rows, xs }) => xs[rows.findLastIndex((row) => row.some(isTimed))]);
  assert.ok(lasts.includes(Number(marks.at(-1))), `the axis ends with ${marks.at(-1)}`);
  const labels = lines.flatMap((line) => /^ *(\S.*) ┤/.exec(line)?.[1] ?? []); // each said once
  const areEnds = ({ rows, cores }: Panel) => {
    const times = rows.flatMap((row) => row.flatMap((runs) => runs.times));
    const drawn = [...times, ...rows.flatMap((row) => idealOf(row, cores)?.ms ?? [])];
    const [least, most] = [Math.min(...drawn), Math.max(...drawn)];
    if (most - least < 1e-9 * most) return true; // drawn in the middle
    return says(labels[0]!.trim(), most) && says(labels.at(-1)!.trim(), least);
  };
  assert.ok(panels.some(areEnds), `the chart goes from ${labels.at(-1)} to ${labels[0]}`);
}

function checkSentences(comparison: Comparison, sentences: string[]): void {
  const { xs, over, techniques, samples } = comparison;
  const [equal, asPython] = [panelOf(comparison, false), panelOf(comparison, true)];
  const work = samples[0]?.work;
  const unit = work === "post" ? "request" : "iteration";
  const noun = `${over === "workers" ? "worker" : unit}s?`;
  const WHERE = String.raw`(?:(?:at|with) [\d,]+|from [\d,]+ to [\d,]+) ${noun}`;
  /** The rows that a sentence speaks of. */
  const rowsAt = (where: string) => {
    const [from, to = from] = [...where.matchAll(/[\d,]+/g)].map(([x]) =>
      xs.indexOf(Number(x.replaceAll(",", ""))),
    );
    assert.ok(from! >= 0 && to! >= from!, where);
    return Array.from({ length: to! - from! + 1 }, (_, step) => from! + step);
  };
  const nameOf = (shown: string) => techniques.find((name) => capital(name) === capital(shown))!;
  /** What has been said: no row is left out, and none comes twice. */
  const said = new Set<string>();
  const note = (what: string) => {
    assert.ok(!said.has(what), `${what} is said twice`);
    said.add(what);
  };
  const due = new Set<string>();

  const verdictAt = (row: Runs[], runs: Runs) => {
    const base = isTimed(runs) ? baseOf(equal, row, runs) : undefined;
    if (!base) return undefined;
    const { factor, differs } = compared(base.times, runs.times);
    return !differs ? "level" : factor > 1 ? "faster" : "slower";
  };
  const agreesTimes = (shown: string, a: Runs, b: Runs, whom: string) => {
    const gain = compared(a.times, b.times);
    if (!gain.differs) return assert.equal(shown, `level with ${whom}`);
    const [ratio, rest] = shown.split(" times as fast as ");
    agreesRatio(ratio!, gain);
    assert.equal(rest, whom);
  };

  if (over === "requests") {
    for (const [number, row] of equal.rows.entries()) {
      if (row.filter(isTimed).length > 1) due.add(`fastest ${number}`);
      for (const runs of row)
        if (verdictAt(row, runs)) due.add(`against ${runs.technique} ${number}`);
      if (idealOf(row, equal.cores)) due.add("ideal");
    }
  } else {
    for (const name of techniques.filter((technique) => technique !== PLAIN))
      if (equal.rows.filter((row) => isTimed(inRow(row, name))).length > 1) due.add(`knee ${name}`);
  }
  for (const panel of [equal, asPython])
    for (const name of techniques) {
      const runs = panel.all.filter((run) => run.technique === name);
      if (counted(runs).failed > 0)
        due.add(`failed ${name}${panel.asPython ? ` x${runs[0]!.workers}` : ""}`);
    }
  const timed = [equal, asPython].flatMap(({ rows }) => rows.flat().filter(isTimed));
  // Over workers, the plain loop is in all rows, and counts once.
  const cells = timed.filter(
    ({ good }, number) => timed.findIndex((other) => other.good[0] === good[0]) === number,
  );
  const relative = ({ times }: Runs) => (times.length > 1 ? deviation(times) / middle(times) : 0);
  const wide = cells.filter((runs) => relative(runs) > 0.2);
  if (wide.length > 0) due.add("noise");
  else if (cells.length > 0 && cells.every(({ all }) => all.length === 1)) due.add("once");
  const lastOf = (kind: Sample["workerKind"]) =>
    techniques
      .map((name) => asPython.rows.map((row) => inRow(row, name)).findLast(isTimed))
      .find((runs) => runs?.good[0]?.workerKind === kind);
  const [threads, processes] = [lastOf("thread"), lastOf("process")];
  const [ofThreads, ofProcesses] = [threads?.good[0], processes?.good[0]];
  const isPaired =
    ofThreads?.requests === ofProcesses?.requests && ofThreads?.workers !== ofProcesses?.workers;
  if (threads && processes && isPaired) {
    due.add("python");
    const { factor, differs } = compared(processes.times, threads.times);
    if (work === "post" && differs && factor > 1) due.add("headline");
  }

  const patterns: [RegExp, (...groups: string[]) => void][] = [
    [
      new RegExp(
        `^(${WHERE}): (.+) was fastest( of those with a time)?(, too close to tell)?\\.$`,
        "i",
      ),
      (where, names, some, close) => {
        const shown = names!.split(/, | or /).sort();
        assert.equal(close !== undefined, shown.length > 1);
        for (const number of rowsAt(where!)) {
          note(`fastest ${number}`);
          const row = equal.rows[number]!.filter(({ all }) => all.length > 0);
          const rivals = row.filter(isTimed);
          assert.equal(some !== undefined, rivals.length < row.length);
          const least = Math.min(...rivals.map(({ times }) => middle(times)));
          const best = rivals.find(({ times }) => middle(times) === least)!;
          const level = rivals.filter(({ times }) => !compared(times, best.times).differs);
          assert.deepEqual(shown, level.map(({ technique }) => technique).sort());
        }
      },
    ],
    [
      /^(\S+) against the plain loop: (.+)\.$/,
      (shown, parts) => {
        const name = nameOf(shown!);
        for (const part of parts!.split(/, (?=faster|slower|level)/)) {
          const [, verdict, where] = /^(\S+) (.+)$/.exec(part)!;
          for (const number of rowsAt(where!)) {
            note(`against ${name} ${number}`);
            const row = equal.rows[number]!;
            assert.equal(verdictAt(row, inRow(row, name)), verdict, `${name} ${where}`);
          }
        }
      },
    ],
    [
      new RegExp(
        `^The ideal (${WHERE}), (\\d+) at once, is ([\\d,]+) rounds? x (${TIME}) = (${TIME}): ` +
          "(\\S+) came to (\\d+) % of that pace\\.$",
      ),
      (where, atOnce, rounds, each, all, name, share) => {
        note("ideal");
        const row = equal.rows[rowsAt(where!)[0]!]!;
        const ideal = idealOf(row, equal.cores)!;
        const last = equal.rows.findLast((other) => idealOf(other, equal.cores));
        assert.equal(row, last);
        agrees(atOnce!, ideal.atOnce);
        agrees(rounds!, ideal.rounds);
        agrees(each!, ideal.ms / ideal.rounds);
        agrees(all!, ideal.ms);
        const best = Math.min(
          ...row.flatMap((runs) =>
            runs.technique !== PLAIN && isTimed(runs) ? middle(runs.times) : [],
          ),
        );
        assert.equal(middle(inRow(row, name!).times), best);
        agrees(share!, (ideal.ms / best) * 100);
      },
    ],
    [
      new RegExp(
        `^(\\S+) first came within 10 % of its best time with ([\\d,]+) workers?: (${TIME})` +
          "(?:, (\\d+) % of the ideal pace)?\\.$",
      ),
      (shown, workers, ms, share) => {
        const name = nameOf(shown!);
        note(`knee ${name}`);
        const own = equal.rows.map((row) => inRow(row, name));
        const tried = own.filter(isTimed);
        const number = xs.indexOf(Number(workers!.replaceAll(",", "")));
        const [knee, row] = [own[number]!, equal.rows[number]!];
        const best = Math.min(...tried.map(({ times }) => middle(times)));
        assert.ok(middle(knee.times) <= 1.1 * best);
        for (const fewer of tried.slice(0, tried.indexOf(knee)))
          assert.ok(middle(fewer.times) > 1.1 * best, `${name} came near with fewer`);
        agrees(ms!, middle(knee.times));
        const ideal = idealOf(row, equal.cores);
        assert.equal(share !== undefined, ideal !== undefined);
        if (ideal) agrees(share!, (ideal.ms / middle(knee.times)) * 100);
      },
    ],
    [
      /^Python would start (\d+) threads here and (\d+) processes: at ([\d,]+) \w+, (\S+) (.+?)\.( That is the headline of the article, too, .*)?$/,
      (many, few, requests, name, gain, headline) => {
        note("python");
        if (headline) note("headline");
        assert.equal(many, `${threads!.good[0]!.workers}`);
        assert.equal(few, `${processes!.good[0]!.workers}`);
        assert.equal(requests!.replaceAll(",", ""), `${threads!.good[0]!.requests}`);
        assert.equal(name, threads!.technique);
        agreesTimes(gain!, processes!, threads!, processes!.technique);
      },
    ],
    [
      new RegExp(
        `^(\\S+)( x\\d+)?: (\\d+) of (\\d+) (refused|failed) \\((.+)\\), first (${WHERE})\\.$`,
      ),
      (shown, workers, failed, settled, what, kinds, where) => {
        const name = nameOf(shown!);
        note(`failed ${name}${workers ?? ""}`);
        const panel = workers ? asPython : equal;
        const all = counted(panel.all.filter((run) => run.technique === name));
        assert.deepEqual([failed, settled, what], [`${all.failed}`, `${all.settled}`, all.what]);
        const each = kinds!.split(", ").map((kind) => kind.split(": "));
        assert.deepEqual(new Map(each.map(([key, count]) => [key, Number(count)])), all.kinds);
        const isBad = (run: Sample) => run.technique === name && counted([run]).failed > 0;
        const first = Math.min(...panel.all.filter(isBad).map((run) => run[over]));
        assert.equal(/\d[\d,]*/.exec(where!)![0].replaceAll(",", ""), `${first}`);
      },
    ],
    [
      /^The spread is above 20 % for (\d+) of (\d+) times?: try more --runs\.$/,
      (count, of) => {
        note("noise");
        assert.deepEqual([count, of], [`${wide.length}`, `${cells.length}`]);
      },
    ],
    [
      /^Everything was run once: less than 10 % apart is called level\. --runs 5 shows which differences are real\.$/,
      () => note("once"),
    ],
  ];

  for (const sentence of sentences) {
    const matching = patterns.filter(([pattern]) => pattern.test(sentence));
    assert.equal(matching.length, 1, `${matching.length} rules for "${sentence}"`);
    const [pattern, checkGroups] = matching[0]!;
    try {
      checkGroups(...(pattern.exec(sentence)!.slice(1) as string[]));
    } catch (error) {
      throw new Error(`"${sentence}" is not so: ${(error as Error).message}`, { cause: error });
    }
  }
  assert.deepEqual([...said].sort(), [...due].sort(), "what is said is what there is to say");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
