// compare.ts: run the techniques against each other, and say what their times mean.
//
// Each run is a fresh process with a practice API of its own. Over numbers of requests all have the
// same number of workers; several numbers of workers are compared at one number of requests. Any
// script in this folder that keeps the command line and the record of the others can be named in
// --techniques.
//
// Run: npx tsx scripts/compare.ts
//      npx tsx scripts/compare.ts --workers 1,2,4,8,16
//      npx tsx scripts/compare.ts --work cpu --runs 3 --export-json cpu.json
//      npx tsx scripts/compare.ts --from cpu.json

import { existsSync } from "node:fs";
import { confirmRequests } from "../lib/command/consent.ts";
import { parseFlags } from "../lib/command/flags.ts";
import { interruptSignal, isError } from "../lib/command/interrupt.ts";
import { main } from "../lib/main.ts";
import { versions } from "../lib/runtime.ts";
import { terminalWidth, wantsColour } from "../lib/terminal/terminal.ts";
import {
  type CompareFlags,
  compareFlags,
  help,
  presets,
  savedFlags,
} from "./compare/compare-flags.ts";
import { type Comparison, FORMAT, thisMachine } from "./compare/comparison.ts";
import { describeComparison } from "./compare/describe-comparison.ts";
import {
  checkWritable,
  readComparison,
  toCsv,
  toJson,
  toMarkdown,
  writeWhole,
} from "./compare/exports.ts";
import { planJobs } from "./compare/plan.ts";
import { runComparison } from "./compare/run-comparison.ts";

await main(async () => {
  const flags = parseFlags(compareFlags(isTechnique));
  if (flags.help) return console.log(help(compareFlags(isTechnique)));
  for (const name of ["export-json", "export-csv", "export-markdown"] as const) {
    checkWritable(name, flags[name]);
  }
  if (flags.from) {
    const saved = readComparison(flags.from);
    if (flags.json) for (const sample of saved.samples) console.log(JSON.stringify(sample));
    return show(saved, flags);
  }

  const { sizes, latency, baselineMost } = presets(flags);
  const techniques = [...new Set(flags.techniques)];
  const workers = sorted(flags.workers);
  const over = workers.length > 1 ? "workers" : "requests";
  const comparison: Comparison = {
    format: FORMAT,
    startedAt: new Date().toISOString(),
    machine: thisMachine(),
    versions: versions(),
    flags: savedFlags({ ...flags, latency }),
    over,
    xs: over === "workers" ? workers : sizes,
    techniques,
    samples: [],
    timelines: [],
    remarks: [],
  };
  const jobs = planJobs({
    ...{ techniques, sizes, workers, baselineMost },
    ...{ pythonDefaults: flags["python-defaults"], runs: flags.runs },
  });
  const signal = interruptSignal();
  const drawn = (flags.timeline ?? 0) * techniques.length;
  const requests = jobs.flatMap((job) => job.sizes).reduce((sum, size) => sum + size, drawn);
  const target = flags.work === "post" ? flags.url : undefined;
  await confirmRequests(target, requests, flags.retries, flags.yes, signal);

  const complete = await runComparison(
    comparison,
    jobs,
    { ...flags, latency, baselineMost },
    signal,
  );
  process.exitCode = signal.aborted ? 130 : complete ? 0 : 1;
  show(comparison, flags);
  if (isError(signal.reason)) throw signal.reason;
});

/** Prints and saves a comparison. */
function show(comparison: Comparison, flags: CompareFlags) {
  if (!flags.json) {
    const look = { width: Math.min(terminalWidth(), 120), colour: wantsColour() };
    console.log(describeComparison(comparison, look));
  }
  const exports = [
    [flags["export-json"], toJson],
    [flags["export-csv"], toCsv],
    [flags["export-markdown"], toMarkdown],
  ] as const;
  for (const [file, toText] of exports) if (file) writeWhole(file, toText(comparison));
}

function isTechnique(name: string): boolean {
  if (!/^[a-z][a-z0-9-]*$/.test(name) || ["api", "compare"].includes(name)) return false;
  return existsSync(new URL(`${name}.ts`, import.meta.url));
}

function sorted(numbers: number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}
