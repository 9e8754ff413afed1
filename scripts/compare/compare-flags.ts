// The command line of scripts/compare.ts: its flags, and what they are by default for each use.

import {
  describeFlags,
  type Flag,
  filePath,
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

/** The table of flags. `isTechnique` tells which names are scripts that can be compared. */
export function compareFlags(isTechnique: (name: string) => boolean) {
  const technique: Flag<string> = {
    placeholder: "NAME",
    help: "",
    initial: "",
    expected: "a technique, by the name of its file in scripts/ without .ts",
    parse: (name) => (isTechnique(name) ? name : undefined),
  };
  const { json, help, yes, body: _alone, ...common } = scriptFlags("8"); // a body: one script at a time
  return {
    techniques: listOf(technique, {
      short: "t",
      initial: ["sequential", "async", "threads", "processes"],
      help: "what to compare",
    }),
    ...common,
    requests: listOf<number>(wholeNumber(1, 10_000_000, { initial: 1, help: "" }), {
      short: "n",
      initial: [],
      initialText: `${SIZES}; up to 500 for --work cpu; 200 for several --workers; 500 with --python-defaults`,
      help: "iterations, one row of the table each",
    }),
    workers: listOf<number>(wholeNumber(1, 1024, { initial: 1, help: "" }), {
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
    "export-json": filePath({ initial: undefined, initialText: "none", help: "saves everything" }),
    "export-csv": filePath({ initial: undefined, initialText: "none", help: "saves a line a run" }),
    "export-markdown": filePath({
      initial: undefined,
      initialText: "none",
      help: "saves the tables and what they mean",
    }),
    from: filePath({
      initial: undefined,
      initialText: "none",
      help: "runs nothing, but shows what --export-json saved",
    }),
    ...{ yes, json, help },
  };
}

/** The values of the flags. */
export type CompareFlags = Values<ReturnType<typeof compareFlags>>;

/**
 * What the flags leave open, which depends on what is compared.
 *
 * @throws {UsageError} Flags that do not go together.
 */
export function presets(flags: CompareFlags) {
  const sweep = new Set(flags.workers).size > 1;
  const python = flags["python-defaults"];
  if (sweep && flags.requests.length > 1) {
    throw new UsageError(
      `--workers: expected one number for several --requests, found "${flags.workers}"`,
    );
  }
  if (sweep && python) {
    throw new UsageError(
      `--workers: expected one number with --python-defaults, found "${flags.workers}"`,
    );
  }
  const usual = sweep ? [200] : python ? [500] : flags.work === "cpu" ? CPU_SIZES : SIZES;
  const sizes = flags.requests.length > 0 ? flags.requests : usual;
  return {
    sizes: [...new Set(sizes)].sort((a, b) => a - b),
    latency: flags.latency >= 0 ? flags.latency : sweep || python ? 20 : 2,
    baselineMost: flags.work === "none" ? Number.POSITIVE_INFINITY : BASELINE_MOST,
  };
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
  const names = ["concurrency", "work", "latency", "timeout", "retries"] as const;
  return [
    ...["--requests", sizes.join()],
    ...(workers === undefined ? [] : ["--workers", `${workers}`]),
    ...names.flatMap((name) => [`--${name}`, `${flags[name]}`]),
    ...(flags.url ? ["--url", flags.url.href, "--yes"] : []), // it was asked for already
    ...Object.entries(flags.header).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
    ...(flags.data === undefined ? [] : ["--data", flags.data]),
  ];
}

/** The text of --help. */
export function help(table: ReturnType<typeof compareFlags>): string {
  return `compare.ts: the techniques against each other

Usage: npx tsx scripts/compare.ts [flags]

Flags:
${describeFlags(table)}

Exit status: 0 all iterations ok, 1 some failed or another error, 2 bad usage, 130 interrupted.

Examples:
  npx tsx scripts/compare.ts --requests 10,100,1000 --workers 16 --latency 20
  npx tsx scripts/compare.ts --workers 1,2,4,8,16 --runs 3
  npx tsx scripts/compare.ts --techniques threads,processes --work cpu --requests 10,100
  npx tsx scripts/compare.ts --runs 5 --export-json today.json
  npx tsx scripts/compare.ts --from today.json --export-markdown today.md
  npx tsx scripts/compare.ts --url https://api.example.com/items --requests 5,10,20 --workers 4`;
}
