// What the script of distributed.ts does beside its technique: flags, a Redis and workers of its
// own where there are none, and the worker's side.

import { type ChildProcess, fork, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Flag, onOff, UsageError, wholeNumber } from "../../lib/command/flags.ts";
import type { CallOptions } from "../../lib/command/script.ts";
import type { PostOptions } from "../../lib/post.ts";
import type { Hooks, Usage } from "../../lib/timing.ts";
import { connect } from "./redis.ts";

type Distributed = typeof import("../distributed.ts");
type Results = PromiseSettledResult<unknown>[];

const LOCAL = "LOCAL_WORKER"; // in a worker's environment: it is one of this script's own
const MAX_CONNECTIONS = 1024;

const redis: Flag<string | undefined> = {
  placeholder: "URL",
  help:
    "redis://user:password@host:port/database, or rediss:// for TLS; better in REDIS_URL, which " +
    "others on the machine do not see",
  initial: process.env.REDIS_URL || undefined,
  initialText: "REDIS_URL, or a Redis and workers on 127.0.0.1, started for the run",
  expected: "redis://user:password@host:port/database, or rediss:// for TLS",
  parse: (text) => (/^rediss?:\/\/./.test(text) ? text : undefined),
  isSecret: true,
};
const run: Flag<string | undefined> = {
  placeholder: "NAME",
  help: "a name by which the run outlives this process: the same command collects what was done",
  initial: undefined,
  initialText: "none",
  expected: "letters, digits, - and _",
  parse: (text) => (/^[\w-]+$/.test(text) ? text : undefined),
};

export const flags = {
  redis,
  worker: onOff("works for runs of the same body, until Ctrl-C; takes --concurrency and the body"),
  batch: wholeNumber(1, 100_000, { initial: 1, help: "items that travel together" }),
  "lost-after": wholeNumber(100, 86_400_000, {
    placeholder: "MS",
    initial: 10_000,
    help: "a worker not heard of for so long is dead, in ms",
  }),
  again: onOff(
    "runs again what a dead worker had, and with --results what failed: an item may run more than once",
  ),
  run,
};

type Own = { [Name in keyof typeof flags]: (typeof flags)[Name]["initial"] } & {
  workers?: number;
  concurrency: number;
  work: string;
  body?: string;
  timeout?: number;
  results?: string;
};
let own: Own; // what the command line says

/**
 * Checks Redis, and with --worker is a worker until it is interrupted.
 *
 * @throws {UsageError} Flags that do not go together, or there is no Redis that can be used.
 */
export async function begin(given: Record<string, unknown>, self: Distributed): Promise<boolean> {
  own = given as unknown as Own;
  if (own.timeout !== undefined && own.body)
    throw new UsageError("--timeout: expected no --body with it: no item is ended here");
  if (own.run && own.results !== undefined)
    throw new UsageError("--run: expected no --results with it, by which its items become others");
  if ((own.worker || own.run) && !own.redis)
    throw new UsageError(
      `--${own.worker ? "worker" : "run"}: expected --redis or REDIS_URL with it`,
    );
  if (own.redis) {
    const server = await connect(own.redis).catch((error) => {
      throw new UsageError(error.message);
    });
    server.disconnect();
  } else if (!redisServer()) {
    const packages = "apt install redis-server on Debian, brew install redis on macOS";
    throw new UsageError(
      `found no redis-server or valkey-server: ${packages}, or name one by --redis`,
    );
  }
  if (own.worker) await work(self);
  return own.worker;
}

/** The worker's side. */
async function work({ serve }: Distributed) {
  const { redis, concurrency, work, body } = own;
  const module = body
    ? pathToFileURL(resolve(body))
    : new URL(`../../lib/bodies/${work}.ts`, import.meta.url);
  const isLocal = Boolean(process.env[LOCAL]);
  const leaving = new AbortController();
  let leavingMs = 0;
  const leave = () => {
    // tsx repeats a signal within a moment; a user who does so will not wait.
    if (leaving.signal.aborted && performance.now() - leavingMs > 500) process.exit(130);
    if (!leaving.signal.aborted) leavingMs = performance.now();
    leaving.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, leave);
  if (isLocal) process.once("disconnect", () => process.exit()); // its parent is gone
  const onNews = (text: string) =>
    isLocal ? process.send!({ is: "news", text }) : console.error(text);
  await serve(module, { redis: redis!, concurrency, signal: leaving.signal, onNews });
  if (!isLocal) process.exit(); // BullMQ would wait for a Redis that is gone
  const usage: Usage = {
    from: "the usage of a process",
    cpu: process.cpuUsage(),
    rssBytes: process.memoryUsage.rss(),
  };
  process.send!(usage, () => process.exit());
}

