// The command line of scripts/compare.ts: its flags, and what they are by default for each use.

import { readFileSync } from "node:fs";
import * as kinds from "../../lib/command/flags.ts";
import { scriptFlags } from "../../lib/command/script-flags.ts";

const SIZES = [5, 10, 50, 100, 500, 1000, 2500, 5000, 10_000];
/** Bytes of --data: the scripts are started by a shell, whose command the system limits. */
const MOST_DATA = 100_000;

/**
 * The table of flags.
 *
 * @param techniques What is compared by default.
 * @param isTechnique Tells which names are scripts that can be compared.
 */
export function compareFlags(techniques: string[], isTechnique: (name: string) => boolean) {
  // A file of results is for one script at a time.
  const { json, help, yes, results, again: _again, ...common } = scriptFlags("8");
  const file = (help: string) => ({ ...results, help });
  const someWorkers = { ...common.workers, initial: 1 };
  const technique: kinds.Flag<string> = {
    placeholder: "NAME",
    help: "",
    initial: "",
    expected: "a technique, by the name of its file in scripts/ without .ts",
    parse: (name) => (isTechnique(name) ? name : undefined),
  };
  return {
    techniques: kinds.listOf(technique, {
      short: "t",
      initial: techniques,
      help: "what to compare",
    }),
    ...common,
    requests: {
      ...common.requests,
      help: "iterations, one row of the table each",
      initialText:
        `${SIZES}; up to 500 for --work cpu and --body, and to all --items; ` +
        "200 for several --workers; 500 with --python-defaults",
    },
    workers: kinds.listOf<number>(someWorkers, {
      short: "w",
      initial: [8],
      help: "workers, the same for each technique; several are compared at one number of requests",
    }),
    latency: {
      ...common.latency,
      initial: -1,
      initialText:
        "2, so that all ends within a minute; 20 for several --workers and with --python-defaults",
    },
    "python-defaults": kinds.onOff("also with as many workers as Python's executors choose"),
    runs: kinds.wholeNumber(1, 1000, { initial: 1, help: "repeats of everything, in turn" }),
    timeline: kinds.wholeNumber<number | undefined>(1, 1_000_000, {
      initial: undefined,
      initialText: "none",
      help: "also draws what each worker did when, for so many requests",
    }),
    "export-json": file("saves everything"),
    "export-csv": file("saves a line a run"),
    "export-markdown": file("saves the tables and what they mean"),
    from: file("runs nothing, but shows what --export-json saved"),
    ...{ yes, json, help },
  };
}

/** The values of the flags. */
export type CompareFlags = kinds.Values<ReturnType<typeof compareFlags>>;

/**
 * The flags with what they leave open, which depends on what is compared; lists in order.
 *
 * @throws {UsageError} Flags that do not go together.
 */
export function completeFlags(flags: CompareFlags): CompareFlags {
  const { body, items, requests, "python-defaults": pythonDefaults } = flags;
  const workers = sorted(flags.workers);
  const isSweep = workers.length > 1;
  const severalSizes = requests.length > 1 && "for several --requests";
  const clash = isSweep && (severalSizes || (pythonDefaults && "with --python-defaults"));
  if (clash)
    throw new kinds.UsageError(`--workers: expected one number ${clash}, found "${flags.workers}"`);
  if (body && flags.timeout !== undefined)
    throw new kinds.UsageError("--timeout: expected none with --body: only workers can be ended");
  if (Buffer.byteLength(flags.data ?? "") > MOST_DATA)
    throw new kinds.UsageError(`--data: expected at most ${MOST_DATA} bytes for several scripts`);
  if (items === "-")
    throw new kinds.UsageError('--items: expected a file for several runs, found "-"');
  const lines = items && (readFileSync(items, "utf8").match(/\S[^\n]*/g) ?? []);
  const most = lines?.length ?? Number.POSITIVE_INFINITY;
  const tooMany = requests.find((size) => size > most);
  if (tooMany !== undefined)
    throw new kinds.UsageError(
      `--requests: expected at most ${most}, as many as --items, found ${tooMany}`,
    );
  const usual = SIZES.filter((size) => size <= 500 || !(flags.work === "cpu" || body));
  const initial = isSweep ? [200] : pythonDefaults ? [500] : usual;
  return {
    ...flags,
    workers,
    techniques: [...new Set(flags.techniques)],
    requests: sorted(requests.length > 0 ? requests : initial.map((size) => Math.min(size, most))),
    latency: flags.latency >= 0 ? flags.latency : isSweep || pythonDefaults ? 20 : 2,
  };
}

function sorted(numbers: number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** The flags as they are saved: without what may be secret. */
export function savedFlags({ header, data, url, help, yes, ...flags }: CompareFlags) {
  const shown = url && { url: url.origin + url.pathname };
  return { ...flags, headers: Object.keys(header), ...shown };
}

/** The command line of a technique's script: all flags that it has, too. */
export function passedOn(flags: CompareFlags, sizes: number[], workers: number | undefined) {
  const argv = [`--requests=${sizes}`];
  if (workers !== undefined) argv.push(`--workers=${workers}`);
  const common = scriptFlags("8");
  for (const [name, value] of Object.entries(flags))
    if (name in common && /number|string/.test(typeof value)) argv.push(`--${name}=${value}`);
  for (const [name, value] of Object.entries(flags.header)) argv.push(`--header=${name}: ${value}`);
  if (flags.url) argv.push(`--url=${flags.url.href}`, "--yes"); // it was asked for already
  return argv;
}
