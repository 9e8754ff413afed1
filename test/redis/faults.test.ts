import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../scripts/distributed/redis.ts";
import { unlessStuck } from "../../scripts/distributed/run.ts";
import { type DistributedOptions, distributed } from "../../scripts/distributed.ts";
import { shown, upTo } from "../support/call.ts";
import { startCountingApi } from "../support/counting-api.ts";
import { type Running, run, start, until } from "../support/process.ts";
import { skip, startRedis, startWorkers } from "../support/redis.ts";

const LOST_MS = 600;
const counted = new URL("../bodies/counted.ts", import.meta.url);
type Api = Awaited<ReturnType<typeof startCountingApi>>;

const tests: [name: string, run: () => Promise<void>][] = [];
const test = (...each: (typeof tests)[number]) => void tests.push(each);

/** A Redis, an API, and workers with one item in flight each. */
async function setUp({ workers = 2, latencyMs = 20, flags = [] as string[] } = {}) {
  const [redis, api] = await Promise.all([startRedis(...flags), startCountingApi(latencyMs)]);
  return { redis, api, workers: await startWorkers(redis.url, workers, "counted") };
}

function loop(
  { url }: { url: string },
  api: Api,
  options: Partial<DistributedOptions<number>> & { kills?: number; count?: number } = {},
) {
  const { kills, count = 60, ...others } = options;
  const context = { url: api.url, ...(kills !== undefined && { kills }) };
  const all = { redis: url, lostAfterMs: LOST_MS, context, ...others };
  return distributed<typeof import("../bodies/counted.ts")>(upTo(count), counted, all);
}

const kill = ({ child }: Running, name: NodeJS.Signals = "SIGKILL") => child.kill(name);

/** Each item is done, or its reason has that name; gives the number of the latter. */
function checkEach(results: PromiseSettledResult<number>[], name: string): number {
  const words = shown(results);
  for (const [index, word] of words.entries()) if (word !== name) assert.equal(word, index);
  return words.filter((word) => word === name).length;
}

test("kill -9 of a worker costs what it was on, and nothing runs twice", async () => {
  const { redis, api, workers } = await setUp();
  const running = loop(redis, api);
  await until(() => api.total() >= 10);
  kill(workers[0]!);
  assert.equal(checkEach(await running, "WorkerDied"), 1);
  assert.equal(api.most(), 1);
  await redis.isEmpty();
});

test("kill -9 of a worker costs its batch", async () => {
  const { redis, api, workers } = await setUp();
  const running = loop(redis, api, { batch: 5 });
  await until(() => api.total() >= 10);
  kill(workers[0]!);
  const results = await running;
  assert.equal(checkEach(results, "WorkerDied"), 5);
  const lost = results.find((result) => result.status === "rejected");
  const text =
    /^worker .+:\d+ was not heard of for 600 ms \(on item \d+, or others of 5 sent with it\)$/;
  assert.match(lost?.reason.message, text);
  assert.equal(api.most(), 1);
});

test("kill -9 of a worker costs nothing with again", async () => {
  const { redis, api, workers } = await setUp();
  const running = loop(redis, api, { again: true });
  await until(() => api.total() >= 10);
  kill(workers[0]!);
  assert.equal(checkEach(await running, "WorkerDied"), 0);
  assert.ok(api.total() <= 61);
  await redis.isEmpty();
});

test("an item that kills each worker ends, with again", async () => {
  const { redis, api } = await setUp({ workers: 5 });
  const results = await loop(redis, api, { again: true, kills: 3, count: 20 });
  assert.equal(checkEach(results, "WorkerDied"), 1);
  assert.equal(api.posts.get("3"), 4);
  await redis.isEmpty();
});

test("a batch that computes for longer than lostAfterMs is not lost", async () => {
  const redis = await startRedis();
  await startWorkers(redis.url, 1, "distributed");
  const module = new URL("../bodies/distributed.ts", import.meta.url);
  const items = upTo(20).map((): "compute" => "compute"); // 2 s in all
  const results = await distributed<typeof import("../bodies/distributed.ts")>(items, module, {
    ...{ redis: redis.url, lostAfterMs: 1000, batch: 20 },
  });
  assert.deepEqual(shown(results), new Array(20).fill(undefined));
  await redis.isEmpty();
});

