// A Redis of a test's own, on a free port.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { Redis } from "ioredis";
import { start, until } from "./process.ts";

/** Why tests that need Redis are skipped, where it is not there. */
export const skip =
  spawnSync("redis-server", ["--version"]).status !== 0 && "there is no redis-server on the PATH";

/** Starts a Redis that keeps all in memory, unless `flags` say otherwise. */
export async function startRedis(...flags: string[]) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const given = [
    "--port",
    `${port}`,
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--dir",
    folder,
    ...flags,
  ];
  const launch = () => spawn("redis-server", given, { stdio: "ignore" });
  let child = launch();
  const password = flags[flags.indexOf("--requirepass") + 1];
  const secret = flags.includes("--requirepass") && password ? { password } : {};
  const client = new Redis({
    port,
    ...secret,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
  });
  client.on("error", () => {});
  const redis = {
    url: `redis://${secret.password ? `:${secret.password}@` : ""}127.0.0.1:${port}`,
    client,
    async kill() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
    async restart() {
      child = launch();
      await client.ping();
    },
    /** Waits until it has no keys. */
    isEmpty: () => until(async () => (await client.dbsize()) === 0, 5000),
  };
  after(() => {
    client.disconnect();
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  await client.ping();
  return redis;
}

/** Starts workers by the script, and waits until they serve test/bodies/NAME.ts. */
export async function startWorkers(url: string, count: number, body: string, ...flags: string[]) {
  const workers = Array.from({ length: count }, () =>
    start("scripts/distributed.ts", ["--worker", "--body", `test/bodies/${body}.ts`, ...flags], {
      REDIS_URL: url,
    }),
  );
  await Promise.all(workers.map(({ output }) => until(() => output.stderr.includes(" serves "))));
  return workers;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
