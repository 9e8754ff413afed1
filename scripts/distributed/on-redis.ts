// What the script of distributed.ts does beside its technique: flags, a Redis and workers of its
// own where there are none, and the worker's side.

import { type ChildProcess, fork, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { number, onOff, refuse, type Values, value } from "../../lib/command/flags.ts";
import { onInterrupt } from "../../lib/command/interrupt.ts";
import { type ScriptFlags, scriptFlags } from "../../lib/command/script-flags.ts";
import type { Options } from "../../lib/command/technique.ts";
import type { PostOptions } from "../../lib/post.ts";
import { loadable } from "../../lib/runtime.ts";
import { loadLoop, named } from "../processes.ts";
import type { FromWorker, LocalJob } from "./local-worker.ts";
import { connect, URL_FORM } from "./redis.ts";

type Distributed = typeof import("../distributed.ts");
type Results = PromiseSettledResult<unknown>[];

const MAX_CONNECTIONS = 1024;
/** What workers of this script's own load, beside the body. */
const OWN_FILES = ["./local-worker.ts", "../distributed.ts"].map(
  (path) => new URL(path, import.meta.url),
);

export const flags = {
  redis: {
    ...value(URL_FORM, (text) => /^rediss?:\/\/./.test(text) && text, true),
    initial: process.env.REDIS_URL || undefined,
  },
  worker: onOff,
  batch: { ...number(1, 100_000), initial: 1 },
  "lost-after": { ...number(100, 86_400_000), initial: 10_000 },
  again: onOff,
  run: value("letters, digits, - and _", (text) => /^[\w-]+$/.test(text) && text),
};
/** What the help says of them. */
export const flagsHelp = `
--redis URL  ${URL_FORM};
  better in REDIS_URL, which others on the machine do not see
  (default: REDIS_URL, or a Redis and workers on 127.0.0.1, started for the run)
--worker  works for all runs of its --body or --work, until Ctrl-C; takes --concurrency
--batch N  items that travel together
--lost-after MS  a worker not heard of for so long is dead, in ms
--again  runs again what a dead worker had, and with --results what failed: an item may run
  more than once
--run NAME  a name by which the run outlives this process: the same command collects what was done
`;

let own: ScriptFlags & Values<typeof flags>; // what the command line says
let local: { files: URL[]; execArgv: string[] }; // what its own workers load, and Node's flags for them
const OF_WORKER = ["redis", "worker", "concurrency", "work", "body"];

/**
 * Checks Redis, and with --worker is a worker until it is interrupted.
 *
 * @throws {UsageError} Flags that do not go together, or there is no Redis that can be used.
 */
export async function begin(given: Record<string, unknown>, self: Distributed): Promise<boolean> {
  own = given as typeof own;
  const { worker, results, body, timeout } = own;
  if (worker)
    for (const [name, { initial }] of Object.entries({ ...scriptFlags, ...flags }))
      if (name in given && !OF_WORKER.includes(name) && !isDeepStrictEqual(given[name], initial))
        refuse(`--${name}: expected no --worker with it`);
  if (timeout !== undefined && body)
    refuse("--timeout: expected no --body with it: no item is ended here");
  if (own.run && results !== undefined)
    refuse("--run: expected no --results with it, by which its items become others");
  if ((worker || own.run) && !own.redis)
    refuse(`--${worker ? "worker" : "run"}: expected --redis or REDIS_URL with it`);
  if (!own.redis && !redisServer()) {
    const packages = "apt install redis-server on Debian, brew install redis on macOS";
    refuse(`found no redis-server or valkey-server: ${packages}, or name one by --redis`);
  }
  if (own.redis) (await connect(own.redis).catch(({ message }) => refuse(message))).disconnect();
  if (worker) await work(self);
  const files = [...OWN_FILES, moduleOf(own)];
  // Workers elsewhere have the files as they are, and so has who runs a module of the user's.
  if (own.redis || body) local = { files, execArgv: process.execArgv };
  else local = { files: await loadable(files), execArgv: [] };
  return worker;
}

/** The worker's side. */
async function work({ serve }: Distributed) {
  const { redis, concurrency, body } = own;
  const leaving = new AbortController();
  onInterrupt(() => leaving.abort());
  const unusable = ({ message }: Error) => refuse(`--body: cannot load "${body}": ${message}`);
  if (body) await loadLoop(moduleOf(own).href).catch(unusable);
  const onNews = console.error;
  await serve(moduleOf(own), { redis: redis!, concurrency, signal: leaving.signal, onNews });
  process.exit(); // BullMQ would wait for a Redis that is gone
}

function moduleOf({ body, work }: ScriptFlags): URL {
  return body
    ? pathToFileURL(resolve(body))
    : new URL(`../../lib/bodies/${work}.ts`, import.meta.url);
}

const seen = new Set<number>(); // the workers that took part in the last run

/** Counts the workers that took part: where they are elsewhere, the command line has no number. */
export async function afterRun() {
  const { redis, workers, batch } = own;
  const counts = `${seen.size} workers took part, in batches of ${batch}`;
  // How many each has in flight is not known here, and so no ideal.
  const elsewhere = { workers: seen.size, idealMs: undefined as never };
  return { fields: redis && !workers ? elsewhere : {}, text: counts };
}

/** Calls `distributed` as the flags say, if need be with a Redis and workers of its own. */
export async function inWorkers(
  self: Distributed,
  items: unknown[],
  _module: URL,
  options: Options,
): Promise<Results> {
  const [entry, script, body] = local.files as [URL, URL, URL];
  const { concurrency, signal, onWorker } = options;
  let reported = 0; // by workers
  const onSettled: Options["onSettled"] = (report) => {
    if (report.startMs >= 0) {
      seen.add(report.worker);
      reported++;
    }
    options.onSettled(report);
  };
  seen.clear();
  const server = own.redis ? undefined : await startRedis();
  const url = server?.url ?? own.redis!;
  const children = new Set<ChildProcess>();
  const over = new AbortController();
  const killAll = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  const onAbort = () => {
    over.abort(signal.reason);
    killAll();
  };
  const count = own.redis ? (own.workers ?? 0) : options.workers;
  let started = 0;
  let failedStarts = 0; // in a row
  let teardownError: Error | undefined;
  let results: Results;

  /** Starts workers one after another: as many load at a time as there are calls of this. */
  async function startWorkers() {
    while (started++ < count && !over.signal.aborted) {
      const child = startWorker();
      const isUp = [once(child, "message"), once(child, "exit")];
      // One that takes so long waits for something.
      await Promise.race([...isUp, sleep(1000, undefined, { ref: false })]);
    }
  }

  function startWorker() {
    const child = fork(entry, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      execArgv: local.execArgv,
    });
    const job: LocalJob = { script: script.href, body: body.href, redis: url, concurrency };
    child.send(job, () => {});
    let failed: string | undefined;
    children.add(child);
    onWorker(child);
    child.on("message", (message: FromWorker) => {
      failed = message.failed;
      if (message.from) child.disconnect();
      else if (message.hasJoined) failedStarts = 0;
    });
    child.once("exit", (code, name) => {
      children.delete(child);
      const how = failed ?? name ?? `exit code ${code}`;
      if (over.signal.aborted || reported === items.length) {
        if (failed || code) teardownError ??= new Error(failed ?? `a worker left with ${how}`);
      } else if (++failedStarts < 3) startWorker();
      else over.abort(named("WorkerDied", `workers end at their start: ${how}`));
    });
    return child;
  }

  process.once("exit", killAll);
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    for (let cores = availableParallelism(); cores > 0; cores--) void startWorkers();
    const waiting = () => {
      if (seen.size > 0 || count > 0) return;
      console.error("waiting for workers: start some with --worker and the same --body or --work");
    };
    setTimeout(waiting, 3000).unref();
    const context = options.context as PostOptions | undefined;
    results = await self.distributed(items, body, {
      ...{ redis: url, batch: own.batch, again: own.again, lostAfterMs: own["lost-after"] },
      ...{ signal: over.signal, onSettled },
      ...(own.run && { run: own.run }),
      // How many a worker has in flight is its own to say.
      context: context && { ...context, connections: MAX_CONNECTIONS },
    });
  } finally {
    over.abort();
    const ended = [...children].map((child) => once(child, "exit"));
    // On Deno, child.kill() says at once that it has ended.
    for (const { pid } of children) process.kill(pid!, "SIGTERM");
    // One that was taken for dead may never leave by itself.
    const late = reported < items.length && sleep(3000, undefined, { ref: false });
    await (late ? Promise.race([late, Promise.all(ended)]) : Promise.all(ended));
    killAll();
    process.off("exit", killAll);
    signal.removeEventListener("abort", onAbort);
    server?.stop();
  }
  if (teardownError && !signal.aborted) throw Object.assign(teardownError, { results });
  return results;
}

