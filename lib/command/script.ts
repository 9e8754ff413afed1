// What runs a script: flags, the practice API up and down, signals, output, exit status.

import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { formatMs } from "../terminal/format.ts";
import { print, statusLine } from "../terminal/terminal.ts";
import { nowMs, type Report, startMeasuring, sum } from "../timing.ts";
import { checkConsent } from "./consent.ts";
import { describeRun } from "./describe-run.ts";
import { parseFlags } from "./flags.ts";
import { interruptSignal, isError, isInterrupted } from "./interrupt.ts";
import { itemsToRun } from "./items.ts";
import { startApi } from "./practice-api.ts";
import { KINDS, makeRecord, type RunRecord, shownUrl, type Work } from "./record.ts";
import { openResults } from "./results.ts";
import { help, postOptions, scriptFlags, sizesOf } from "./script-flags.ts";
import { type CallOptions, load, type Script, type Technique } from "./technique.ts";

/** Runs the script with this `import.meta.url` by its command line, from flags to exit status. */
export async function runScript<Exports>(url: string, common: Script<Exports>): Promise<void> {
  const name = basename(fileURLToPath(url), ".ts");
  const script = { ...common, ...(await common.own?.()) };
  const { defaultWorkers, inThisThread } = script;
  const table = { ...scriptFlags, ...script.flags };
  if (!script.takesWith) delete (table as Partial<typeof table>).with; // unknown to the others
  const flags = parseFlags(table);
  const defaults = KINDS.map((kind) => defaultWorkers?.(availableParallelism(), kind));
  if (flags.help) return print(help(name, table, defaults, script.flagsHelp));
  if (await script.begin?.(flags, await import(url))) return;

  const sizes = sizesOf(flags, inThisThread !== undefined, script.flags);
  const work: Work = flags.body ? "body" : flags.work;
  const target = work === "post" ? flags.url : undefined;
  const mayRetry = work === "post" && flags.retries > 0 && !script.own;
  const signal = interruptSignal();
  checkConsent(target, sum(sizes), flags);
  const file = flags.results === undefined ? undefined : openResults(flags.results, flags.again);
  const starting = unlessInterrupted(signal, async () =>
    work === "post" && !target ? startApi(["--latency", `${flags.latency}`]) : undefined,
  );
  const loading = unlessInterrupted(signal, () => load(script, url, flags.body, work));
  try {
    const [api, loaded] = await Promise.all([starting, loading]);
    const technique: Technique = loaded ?? { call: async () => [] }; // it was interrupted
    const apiUrl = api?.url ?? flags.url;
    const [workers, concurrency] = defaultWorkers
      ? [flags.workers ?? defaultWorkers(availableParallelism(), flags.with), flags.concurrency]
      : [1, 1];
    const areProcesses = script.inProcesses || script.own || flags.with === "processes";
    const kind = areProcesses ? "process" : "thread";
    const workerKind: RunRecord["workerKind"] = inThisThread ? "lane" : kind;
    const shown = work === "post" && apiUrl ? { url: shownUrl(apiUrl) } : {};
    const what = { technique: name, workers, workerKind, concurrency, work, ...shown };
    const options: CallOptions = {
      workers,
      concurrency,
      signal,
      with: flags.with,
      context: apiUrl && postOptions(flags, apiUrl, workers * concurrency),
      // A module of the user's has a time limit of its own, and the flags of this process.
      ...(flags.body ? flags.timeout && { itemTimeoutMs: flags.timeout } : { execArgv: [] }),
    };

    let failed = false;
    for (const size of sizes) {
      const asTheyCome = flags.items === "-" && inThisThread !== undefined;
      const todo = await itemsToRun(flags.items, size, file, asTheyCome, signal);
      const { run, results, thrown } = await runOnce(what, technique, todo, options);
      const stats = await api?.takeStats().catch(() => undefined); // it may have died
      const interrupted = signal.aborted;
      const own = interrupted ? undefined : await technique.afterRun?.(results, options);
      const requests = todo.count ?? run.settled;
      const retried = mayRetry ? { retried: run.retried } : {};
      const about = { ...what, requests, interrupted, ...retried, ...file?.before };
      const record = { ...makeRecord(run, about, flags.timeline, stats), ...own?.fields };
      await print(flags.json ? JSON.stringify(record) : describeRun(record, run));
      if (own && !flags.json) await print(`${own.text}\n`);
      if (thrown) throw thrown.reason;
      failed ||= record.failed + (record.failedBefore ?? 0) > 0;
      if (interrupted) break;
    }
    if (isError(signal.reason)) throw signal.reason;
    process.exitCode = signal.aborted ? 130 : failed ? 1 : 0;
  } finally {
    await (await starting)?.stop();
  }
  if (signal.aborted) process.exit(); // a body in this thread may go on for long
}

/**
 * Runs a technique once, with a line of progress.
 *
 * @returns The run, what became of its items, and what was thrown although every item had settled: a
 *   teardown failed.
 */
async function runOnce(
  { technique: name, work }: Pick<RunRecord, "technique" | "work">,
  { setup, call, teardown }: Technique,
  todo: Awaited<ReturnType<typeof itemsToRun>>,
  options: CallOptions,
) {
  const { signal } = options;
  const of = todo.count === undefined ? "" : ` of ${todo.count}`;
  let settled = 0;
  const onExit = () => {
    process.exitCode = signal.aborted ? 130 : 1;
    if (!signal.aborted)
      console.error(`error: the loop body ended the process, ${settled}${of} done`);
  };
  process.once("exit", onExit);
  try {
    const tearDown = await unlessInterrupted(signal, async () => {
      await setup?.(options.context);
      return teardown;
    });
    const { run, add, end, onWorker } = startMeasuring(options.workers, work === "post");
    const status = statusLine();
    const onSettled = (report: Report) => {
      add(todo.settle(report));
      settled = run.settled;
      const eachMs = (nowMs() - run.calledMs) / settled;
      const left = () => `, ${formatMs(eachMs * (todo.count! - settled))} left`;
      status.show(() => `${name}: ${settled}${of}${of && left()}`);
    };
    const callAll = async () => {
      let results: PromiseSettledResult<unknown>[] = [];
      for (const items of todo.parts)
        results = await call(items as unknown[], { ...options, onSettled, onWorker });
      return results;
    };
    const [called] = await Promise.allSettled([callAll()]);
    status.clear();
    const ended = end();
    const [tornDown] = await Promise.allSettled([(async () => tearDown?.())()]);
    const thrown = [called, tornDown].find((each) => each.status === "rejected");
    const results = called.status === "fulfilled" ? called.value : Object(called.reason).results;
    if (!results) throw thrown!.reason;
    return { run: ended, results, thrown };
  } finally {
    process.off("exit", onExit);
  }
}

/** Ctrl-C also reaches esbuild, which loads and bundles TypeScript: that error is not reported. */
function unlessInterrupted<T>(signal: AbortSignal, work: () => Promise<T>) {
  return work().catch(async (error) => {
    if (!(await isInterrupted(signal))) throw error;
    return undefined;
  });
}