test("all workers killed: others come and do the rest", async () => {
  const { redis, api, workers } = await setUp();
  const running = loop(redis, api);
  await until(() => api.total() >= 10);
  workers.forEach((worker) => void kill(worker));
  await startWorkers(redis.url, 1, "counted", "--concurrency", "4");
  assert.equal(checkEach(await running, "WorkerDied"), 2);
  assert.equal(api.most(), 1);
});

test("a stopped worker that comes back does nothing twice, and serves on", async () => {
  const { redis, api, workers } = await setUp();
  const running = loop(redis, api, { batch: 5 });
  await until(() => api.total() >= 10);
  kill(workers[0]!, "SIGSTOP");
  const before = api.total();
  assert.equal(checkEach(await running, "WorkerDied"), 5);
  const after = api.total();
  kill(workers[0]!, "SIGCONT");
  await sleep(500);
  assert.ok(after - before <= 60 && api.total() <= after + 1, "begins nothing of what it had");
  kill(workers[1]!);
  assert.equal(checkEach(await loop(redis, api, { count: 5 }), "WorkerDied"), 0);
  await redis.isEmpty();
});

test("a worker may come late, and leave in good order", async () => {
  const [redis, api] = await Promise.all([startRedis(), startCountingApi(20)]);
  const running = loop(redis, api);
  await sleep(1000);
  const [first] = await startWorkers(redis.url, 1, "counted", "--concurrency", "2");
  await until(() => api.total() >= 10);
  await startWorkers(redis.url, 1, "counted");
  kill(first!, "SIGINT");
  assert.equal((await first!.ended).code, 0);
  assert.equal(checkEach(await running, "WorkerDied"), 0);
  assert.equal(api.total(), 60);
});

test("Redis killed and back with appendonly loses nothing", async () => {
  const { redis, api } = await setUp({ flags: ["--appendonly", "yes"] });
  const running = loop(redis, api, { lostAfterMs: 3000 });
  await until(() => api.total() >= 10);
  await redis.kill();
  await sleep(500);
  await redis.restart();
  assert.equal(checkEach(await running, "WorkerDied"), 0);
  assert.equal(api.total(), 60);
  await redis.isEmpty();
});

for (const [how, flags] of [
  ["empty", []],
  ["with a snapshot", ["--save", "1 1"]],
] as const)
  test(`Redis killed and back ${how} ends the run, and nothing runs twice`, async () => {
    const { redis, api } = await setUp({ flags: [...flags] });
    const running = loop(redis, api, { lostAfterMs: 3000, count: 300 });
    await until(() => api.total() >= 10);
    await sleep(how === "empty" ? 0 : 1500); // until it has saved what is done since
    await redis.kill();
    await sleep(500);
    await redis.restart();
    const lost = checkEach(await running, "RedisLost");
    assert.ok(lost > 0 && lost < 300);
    const total = api.total();
    await sleep(500);
    assert.equal(api.total(), total, "something ran afterwards");
    assert.equal(api.most(), 1);
    await redis.isEmpty();
  });

test("Redis killed and back with a snapshot: with again, all is done", async () => {
  const { redis, api } = await setUp({ flags: ["--save", "1 1"] });
  const running = loop(redis, api, { lostAfterMs: 3000, count: 200, again: true });
  await until(() => api.total() >= 10);
  await sleep(1500); // until it has saved what is done since
  await redis.kill();
  await sleep(500);
  await redis.restart();
  assert.equal(checkEach(await running, "RedisLost"), 0);
  assert.equal(api.posts.size, 200);
  await redis.isEmpty();
});

