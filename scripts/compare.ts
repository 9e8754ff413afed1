// compare.ts: run the techniques against each other, and say what their times mean.
//
// Each technique runs in a fresh process with a practice API of its own, all with the same number
// of workers. Out comes a table, a line chart, and what it means. Any script in this folder that
// keeps the command line and the record of the others can be named in --techniques.
//
// Run: npx tsx scripts/compare.ts
//      npx tsx scripts/compare.ts --requests 10,100,1000 --workers 16 --latency 20
//      npx tsx scripts/compare.ts --techniques threads,processes --work cpu --requests 10,100

import { existsSync } from "node:fs";
import { describeComparison } from "../lib/comparison.ts";
import { BASELINE } from "../lib/findings.ts";
import {
  describeFlags,
  type Flag,
  listOf,
  parseFlags,
  scriptFlags,
  type Values,
  wholeNumber,
} from "../lib/flags.ts";
import { formatCount, plural } from "../lib/format.ts";
import { interruptSignal } from "../lib/interrupt.ts";
import { main } from "../lib/main.ts";
import { showProgress } from "../lib/progress.ts";
import type { RunRecord } from "../lib/record.ts";
import { runTechnique } from "../lib/run-technique.ts";

const SIZES = [5, 10, 50, 100, 500, 1000, 2500, 5000, 10_000];
/** The plain loop stops here: 10,000 requests one after another would take most of a minute. */
const BASELINE_MOST = 500;

const technique: Flag<string> = {
  placeholder: "NAME",
  help: "",
  initial: "",
  expected: "a technique, by the name of its file in scripts/ without .ts",
  parse: (name) => (isTechnique(name) ? name : undefined),
};
const common = scriptFlags("8");
const table = {
  techniques: listOf(technique, {
    short: "t",
    initial: ["sequential", "async", "threads", "processes"],
    help: "what to compare",
  }),
  ...common,
  requests: { ...common.requests, initial: SIZES, help: "iterations, one row of the table each" },
  workers: wholeNumber(1, 1024, {
    short: "w",
    initial: 8,
    help: "workers, the same number for each technique",
  }),
  latency: { ...common.latency, initial: 2 }, // so short that all of it ends within a minute
};

await main(async () => {
  const flags = parseFlags(table);
  if (flags.help) return console.log(help());

  const sizes = [...new Set(flags.requests)].sort((a, b) => a - b);
  const jobs = [...new Set(flags.techniques)].map((name) => ({
    name,
    sizes: sizes.filter((size) => name !== BASELINE || size <= BASELINE_MOST),
  }));
  const signal = interruptSignal();
  const progress = showProgress(jobs, { ...flags, inFlight: flags["in-flight"] });
  const records: RunRecord[] = [];
  const remarks: string[] = [];

  for (const job of jobs) {
    if (job.sizes.length < sizes.length) {
      remarks.push(
        `The plain loop was run up to ${formatCount(BASELINE_MOST)} requests only: it is slow.`,
      );
    }
    if (job.sizes.length === 0 || signal.aborted) continue;
    let done = 0;
    const end = await runTechnique(job.name, passedOn(flags, job.sizes), signal, (record) => {
      records.push(record);
      done++;
      progress.ended(record);
      if (flags.json) console.log(JSON.stringify(record));
    });
    if (done < job.sizes.length && !signal.aborted) {
      const from = plural(job.sizes[done]!, "request");
      remarks.push(`${job.name} failed from ${from} on: ${end}.`);
      process.exitCode = 1;
    }
  }
  progress.clear();

  if (signal.aborted) remarks.push("Interrupted: this is what was done until then.");
  if (!flags.json) {
    const names = jobs.map((job) => job.name);
    console.log(describeComparison(records, sizes, names, remarks));
  }
  if (records.some((record) => record.failed > 0)) process.exitCode = 1;
  if (signal.aborted) process.exitCode = 130;
});

function isTechnique(name: string): boolean {
  if (!/^[a-z][a-z0-9-]*$/.test(name) || ["api", "compare"].includes(name)) return false;
  return existsSync(new URL(`${name}.ts`, import.meta.url));
}

/** The command line of a technique's script. */
function passedOn(flags: Values<typeof table>, sizes: number[]): string[] {
  const names = ["workers", "in-flight", "work", "latency", "timeout", "retries"] as const;
  const url = flags.url ? ["--url", flags.url.href] : [];
  return [
    "--requests",
    sizes.join(),
    ...names.flatMap((name) => [`--${name}`, `${flags[name]}`]),
    ...url,
  ];
}

function help(): string {
  return `compare.ts: the techniques against each other

Usage: npx tsx scripts/compare.ts [flags]

Flags:
${describeFlags(table)}

Exit status: 0 all iterations ok, 1 some failed, 2 bad usage, 130 interrupted.

Examples:
  npx tsx scripts/compare.ts --requests 10,100,1000 --workers 16 --latency 20
  npx tsx scripts/compare.ts --techniques threads,processes --work cpu --requests 10,100
  npx tsx scripts/compare.ts --url https://api.example.com/items --requests 5,10,20 --workers 4`;
}