const seen = new Set<number>(); // the workers that took part in the last run

/** What the command line cannot say of a run whose workers are elsewhere. */
export async function afterRun() {
  const { redis, workers, batch } = own;
  const counts = `${seen.size} workers took part, in batches of ${batch}`;
  // How many lanes they have is not known here.
  const elsewhere = { workers: seen.size, idealMs: undefined as never };
  return { fields: redis && !workers ? elsewhere : {}, text: counts };
}

/** Calls `distributed` as the flags say, if need be with a Redis and workers of its own. */
export async function inWorkers(
  self: Distributed,
  items: unknown[],
  module: URL,
  options: CallOptions & Hooks,
): Promise<Results> {
  const { concurrency, signal, onWorker } = options;
  const onSettled: Hooks["onSettled"] = (report) => {
    if (report.startMs >= 0) seen.add(report.worker);
    options.onSettled(report);
  };
  seen.clear();
  const server = own.redis ? undefined : await startRedis();
  const url = server?.url ?? own.redis!;
  const count = own.redis ? (own.workers ?? 0) : options.workers;
  const children = new Set<ChildProcess>();
  const over = new AbortController();
  const onAbort = () => over.abort(signal.reason);
  let failedStarts = 0;

  function startWorker() {
    const what = own.body ? ["--body", own.body] : ["--work", own.work];
    const script = fileURLToPath(new URL("../distributed.ts", import.meta.url));
    const child = fork(script, ["--worker", "--concurrency", `${concurrency}`, ...what], {
      env: { ...process.env, REDIS_URL: url, [LOCAL]: "1" },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    children.add(child);
    onWorker(child);
    child.on("message", (message: { is?: string } | null) => {
      if (message?.is === "news") failedStarts = 0;
    });
    child.once("exit", (code, name) => {
      children.delete(child);
      if (over.signal.aborted) return;
      const how = name ?? `exit code ${code}`;
      if (++failedStarts < 3) startWorker();
      else
        over.abort(
          Object.assign(new Error(`workers end at their start: ${how}`), { name: "WorkerDied" }),
        );
    });
  }

  const killAll = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", killAll);
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    for (let number = 0; number < count; number++) startWorker();
    const waiting = () => {
      if (seen.size > 0 || count > 0) return;
      console.error("waiting for workers: start some by the same command with --worker");
    };
    setTimeout(waiting, 3000).unref();
    const context = options.context as PostOptions | undefined;
    const { batch, run } = own;
    const all = {
      ...{ redis: url, batch, again: own.again, lostAfterMs: own["lost-after"] },
      ...{ signal: over.signal, onSettled },
      ...(run && { run }),
      // How many a worker has in flight is its own to say.
      context: context && { ...context, connections: MAX_CONNECTIONS },
    };
    return await self.distributed(items, module, all);
  } finally {
    signal.removeEventListener("abort", onAbort);
    over.abort();
    for (const child of children) child.kill(signal.aborted ? "SIGKILL" : "SIGTERM");
    const ended = [...children].map((child) => new Promise((end) => child.once("exit", end)));
    await Promise.race([Promise.all(ended), sleep(3000, undefined, { ref: false })]);
    killAll();
    process.off("exit", killAll);
    server?.stop();
  }
}

/** The path of a Redis server on the PATH, or of its successor. */
function redisServer(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = ["redis-server", "valkey-server"].flatMap((name) =>
    folders.map((folder) => join(folder, name)),
  );
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
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
    env: { CONFIG: config, SERVER: redisServer() },
    stdio: ["pipe", "ignore", "inherit"],
    detached: true, // out of the terminal's group: Ctrl-C is this process's to handle
  });
  shell.unref();
  const url = `redis://:${password}@127.0.0.1:${port}`;
  const endMs = performance.now() + 5000;
  for (;;) {
    try {
      const server = await connect(url);
      server.disconnect();
      return { url, stop: () => shell.stdin!.destroy() };
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await sleep(10);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
