// compare.ts: run the techniques against each other, and say what their times mean.
//
// Each technique runs in a process with a practice API of its own, which is started anew for each
// number of workers and each repeat. Over numbers of requests all have the same number of workers;
// several numbers of workers are compared at one number of requests. --techniques takes any script
// in this folder that keeps the command line and the record of the others.
//
// Run: npx tsx scripts/compare.ts
//      npx tsx scripts/compare.ts --workers 1,2,4,8,16
//      npx tsx scripts/compare.ts --work cpu --runs 3 --export-json cpu.json
//      npx tsx scripts/compare.ts --from cpu.json

import { existsSync } from "node:fs";
import { checkConsent } from "../lib/command/consent.ts";
import { describeFlags, parseFlags } from "../lib/command/flags.ts";
import { interruptSignal, isError } from "../lib/command/interrupt.ts";
import { main } from "../lib/main.ts";
import { escapeControl, print, terminalWidth, wantsColour } from "../lib/terminal/terminal.ts";
import { sum } from "../lib/timing.ts";
import { type Comparison, FORMAT, failureOf, isName } from "./compare/comparison.ts";
import { describe, summarize } from "./compare/describe.ts";
import {
  checkExports,
  readComparison,
  toCsv,
  toJson,
  toMarkdown,
  writeWhole,
} from "./compare/exports.ts";
import type { CompareFlags } from "./compare/flags.ts";
import { compareFlags, completeFlags, flagsHelp, savedFlags } from "./compare/flags.ts";
import { thisMachine, versions } from "./compare/machine.ts";
import { planJobs, remarksOn, runJobs } from "./compare/run.ts";

const TECHNIQUES = ["sequential", "async", "threads", "processes"];

const EXPORTS = [
  ["export-json", toJson],
  ["export-csv", toCsv],
  ["export-markdown", toMarkdown],
] as const;

const help = (flags: string) => `compare.ts: the techniques against each other

Usage: npx tsx scripts/compare.ts [flags]

Flags:
${flags}

Exit status: 0 all iterations ok, 1 some failed or another error, 2 bad usage, 130 interrupted.

Examples:
  npx tsx scripts/compare.ts --requests 10,100,1000 --workers 16 --latency 20
  npx tsx scripts/compare.ts --workers 1,2,4,8,16 --runs 3
  npx tsx scripts/compare.ts --techniques threads,processes --work cpu --requests 10,100
  npx tsx scripts/compare.ts --runs 5 --export-json today.json
  npx tsx scripts/compare.ts --from today.json --export-markdown today.md
  npx tsx scripts/compare.ts --url https://api.example.com/items --requests 5,10,20 --workers 4`;

await main(async () => {
  const table = compareFlags(TECHNIQUES, isTechnique);
  const given = parseFlags(table);
  if (given.help) return print(help(describeFlags(table, flagsHelp)));
  checkExports(Object.fromEntries(EXPORTS.map(([flag]) => [flag, given[flag]])), given.from);
  if (given.from) {
    const saved = readComparison(given.from);
    if (given.json)
      for (const run of saved.samples) await print(escapeControl(JSON.stringify(run)));
    return show(saved, given);
  }

  const flags = completeFlags(given);
  const jobs = planJobs(flags);
  const isSweep = flags.workers.length > 1;
  const comparison: Comparison = {
    format: FORMAT,
    startedAt: new Date().toISOString(),
    machine: thisMachine(),
    versions: versions(),
    flags: savedFlags({ ...given, latency: flags.latency }),
    over: isSweep ? "workers" : "requests",
    xs: isSweep ? flags.workers : flags.requests,
    techniques: flags.techniques,
    samples: [],
    timelines: [],
    remarks: remarksOn(flags),
  };
  const signal = interruptSignal();
  const requests = sum(jobs.flatMap((job) => job.sizes));
  const target = flags.work === "post" && !flags.body ? flags.url : undefined;
  checkConsent(target, requests, flags);

  const complete = await runJobs(jobs, flags, comparison, signal);
  process.exitCode = signal.aborted ? 130 : complete ? 0 : 1;
  await show(comparison, flags);
  if (isError(signal.reason)) throw signal.reason;
});

/** Prints and saves a comparison. */
async function show(comparison: Comparison, flags: CompareFlags) {
  const summary = summarize(comparison);
  if (!flags.json) {
    const look = { width: Math.min(terminalWidth(), 120), colour: wantsColour() };
    await print(describe(comparison, summary, look));
  }
  const hasAny = comparison.samples.some((run) => run.ok > 0 || failureOf([run]));
  for (const [flag, toText] of EXPORTS) {
    const file = flags[flag];
    if (file && hasAny) writeWhole(file, toText(comparison, summary));
    else if (file) console.error(`--${flag}: nothing was done, "${file}" is not written`);
  }
}

function isTechnique(name: string): boolean {
  if (!isName(name) || ["api", "compare"].includes(name)) return false;
  return existsSync(new URL(`${name}.ts`, import.meta.url));
}
