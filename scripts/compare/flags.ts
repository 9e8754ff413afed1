// The command line of scripts/compare.ts: its flags, and what they are by default for each use.

import { readFileSync } from "node:fs";
import {
  type Flag,
  listOf,
  onOff,
  UsageError,
  type Values,
  wholeNumber,
} from "../../lib/command/flags.ts";
import { scriptFlags } from "../../lib/command/script-flags.ts";

const SIZES = [5, 10, 50, 100, 500, 1000, 2500, 5000, 10_000];
const CPU_SIZES = [5, 10, 50, 100, 500];
/** The plain loop stops here: 10,000 requests one after another would take most of a minute. */
const BASELINE_MOST = 500;
/** Bytes of --data: the scripts are started by a shell, whose command the system limits. */
const MOST_DATA = 100_000;

/**
 * The table of flags.
 *
 * @param techniques What is compared by default.
 * @param isTechnique Tells which names are scripts that can be compared.
 */
export function compareFlags(techniques: string[], isTechnique: (name: string) => boolean) {
  const technique: Flag<string> = {
    placeholder: "NAME",
    help: "",
    initial: "",
    expected: "a technique, by the name of its file in scripts/ without .ts",
    parse: (name) => (isTechnique(name) ? name : undefined),
  };
  const numbers = (most: number, flag: Pick<Flag<number[]>, "short" | "initial" | "help">) =>
    listOf<number>(wholeNumber(1, most, { initial: 1, help: "" }), flag);
  const file = (help: string): Flag<string | undefined> => ({
    placeholder: "FILE",
    help,
    initial: undefined,
    initialText: "none",
    expected: "the name of a file",
    parse: (text) => text || undefined,
  });
  // A file of results is for one script at a time.
  const { json, help, yes, results: _results, again: _again, ...common } = scriptFlags("8");
  return {
    techniques: listOf(technique, { short: "t", initial: techniques, help: "what to compare" }),
    ...common,
    requests: {
      ...numbers(10_000_000, {
        short: "n",
        initial: [],
        help: "iterations, one row of the table each",
      }),
      initialText: [
        ...[`${SIZES}`, "up to 500 for --work cpu and --body, and to all --items"],
        ...["200 for several --workers", "500 with --python-defaults"],
      ].join("; "),
    },
    workers: numbers(1024, {
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
    "python-defaults": onOff("also with as many workers as Python's executors choose"),
    runs: wholeNumber(1, 1000, { initial: 1, help: "repeats of everything, in turn" }),
    timeline: wholeNumber<number | undefined>(1, 1_000_000, {
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
export type CompareFlags = Values<ReturnType<typeof compareFlags>>;

/**
 * What is to be run by these flags, with what they leave open, which depends on what is compared.
 *
 * @throws {UsageError} Flags that do not go together.
 */
export function planOf(flags: CompareFlags) {
  const workers = sorted(flags.workers);
  const isSweep = workers.length > 1;
  const pythonDefaults = flags["python-defaults"];
  const severalSizes = flags.requests.length > 1 && "for several --requests";
  const clash = isSweep && (severalSizes || (pythonDefaults && "with --python-defaults"));
  if (clash)
    throw new UsageError(`--workers: expected one number ${clash}, found "${flags.workers}"`);
  if (flags.body && flags.timeout !== undefined)
    throw new UsageError("--timeout: expected none with --body: only workers can be ended");
  if (Buffer.byteLength(flags.data ?? "") > MOST_DATA)
    throw new UsageError(`--data: expected at most ${MOST_DATA} bytes for several scripts`);
  const most = flags.items === undefined ? Number.POSITIVE_INFINITY : countItems(flags.items);
  const usual = flags.work === "cpu" || flags.body ? CPU_SIZES : SIZES;
  const initial = isSweep ? [200] : pythonDefaults ? [500] : usual;
  const tooMany = flags.requests.find((size) => size > most);
  if (tooMany !== undefined)
    throw new UsageError(
      `--requests: expected at most ${most}, as many as --items, found ${tooMany}`,
    );
  return {
    techniques: [...new Set(flags.techniques)],
    sizes: sorted(
      flags.requests.length > 0 ? flags.requests : initial.map((size) => Math.min(size, most)),
    ),
    /** Several numbers go with one size. */
    workers,
    pythonDefaults,
    runs: flags.runs,
    /** How many requests to draw as a timeline. */
    timeline: flags.timeline,
    latency: flags.latency >= 0 ? flags.latency : isSweep || pythonDefaults ? 20 : 2,
    /** Most requests for the plain loop. */
    baselineMost: flags.work === "none" ? Number.POSITIVE_INFINITY : BASELINE_MOST,
  };
}

/** How many items a file has. @throws {UsageError} It is stdin, which can be read but once. */
function countItems(file: string): number {
  if (file === "-") throw new UsageError('--items: expected a file for several runs, found "-"');
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line.trim() !== "").length;
}

/** What is to be run. */
export type Plan = ReturnType<typeof planOf>;

function sorted(numbers: number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** The flags as they are saved: without what may be secret. */
export function savedFlags({ header, data, url, help, yes, ...flags }: CompareFlags) {
  const shown = url && { url: url.origin + url.pathname };
  return { ...flags, headers: Object.keys(header), ...shown };
}

/** The command line of a technique's script. */
export function passedOn(
  flags: CompareFlags,
  sizes: number[],
  workers: number | undefined,
): string[] {
  const names = [
    ...(["concurrency", "work", "latency", "retries"] as const),
    ...(["timeout", "body", "items", "data"] as const),
  ];
  return [
    ...["--requests", sizes.join()],
    ...(workers === undefined ? [] : ["--workers", `${workers}`]),
    ...names.flatMap((name) => (flags[name] === undefined ? [] : [`--${name}`, `${flags[name]}`])),
    ...(flags.url ? ["--url", flags.url.href, "--yes"] : []), // it was asked for already
    ...Object.entries(flags.header).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
  ];
}