test("Redis back with a snapshot that lacks items: with again, they are added once more", async () => {
  const { redis, api } = await setUp({ flags: ["--save", "3600 1"] });
  const running = loop(redis, api, { lostAfterMs: 3000, count: 200, again: true });
  await until(() => api.total() >= 10);
  const [waiting] = await redis.client.keys("parallel-for:*:wait");
  const ids = await redis.client.lpop(waiting!, 50);
  await redis.client.del(ids!.map((id) => waiting!.replace(/wait$/, id)));
  await redis.client.save();
  await redis.kill();
  await redis.restart();
  assert.equal(checkEach(await running, "RedisLost"), 0);
  assert.equal(api.posts.size, 200);
  await redis.isEmpty();
});

test("FLUSHALL ends the run, and nothing runs afterwards", async () => {
  const { redis, api } = await setUp();
  const running = loop(redis, api);
  await until(() => api.total() >= 10);
  await redis.client.flushall();
  assert.ok(checkEach(await running, "RedisLost") > 0);
  const total = api.total();
  await sleep(500);
  assert.ok(api.total() <= total + 2, "no more than what was on its way");
  assert.equal(api.most(), 1);
  await redis.isEmpty();
});

test("Redis gone for good ends the run after a while, and Ctrl-C ends a worker", async () => {
  const { redis, api, workers } = await setUp();
  const running = loop(redis, api);
  await until(() => api.total() >= 10);
  await redis.kill();
  const goneMs = performance.now();
  const results = await running;
  assert.ok(checkEach(results, "RedisLost") > 0);
  assert.ok(performance.now() - goneMs < 5000);
  for (const worker of workers) {
    kill(worker, "SIGINT");
    assert.equal((await worker.ended).code, 0);
  }
});

test("a worker that is to leave does not wait for a Redis that goes meanwhile", async () => {
  const { redis, api, workers } = await setUp({ latencyMs: 1500 });
  const running = loop(redis, api, { count: 2 });
  await until(() => api.total() === 2);
  for (const worker of workers) kill(worker, "SIGTERM");
  await sleep(200);
  await redis.kill();
  const goneMs = performance.now();
  for (const worker of workers) await worker.ended;
  assert.ok(performance.now() - goneMs < 8000);
  assert.equal(checkEach(await running, "RedisLost"), 2);
});

test("Redis back after its parent gave up: nothing runs, and nothing is left", async () => {
  const { redis, api } = await setUp({ flags: ["--appendonly", "yes"] });
  const running = loop(redis, api);
  await until(() => api.total() >= 10);
  await redis.kill();
  assert.ok(checkEach(await running, "RedisLost") > 0);
  const total = api.total();
  await redis.restart();
  await redis.isEmpty();
  assert.ok(api.total() <= total + 2, "no more than what was on its way");
});

test("the end of a run takes its time while Redis answers, and no longer", async () => {
  const redis = await startRedis();
  const server = await connect(redis.url);
  let isDone = false;
  await unlessStuck(
    server,
    sleep(2500).then(() => {
      isDone = true;
    }),
  );
  assert.ok(isDone);
  await redis.kill();
  const beganMs = performance.now();
  await unlessStuck(server, sleep(60_000, undefined, { ref: false }));
  assert.ok(performance.now() - beganMs < 2500);
  server.disconnect();
});

test("Ctrl-C works while Redis is gone", async () => {
  const { redis, api } = await setUp();
  const stop = new AbortController();
  const running = loop(redis, api, { lostAfterMs: 60_000, signal: stop.signal });
  await until(() => api.total() >= 10);
  await redis.kill();
  await sleep(200);
  stop.abort(Object.assign(new Error("enough"), { name: "Enough" }));
  const abortMs = performance.now();
  assert.ok(checkEach(await running, "Enough") > 0);
  assert.ok(performance.now() - abortMs < 4000);
});