/** The name of a Redis server on the PATH, or of its successor. */
function redisServer(): string | undefined {
  const names = ["redis-server", "valkey-server"];
  return names.find((name) => spawnSync(name, ["--version"]).status === 0);
}

/**
 * Starts a Redis on a free port of 127.0.0.1, with a password, that keeps all in memory and ends
 * with this process, however that ends.
 *
 * @throws {Error} It is not up after 5 seconds.
 */
async function startRedis(): Promise<{ url: string; stop: () => void }> {
  const port = await freePort();
  const password = randomUUID();
  const config = `bind 127.0.0.1\nport ${port}\nrequirepass ${password}\nsave ""\n`;
  // The shell kills it when its own stdin is closed: by this process, or as that ends.
  const server = `printf '%s' "$CONFIG" | "$SERVER" - >/dev/null`;
  const command = `${server} & cat >/dev/null; kill -9 $!; wait`;
  const shell = spawn("sh", ["-c", command], {
    env: { ...process.env, CONFIG: config, SERVER: redisServer() },
    stdio: ["pipe", "ignore", "inherit"],
    detached: true, // out of the terminal's group: Ctrl-C is this process's to handle
  });
  shell.unref();
  const url = `redis://:${password}@127.0.0.1:${port}`;
  for (const endMs = performance.now() + 5000; ; await sleep(10)) {
    try {
      (await connect(url)).disconnect();
      return { url, stop: () => shell.stdin!.destroy() };
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await once(server.close(), "close");
  return port;
}
