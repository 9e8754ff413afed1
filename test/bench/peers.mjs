// One job done by one of the popular packages, cold: what `npm run bench` holds the suite against.
// Used as each package's own documentation recommends, with workers in JavaScript.
//
// Run: node test/bench/peers.mjs PACKAGE JOB ARGUMENTS   prints one line of JSON: { "ms": ... }

import { fileURLToPath } from "node:url";

const [name, job, ...args] = process.argv.slice(2);
const beside = (file) => new URL(file, import.meta.url).href;
const numbers = (count) => Array.from({ length: count }, (_, index) => index);
const nowMs = () => performance.timeOrigin + performance.now();

/** A pool of `count` workers that run a file's default export; what gives work to it, what ends it. */
async function openPool(package_, file, count) {
  if (package_ === "piscina") {
    const { Piscina } = await import("piscina");
    const pool = new Piscina({ filename: beside(file), minThreads: count, maxThreads: count });
    return { run: (item) => pool.run(item), close: () => pool.destroy() };
  }
  if (package_.startsWith("tinypool")) {
    const { Tinypool } = await import("tinypool");
    const runtime = package_ === "tinypool-processes" ? "child_process" : "worker_threads";
    const size = { minThreads: count, maxThreads: count };
    const pool = new Tinypool({ filename: beside(file), runtime, ...size });
    return { run: (item) => pool.run(item), close: () => pool.destroy() };
  }
  const { default: workerpool } = await import("workerpool");
  const workerType = package_ === "workerpool-processes" ? "process" : "thread";
  const size = { minWorkers: count, maxWorkers: count };
  const path = fileURLToPath(beside(file.replace(".mjs", "-workerpool.mjs")));
  const pool = workerpool.pool(path, { workerType, ...size });
  return { run: (item) => pool.exec("run", [item]), close: () => pool.terminate() };
}

const jobs = {
  /** Empty iterations: [count, workers]. */
  async empty(count, workers) {
    const begunMs = performance.now();
    const pool = await openPool(name, "empty.mjs", Number(workers));
    await Promise.all(numbers(Number(count)).map((item) => pool.run(item)));
    await pool.close();
    return { ms: performance.now() - begunMs };
  },

  /** Start-up of workers that import undici: [workers]. Until the last of them begins its first item. */
  async start(workers) {
    const begunMs = nowMs();
    const pool = await openPool(name, "undici.mjs", Number(workers));
    const starts = await Promise.all(numbers(Number(workers)).map((item) => pool.run(item)));
    await pool.close();
    return { ms: Math.max(...starts) - begunMs };
  },

  /** POSTs from one thread: [url, count, in flight]. */
  async posts(url, count, concurrency) {
    const begunMs = performance.now();
    const { default: pMap } = await import("p-map");
    const { Pool } = await import("undici");
    const pool = new Pool(new URL(url).origin, { connections: Number(concurrency) });
    const headers = { "content-type": "application/json" };
    const post = async (request) => {
      const body = JSON.stringify({ request });
      const reply = await pool.request({ method: "POST", path: "/", headers, body });
      await reply.body.dump();
      return reply.statusCode;
    };
    const statuses = await pMap(numbers(Number(count)), post, { concurrency: Number(concurrency) });
    await pool.close();
    return { ms: performance.now() - begunMs, ok: statuses.filter((one) => one === 201).length };
  },
};

console.log(JSON.stringify(await jobs[job](...args)));
process.exit();
