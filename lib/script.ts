// What runs a script: flags, the practice API up and down, signals, output, exit status.

import { setMaxListeners } from "node:events";
import { availableParallelism } from "node:os";
import { startApi } from "./api-process.ts";
import { describeFlags, parseFlags, scriptFlags } from "./flags.ts";
import { formatMs } from "./format.ts";
import { interruptSignal } from "./interrupt.ts";
import { main } from "./main.ts";
import { measure, type Technique } from "./measure.ts";
import { closeConnections } from "./post.ts";
import { makeRecord } from "./record.ts";
import { describeRun } from "./report.ts";
import type { Task } from "./task.ts";
import { statusLine } from "./terminal.ts";
import { workerEntry } from "./worker-entry.ts";

/** A technique as a script. */
export interface Script {
  name: string;
  technique: Technique;
  /** How many workers by default, for so many cores; the plain loop has none to choose. */
  defaultWorkers?: (cores: number) => number;
  /** What the loop body needs once, where it runs in this thread. */
  prepare?: (task: Task) => Promise<void>;
  /** Its `import.meta.url`, where it starts threads or processes. */
  startsWorkersFrom?: string;
}

/** Runs a script by its command line, from flags to exit status. */
export function runScript(script: Script): Promise<void> {
  return main(async () => {
    const flags = parseFlags(scriptFlags(script.defaultWorkers?.(availableParallelism())));
    if (flags.help) return console.log(help(script));

    const workers = script.defaultWorkers ? flags.workers : 1;
    const inFlight = script.defaultWorkers ? flags["in-flight"] : 1;
    const signal = interruptSignal();
    setMaxListeners(0, signal); // one for each request in flight
    const practice = flags.work === "post" && !flags.url;
    const [api, start] = await Promise.all([
      practice ? startApi(["--latency", String(flags.latency)]) : undefined,
      script.startsWorkersFrom ? workerEntry(script.startsWorkersFrom) : undefined,
    ]);
    const task: Task = {
      work: flags.work,
      url: (api?.url ?? flags.url)?.href ?? "",
      connections: workers * inFlight,
      timeoutMs: flags.timeout,
      retries: flags.retries,
    };

    await script.prepare?.(task);

    const status = statusLine();
    let failed = false;
    for (const requests of flags.requests) {
      const items = Array.from({ length: requests }, (_, index) => index);
      const startedMs = performance.now();
      const run = await measure(
        script.technique,
        items,
        { workers, inFlight, task, signal, ...start },
        (settled) => {
          const passedMs = performance.now() - startedMs;
          const leftMs = (passedMs / settled) * (requests - settled);
          status.show(() => `${script.name}: ${settled} of ${requests}, ${formatMs(leftMs)} left`);
        },
      );
      status.clear();
      await closeConnections();
      const stats = await api?.takeStats();
      const interrupted = signal.aborted;
      const context = { technique: script.name, workers, inFlight, task, interrupted, stats };
      const record = makeRecord(run, context);
      console.log(flags.json ? JSON.stringify(record) : describeRun(record, run));
      failed ||= record.failed > 0;
      if (interrupted) break;
    }
    await api?.stop();
    process.exitCode = signal.aborted ? 130 : failed ? 1 : 0;
  });
}

function help({ name, defaultWorkers }: Script): string {
  const cores = availableParallelism();
  return `${name}.ts: ${defaultWorkers ? "a for loop in parallel" : "the plain for loop"}

Usage: npx tsx scripts/${name}.ts [flags]

Flags:
${describeFlags(scriptFlags(defaultWorkers?.(cores)))}

Exit status: 0 all iterations ok, 1 some failed, 2 bad usage, 130 interrupted.

Examples:
  npx tsx scripts/${name}.ts --requests 100 --latency 50
  npx tsx scripts/${name}.ts --work cpu --json
  npx tsx scripts/${name}.ts --url https://api.example.com/items --requests 20`;
}
