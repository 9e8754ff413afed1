// The command line of scripts/compare.ts: its flags, and what they are by default for each use.

import { readFileSync } from "node:fs";
import { listOf, number, onOff, refuse, type Values, value } from "../../lib/command/flags.ts";
import { scriptFlags, scriptFlagsHelp } from "../../lib/command/script-flags.ts";

const SIZES = [5, 10, 50, 100, 500, 1000, 2500, 5000, 10_000];
const MOST_DATA = 100_000; // bytes: a shell starts the scripts, whose command the system limits

// A file of results is for one script at a time.
const { with: _, again: _again, timeline: _timeline, results: file, ...others } = scriptFlags;
const { yes, json, help, ...common } = others;

/** The table of flags; `techniques` are compared by default, all for which `isTechnique` can be. */
export function compareFlags(techniques: string[], isTechnique: (name: string) => boolean) {
  const expected = "a technique, by the name of its file in scripts/ without .ts";
  const technique = value(expected, (name) => isTechnique(name) && name);
  return {
    techniques: { ...listOf(technique), initial: techniques, short: "t" },
    ...common,
    workers: { ...listOf(common.workers), initial: [8], short: "w" },
    latency: { ...common.latency, initial: undefined },
    "python-defaults": onOff,
    runs: { ...number(1, 1000), initial: 1 },
    timeline: number(1, 1_000_000),
    "export-json": file,
    "export-csv": file,
    "export-markdown": file,
    from: file,
    ...{ yes, json, help },
  };
}

/** What the help says of them. */
export const flagsHelp = `${scriptFlagsHelp}
--techniques NAME[,...]  what to compare
--requests N[,...]  iterations, one row of the table each (default: ${SIZES}; up to 500 for
  --work cpu and --body, and to all --items; 200 for several --workers; 500 with --python-defaults)
--workers N[,...]  workers, the same for each technique; several are compared at one number of
  requests
--latency MS  service time of the practice API, in ms (default: 2, so that all ends within a minute;
  20 for several --workers and with --python-defaults)
--python-defaults  also with as many workers as Python's executors choose
--runs N  repeats of everything, in turn
--timeline N  also draws what each worker did when, for so many requests
--export-json FILE  saves everything
--export-csv FILE  saves a line a run
--export-markdown FILE  saves the tables and what they mean
--from FILE  runs nothing, but shows what --export-json saved
`;

/** The values of the flags. */
export type CompareFlags = Values<ReturnType<typeof compareFlags>>;

/** The flags with what they leave open, lists in order. @throws {UsageError} They clash. */
export function completeFlags(flags: CompareFlags): CompareFlags {
  const { body, items, requests, "python-defaults": pythonDefaults } = flags;
  const workers = sorted(flags.workers);
  const isSweep = workers.length > 1;
  const severalSizes = requests.length > 1 && "for several --requests";
  const clash = isSweep && (severalSizes || (pythonDefaults && "with --python-defaults"));
  if (clash) refuse(`--workers: expected one number ${clash}, found "${flags.workers}"`);
  if (body && flags.timeout !== undefined)
    refuse("--timeout: expected none with --body: only workers can be ended");
  if (Buffer.byteLength(flags.data ?? "") > MOST_DATA)
    refuse(`--data: expected at most ${MOST_DATA} bytes for several scripts`);
  if (items === "-") refuse('--items: expected a file for several runs, found "-"');
  const lines = items && (readFileSync(items, "utf8").match(/\S[^\n]*/g) ?? []);
  const most = lines?.length ?? Number.POSITIVE_INFINITY;
  const tooMany = requests.find((size) => size > most);
  if (tooMany) refuse(`--requests: expected at most ${most}, as many as --items, found ${tooMany}`);
  const usual = SIZES.filter((size) => size <= 500 || !(flags.work === "cpu" || body));
  const initial = isSweep ? [200] : pythonDefaults ? [500] : usual;
  return {
    ...flags,
    workers,
    techniques: [...new Set(flags.techniques)],
    requests: sorted(requests.length > 0 ? requests : initial.map((size) => Math.min(size, most))),
    latency: flags.latency ?? (isSweep || pythonDefaults ? 20 : 2),
  };
}

function sorted(numbers: number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** The flags as they are saved: without what may be secret. */
export function savedFlags({ header = {}, data, url, help, yes, ...flags }: CompareFlags) {
  return { ...flags, headers: Object.keys(header), ...(url && { url: url.origin + url.pathname }) };
}

/** The command line of a technique's script: all flags that it has, too. */
export function passedOn(flags: CompareFlags, sizes: number[], workers: number | undefined) {
  const argv = [`--requests=${sizes}`, ...(workers ? [`--workers=${workers}`] : [])];
  for (const [name, value] of Object.entries(flags))
    if (name in common && /number|string/.test(typeof value)) argv.push(`--${name}=${value}`);
  for (const [name, value] of Object.entries(flags.header ?? {}))
    argv.push(`--header=${name}: ${value}`);
  if (flags.url) argv.push(`--url=${flags.url.href}`, "--yes"); // it was asked for already
  return argv;
}