test("Redis without memory ends the run with that reason", async () => {
  const { redis, api } = await setUp();
  const running = loop(redis, api, { count: 300 });
  await until(() => api.total() >= 10);
  await redis.client.config("SET", "maxmemory", "1mb");
  const results = await running;
  assert.ok(checkEach(results, "RedisLost") > 0);
  const { reason } = results.at(-1) as PromiseRejectedResult;
  assert.match(reason.message, /OOM command not allowed/);
  const total = api.total();
  await redis.client.config("SET", "maxmemory", "0");
  await sleep(1000);
  assert.ok(api.total() <= total + 2);
  assert.equal(api.most(), 1);
  await redis.isEmpty();
});

/** Starts the loop in a process of its own, by the script. */
async function startParent(url: string, api: Api, ...flags: string[]) {
  const words = ["--url", api.url, "-n", "60", "--json", "--yes", "--lost-after", `${LOST_MS}`];
  const parent = start("scripts/distributed.ts", [...words, ...flags], { REDIS_URL: url });
  await until(() => api.total() >= 10);
  return parent;
}

test("a parent that is killed ends its run, which leaves nothing", async () => {
  const [redis, api] = await Promise.all([startRedis(), startCountingApi(20)]);
  const worker = start("scripts/distributed.ts", ["--worker"], { REDIS_URL: redis.url });
  const parent = await startParent(redis.url, api);
  kill(parent);
  await redis.isEmpty();
  assert.ok(api.total() < 60);
  kill(worker);
});

test("a run with a name outlives its parent, and is collected", async () => {
  const [redis, api] = await Promise.all([startRedis(), startCountingApi(20)]);
  const worker = start("scripts/distributed.ts", ["--worker"], { REDIS_URL: redis.url });
  kill(await startParent(redis.url, api, "--run", "nightly"));
  await until(() => api.total() === 60);
  const other = start("scripts/distributed.ts", ["--run", "nightly", "-n", "7", "--work", "none"], {
    REDIS_URL: redis.url,
  });
  const { stderr, code } = await other.ended;
  assert.match(stderr, /Run "nightly" is there with other items/);
  assert.equal(code, 1);
  const again = await startParent(redis.url, api, "--run", "nightly");
  const [record] = (await again.ended).records;
  assert.equal(record?.ok, 60);
  assert.equal(api.total(), 60);
  await redis.isEmpty();
  kill(worker);
});

test("Ctrl-C pauses a run with a name, and the same command goes on with it", async () => {
  const [redis, api] = await Promise.all([startRedis(), startCountingApi(20)]);
  const worker = start("scripts/distributed.ts", ["--worker"], { REDIS_URL: redis.url });
  const parent = await startParent(redis.url, api, "--run", "nightly");
  kill(parent, "SIGINT");
  const { code, records } = await parent.ended;
  assert.equal(code, 130);
  assert.ok(records[0]!.interrupted && records[0]!.ok < 60);
  await sleep(300);
  const paused = api.total();
  await sleep(300);
  assert.equal(api.total(), paused, "it went on");
  const [record] = (await (await startParent(redis.url, api, "--run", "nightly")).ended).records;
  assert.equal(record?.ok, 60);
  assert.deepEqual([api.total(), api.most()], [60, 1]);
  await redis.isEmpty();
  kill(worker);
});

test("two runs at once share the workers, and each gets its own results", async () => {
  const { redis, api } = await setUp();
  const other = await startCountingApi(20);
  const results = await Promise.all([loop(redis, api), loop(redis, other, { batch: 3 })]);
  for (const each of results) assert.equal(checkEach(each, "WorkerDied"), 0);
  assert.deepEqual([api.total(), api.most(), other.total(), other.most()], [60, 1, 60, 1]);
  await redis.isEmpty();
});

test("compare.ts takes it like any other", async () => {
  const flags = ["-t", "processes,distributed", "-n", "5,10", "-w", "2", "--work", "none"];
  const { code, stdout } = await run("scripts/compare.ts", flags);
  assert.match(stdout, /^requests +processes +distributed$/m);
  assert.equal(code, 0);
});

// Most of the time they wait.
describe("distributed", { concurrency: 4, skip, timeout: 120_000 }, () => {
  for (const [name, run] of tests) it(name, run);
});
