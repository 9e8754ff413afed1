import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { RunRecord } from "../../lib/command/record.ts";
import { checkServer, connect } from "../../scripts/distributed/redis.ts";
import { type DistributedOptions, distributed, serve } from "../../scripts/distributed.ts";
import type { Item } from "../bodies/distributed.ts";
import { callOf, shown, upTo } from "../support/call.ts";
import { CERTIFICATE } from "../support/certificate.ts";
import { testOwnLoop } from "../support/own-loop.ts";
import {
  commandLine,
  descendants,
  isAlive,
  noneLeft,
  run,
  start,
  until,
  withBody,
} from "../support/process.ts";
import { makeProject } from "../support/project.ts";
import { freePort, skip, startRedis } from "../support/redis.ts";

type Body = typeof import("../bodies/distributed.ts");
const module = new URL("../bodies/distributed.ts", import.meta.url);
const script = "scripts/distributed.ts";

const redis = skip ? undefined! : await startRedis("--requirepass", "secret", "--databases", "4");

describe("distributed", { skip, concurrency: 4 }, () => {
  const leaving = new AbortController();
  let serving: Promise<void>;
  before(() => {
    serving = serve(module, { redis: redis.url, concurrency: 3, signal: leaving.signal });
  });
  after(async () => {
    leaving.abort();
    await serving;
    await redis.isEmpty();
  });

  const call = (items: Item[], options: Partial<DistributedOptions<unknown>> = {}) =>
    distributed<Body>(items, module, { redis: redis.url, ...options });
  const many = (count: number, item: Item) => new Array<Item>(count).fill(item);

  test("distributed: values and errors arrive as from processes, in order", async () => {
    const reported: number[] = [];
    const onSettled = ({ index }: { index: number }) => reported.push(index);
    const items: Item[] = ["values", "error", "undefined", "function", (() => 1) as never];
    const results = await call(items, { batch: 2, onSettled });
    const [values, error, none, ...bad] = results;
    const expected = [new Map([["a", 1n]]), new Date(5), Buffer.from("bytes"), Number.NaN];
    assert.deepEqual(values, {
      status: "fulfilled",
      value: [...expected, undefined, undefined, true],
    });
    const { reason } = error as PromiseRejectedResult;
    assert.ok(reason instanceof TypeError);
    assert.deepEqual([reason.message, (reason.cause as Error).message], ["no", "why"]);
    assert.equal((reason as NodeJS.ErrnoException).code, "E_NO");
    assert.deepEqual(none, { status: "fulfilled", value: undefined });
    for (const each of bad)
      assert.match(String((each as PromiseRejectedResult).reason), /could not be cloned/);
    assert.deepEqual(reported.sort(), [0, 1, 2, 3, 4]);
  });

  test("distributed: no items, and a context that cannot be cloned", async () => {
    assert.deepEqual(await call([]), []);
    const context = { fails: (() => true) as never };
    const results = await distributed<Body>(["count"], module, { redis: redis.url, context });
    assert.match(String((results[0] as PromiseRejectedResult).reason), /could not be cloned/);
  });

  test("distributed: two runs at once have no more in flight than a worker may", async () => {
    const runs = [call(many(30, "in flight")), call(many(30, "in flight"), { batch: 5 })];
    const values = (await Promise.all(runs)).flat().map((result) => shown([result])[0] as number);
    assert.equal(values.length, 60);
    assert.ok(Math.max(...values) <= 3, `${values}`);
  });

  test("distributed: the dictionary counts, locks, and keeps what it began with", async () => {
    const dict = new Map<string | number, unknown>([
      ["count", 5],
      ["7", "text"],
      ["__proto__", null],
    ]);
    await call([...many(50, "count"), ...many(10, "lock")], { batch: 5, dict });
    assert.equal(dict.get("count"), 55);
    assert.deepEqual(
      dict.get(7),
      upTo(10).map((ms) => new Date(ms)),
    );
    assert.deepEqual([dict.get("7"), dict.get("__proto__"), dict.size], ["text", null, 4]);
  });

  test("distributed: a setup that fails on all workers fails the run, with why", async () => {
    const context = { fails: true };
    const results = await distributed<Body>(many(3, "count"), module, {
      redis: redis.url,
      context,
    });
    assert.deepEqual(shown(results), ["WorkerDied", "WorkerDied", "WorkerDied"]);
    const { reason } = results[0] as PromiseRejectedResult;
    assert.match(reason.message, /no worker can run this: RangeError: no set-up here/);
  });

  test("distributed: aborted, it settles every item at once", async () => {
    const stop = new AbortController();
    const onSettled = () => stop.abort(new RangeError("enough"));
    const results = await call(["count", ...many(5, "lock"), ...many(50, "in flight")], {
      signal: stop.signal,
      onSettled,
    });
    assert.equal(results.length, 56);
    assert.equal(results[0]!.status, "fulfilled");
    assert.deepEqual(shown(results.slice(-1)), ["RangeError"]);
  });

  test("distributed: what onSettled throws ends the loop, and is thrown", async () => {
    const onSettled = () => Promise.reject(new RangeError("one is enough"));
    await assert.rejects(call(many(50, "count"), { onSettled }), { message: "one is enough" });
  });

  test("distributed: a worker refuses another body", async () => {
    const news: string[] = [];
    const [leave, stop] = [new AbortController(), new AbortController()];
    const onNews = (text: string) => news.push(text);
    const other = new URL("../bodies/same.ts", import.meta.url);
    const options = { redis: redis.url, signal: leave.signal, onNews };
    const served = serve(other, options);
    const slow = call(["slow"], { signal: stop.signal, lostAfterMs: 500 });
    while (!news.some((text) => text.includes("is refused"))) await sleep(20);
    stop.abort(new Error("heard"));
    leave.abort();
    await Promise.all([served, slow]);
    assert.match(news.join("\n"), /is refused: its body is distributed\.ts, not same\.ts/);
  });

  test("distributed: a run of another version of its body says so", async () => {
    const folder = makeProject({ "distributed.ts": "export default () => 'another version';" });
    const other = pathToFileURL(join(folder, "distributed.ts"));
    const results = await distributed([1, 2], other, { redis: redis.url });
    const { reason } = results[1] as PromiseRejectedResult;
    assert.match(reason.message, /VersionError: .+:\d+ has another version of distributed\.ts/);
  });

  test("distributed: a wrong argument is an error before anything is connected", async () => {
    const nowhere = { redis: "redis://127.0.0.1:1" };
    const none = new URL("none.ts", module);
    for (const [call, why] of [
      [() => distributed({} as never, module, nowhere), /^TypeError: Expected an array of items/],
      [() => distributed([], "a.ts" as never, nowhere), /^TypeError: .+ and a module's URL$/],
      [() => distributed([1], none, nowhere), /ENOENT/],
      [() => distributed([1], module, { ...nowhere, batch: 0 }), /^RangeError: .+ whole batch/],
      [() => serve(module, { ...nowhere, concurrency: 0 }), /^RangeError: .+ whole concurrency/],
    ] as const)
      await assert.rejects(call, why);
  });

  test("distributed: a Redis that cannot be used is one line that names it", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as { port: number };
    const { host } = new URL(redis.url);
    const bad = [
      [`redis://:wrong@${host}`, /Cannot use Redis at 127.0.0.1:\d+: WRONGPASS/],
      [`redis://${host}`, /it wants a password/],
      [`${redis.url}/7`, /DB index is out of range/],
      [redis.url.replace("redis:", "rediss:"), /TLS/],
      ["redis://127.0.0.1:1", /ECONNREFUSED 127.0.0.1:1/],
      ["redis://no-such-host.invalid", /ENOTFOUND|EAI_AGAIN/],
      [`redis://127.0.0.1:${port}`, /no answer within 3 s/],
      ["http://127.0.0.1", /Expected redis:/],
      ["redis://host/one", /Expected redis:/],
    ] as const;
    const rejections = bad.map(([url, text]) =>
      assert.rejects(connect(url), (error: Error) => {
        assert.match(error.message, text);
        assert.doesNotMatch(error.message, /\n|secret|wrong/);
        return true;
      }),
    );
    await Promise.all(rejections);
    silent.close();
    const info = "redis_version:7.0.1\r\nmaxmemory_policy:noeviction\r\n";
    checkServer(info);
    assert.throws(() => checkServer(info.replace("7.0", "6.0")), /version 6.0.1, and BullMQ needs/);
    assert.throws(() => checkServer(info.replace("noeviction", "allkeys-lru")), /allkeys-lru/);
  });

  test("distributed: a worker tears down what it set up, run by run", async (t) => {
    const log = join(makeProject({ log: "" }), "log");
    const context = { log };
    const lifecycle = new URL("../bodies/lifecycle.ts", import.meta.url);
    const leave = new AbortController();
    t.after(() => leave.abort());
    const served = serve(lifecycle, { redis: redis.url, signal: leave.signal });
    const words = () =>
      readFileSync(log, "utf8")
        .split("\n")
        .flatMap((line) => /(setup|teardown) ends/.exec(line)?.[1] ?? []);
    for (const round of [1, 2]) {
      const results = await distributed([1, 2], lifecycle, { redis: redis.url, context });
      assert.deepEqual(shown(results), [1, 2]);
      await until(() => words().length === 2 * round);
    }
    leave.abort();
    await served;
    assert.deepEqual(words(), ["setup", "teardown", "setup", "teardown"]);
  });

  test("distributed: a teardown that fails is news, and thrown as the worker leaves", async (t) => {
    const redis = await startRedis(); // of its own: the body is also another test's
    const context = { log: join(makeProject({ log: "" }), "log"), teardown: "throws" as const };
    const lifecycle = new URL("../bodies/lifecycle.ts", import.meta.url);
    const leave = new AbortController();
    t.after(() => leave.abort());
    const news: string[] = [];
    const onNews = (text: string) => news.push(text);
    const served = serve(lifecycle, { redis: redis.url, signal: leave.signal, onNews });
    served.catch(() => {});
    await distributed([0], lifecycle, { redis: redis.url, context });
    await until(() => /teardown failed: RangeError: not flushed/.test(news.join()));
    leave.abort();
    await assert.rejects(served, { message: "not flushed" });
  });

  for (const technique of ["threads", "processes", "distributed"])
    test(`${technique}.ts: runs a module that the others run, setup to teardown`, async () => {
      const folder = makeProject({ items: '1\n{"word":"two"}\n3\n4\n' });
      const [items, results, log] = ["items", "results", "log"].map((name) => join(folder, name));
      const flags = ["--items", items!, "--results", results!, "-w", "1", "--json"];
      const { code, records } = await run(
        `scripts/${technique}.ts`,
        [...withBody("on-all"), ...flags],
        { LIFECYCLE_LOG: log! },
      );
      assert.equal(code, 1);
      const [{ ok, workers, workerKind, errors }] = records as [RunRecord];
      assert.deepEqual([ok, workers, errors], [3, 1, { E_THREE: 1 }]);
      assert.equal(workerKind, technique === "threads" ? "thread" : "process");
      const lines = readFileSync(results!, "utf8").trim().split("\n");
      const values = lines.map((line) => JSON.parse(line)).sort((a, b) => a.index - b.index);
      assert.deepEqual(
        values.map(({ value, reason }) => value ?? reason.code),
        [2, { word: "two", factor: 2 }, "E_THREE", 8],
      );
      assert.equal(readFileSync(log!, "utf8"), "setup\nteardown\n");
    });

  test("distributed.ts: refuses what it cannot follow, with status 2", async () => {
    for (const [flags, text] of [
      [[...withBody("waits"), "--timeout", "50"], /--timeout: expected no --body with it/],
      [["--run", "a", "--results", "none", "--redis", redis.url], /--run: expected no --results/],
      [["--run", "a"], /--run: expected --redis or REDIS_URL with it/],
      [["--worker"], /--worker: expected --redis or REDIS_URL with it/],
      [["--worker", "--items", "package.json"], /--items: expected no --worker with it/],
      [["--worker", "-n", "5", "--json"], /--requests: expected no --worker with it/],
      [
        ["--worker", "--redis", redis.url, ...withBody("no-default")],
        /--body: cannot load ".+no-default.ts": .+ has no default function/,
      ],
      [["--redis", "http://a"], /--redis: expected redis:.* found something else \(not shown\)/],
    ] as const) {
      const { code, stdout, stderr } = await run(script, [...flags], { REDIS_URL: "" });
      assert.match(stderr, new RegExp(`^error: ${text.source}[^\n]*\n$`));
      assert.deepEqual([code, stdout], [2, ""]);
    }
  });

  test("distributed.ts: runs at once, and leaves nothing", async () => {
    const running = start(script, ["-n", "20", "--work", "none", "--batch", "5", "--json"]);
    const { code, records } = await running.ended;
    assert.equal(code, 0);
    assert.equal(records[0]!.ok, 20);
    await noneLeft(running);
  });

  for (const how of ["SIGINT", "SIGTERM", "SIGKILL"] as const)
    test(`distributed.ts: ${how} leaves neither workers nor a Redis`, async () => {
      const results = join(makeProject({}), "results");
      const flags = ["--latency", "50", "--batch", "5", "--results", results];
      const running = start(script, flags);
      await until(() => readFileSync(results, { encoding: "utf8", flag: "a+" }).includes("\n"));
      const all = descendants(running.child.pid!); // with Redis, which hides its environment
      const names = all.map(commandLine).join("\n");
      assert.match(names, /(redis|valkey)-server .+:\d+/);
      assert.match(names, /local-worker/);
      running.child.kill(how);
      await running.ended;
      await until(() => !all.some(isAlive), 2000);
      await noneLeft(running);
    });

  for (const [how, line] of [
    ["throws", "still open"],
    ["exits", "a worker left with exit code 3"],
  ] as const)
    test(`distributed.ts: a teardown that ${how} is one line and status 1`, async () => {
      const flags = [...withBody("teardowns"), "-n", "5", "--json"];
      const { code, records, stderr } = await run(script, flags, { TEARDOWN: how });
      assert.equal(records[0]!.ok, 5);
      assert.deepEqual([stderr, code], [`error: ${line}\n`, 1]);
    });

  test("distributed.ts: a setup that exits fails the run, with why", async () => {
    const { code, stdout } = await run(script, [...withBody("setups"), "-n", "5"], {
      SETUP: "exits",
    });
    assert.equal(code, 1);
    assert.match(stdout, /\n {2}item 0: workers end at their start: exit code 3\n/);
  });

  test("distributed.ts: says what Redis it cannot use, with status 2", async () => {
    const other = await startRedis("--maxmemory-policy", "allkeys-lru");
    const evicting = await run(script, [], { REDIS_URL: other.url });
    assert.match(evicting.stderr, /^error: .+ its maxmemory-policy is allkeys-lru, .+\n$/);
    assert.equal(evicting.code, 2);
    const { code, stderr } = await run(script, ["--redis", "redis://127.0.0.1:1"]);
    assert.match(stderr, /^error: Cannot use Redis at 127.0.0.1:1: connect ECONNREFUSED.*\n$/);
    assert.equal(code, 2);
  });

  test("distributed.ts: rediss:// is TLS, and what cannot be is one line, status 2", async () => {
    const folder = makeProject({ cert: CERTIFICATE.cert, key: CERTIFICATE.key });
    const [cert, key] = [join(folder, "cert"), join(folder, "key")];
    const port = await freePort();
    const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert];
    const more = ["--tls-port", `${port}`, "--tls-auth-clients", "no", "--requirepass", "secret"];
    const redis = await startRedis(...files, ...more);
    const trusted = { NODE_EXTRA_CA_CERTS: cert };
    const [secure, plain] = [`rediss://:secret@127.0.0.1:${port}`, redis.url];
    const flags = ["--work", "none", "-n", "20", "-w", "1", "--json"];
    const good = await run(script, flags, { ...trusted, REDIS_URL: secure });
    assert.deepEqual([good.records[0]?.ok, good.code], [20, 0], good.stderr);
    await redis.isEmpty();
    for (const [url, env, text] of [
      [secure, {}, "self-signed certificate"],
      [secure.replace("rediss:", "redis:"), trusted, ".+ \\(does it want rediss://\\?\\)"],
      [plain.replace("redis:", "rediss:"), trusted, ".+ \\(is it one with TLS\\?\\)"],
    ] as const) {
      const { code, stdout, stderr } = await run(script, flags, { ...env, REDIS_URL: url });
      assert.match(stderr, new RegExp(`^error: Cannot use Redis at 127.0.0.1:\\d+: ${text}\n$`));
      assert.deepEqual([code, stdout], [2, ""]);
    }
  });
});

// On its own: while another worker in this process loads its module, no loop may start.
test("one module gives the same in threads, in processes and distributed", { skip }, async () => {
  const items = [1, { word: "two" }, 3, 4];
  const context = { factor: 10 };
  const onAll = new URL("../bodies/on-all.ts", import.meta.url);
  const inThreads = await callOf("inThreads")("on-all", items, { context });
  const inProcesses = await callOf("inProcesses")("on-all", items, { context });
  const leave = new AbortController();
  const served = serve(onAll, { redis: redis.url, signal: leave.signal });
  const everywhere = await distributed(items, onAll, { redis: redis.url, context });
  leave.abort();
  await served;
  for (const results of [inThreads, inProcesses, everywhere]) {
    assert.deepEqual(shown(results), [10, { word: "two", factor: 10 }, "RangeError", 40]);
    const { reason } = results[2] as PromiseRejectedResult;
    assert.deepEqual([reason.message, reason.code], ["no three", "E_THREE"]);
  }
});

if (!skip) testOwnLoop("distributed");
