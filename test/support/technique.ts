// What every technique must keep, told by its script's command line and by the API's own counts.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { countPrimes } from "../../lib/bodies/cpu.ts";
import type { RunRecord } from "../../lib/command/record.ts";
import type { Report } from "../../scripts/processes.ts";
import type { Rule } from "../bodies/rules.ts";
import { callOf, rules, shown, test, upTo } from "./call.ts";
import { servePracticeApi } from "./counting-api.ts";
import { run, start, until } from "./process.ts";

/** Declares the tests of one technique. `exported` is its function's name. */
export function testTechnique(name: string, exported: string) {
  const script = `scripts/${name}.ts`;
  const call = callOf(exported);
  const alone = name === "sequential";

  test(`${name}: 1, 7 and 500 requests on 8 workers x 2: each once, never too many in flight`, async () => {
    const api = await servePracticeApi();
    const flags = ["-n", "1,7,500", "-w", "8", "--concurrency", "2", "--url", api.url, "--json"];
    const { code, records } = await run(script, flags);
    const stats = await api.stats();
    api.stop();
    assert.equal(code, 0);
    assert.deepEqual(
      records.map(({ statuses }) => statuses),
      [{ 201: 1 }, { 201: 7 }, { 201: 500 }],
    );
    for (const [index, requests] of [1, 7, 500].entries()) checkRecord(records[index]!, requests);
    assert.equal(stats.requests, 508);
    assert.ok(stats.inFlightPeak <= (alone ? 1 : 16), `peak ${stats.inFlightPeak}`);
  });

  test(`${name}: reaches as many requests in flight as it may`, async () => {
    const slow = await servePracticeApi({ latencyMs: 60_000 });
    const flags = ["-n", "18", "-w", "3", "--concurrency", "2", "--url", slow.url];
    const { child, ended } = start(script, flags);
    const most = alone ? 1 : 6;
    await until(async () => (await slow.stats()).inFlight === most);
    await sleep(200);
    const { inFlightPeak } = await slow.stats();
    child.kill("SIGINT");
    await ended;
    slow.stop();
    assert.equal(inFlightPeak, most);
  });

  test(`${name}: several sizes run one after another, with the practice API's figures`, async () => {
    const { code, records, stderr } = await run(script, [
      "-n",
      "30,50",
      "--latency",
      "2",
      "--json",
    ]);
    assert.equal(stderr, "");
    assert.equal(code, 0);
    assert.deepEqual(
      records.map((one) => one.requests),
      [30, 50],
    );
    for (const record of records) {
      checkRecord(record, record.requests);
      assert.ok(record.serviceMs! >= 1.5, `service time ${record.serviceMs}`);
      assert.ok(record.idealMs! >= record.serviceMs!);
      assert.ok(record.ms > record.idealMs!, "faster than possible");
    }
  });

  test(`${name}: CPU work gives the value that the plain loop gives`, async () => {
    const items = [0, 1, 2, 3, 4, 5];
    const results = await call("primes", items, { workers: 2 });
    const expected = items.map((item) => ({
      status: "fulfilled",
      value: countPrimes(1_000_000 + item, 40_000),
    }));
    assert.deepEqual(results, expected);
  });

  test(`${name}: an API that fails and drops connections loses no iteration`, async () => {
    const bad = await servePracticeApi({ errorRate: 0.1, resetRate: 0.05 });
    const flags = ["-n", "200", "-w", "4", "-c", "2", "--url", bad.url, "--json"];
    const { code, records } = await run(script, flags);
    const stats = await bad.stats();
    bad.stop();
    const [record] = records;
    checkRecord(record!, 200);
    assert.equal(code, 1);
    assert.equal(record!.statuses[503], stats.statuses[503]);
    assert.equal(record!.statuses[201], stats.statuses[201]);
    assert.equal(sum(record!.errors), stats.statuses.reset);
    assert.equal(stats.requests, 200);
  });

  test(`${name}: an error keeps its name, message, code and stack; the others go on`, async () => {
    const items = ["none", "none", "with a name and code", "a string", "none"];
    const results = await call("throws", items);
    assert.deepEqual(shown(results), ["none", "none", "TwoError", "a string", "none"]);
    const { reason } = results[2] as PromiseRejectedResult;
    assert.ok(reason instanceof Error);
    assert.equal(reason.message, "no two");
    assert.equal((reason as NodeJS.ErrnoException).code, "E_TWO");
    assert.match(reason.stack ?? "", /body/);
  });

  test(`${name}: aborted, it settles every item, keeps what was done, waits for nothing`, async () => {
    const controller = new AbortController();
    const heard: Report[] = [];
    const onSettled = (report: Report) =>
      heard.push(report) === 4 && controller.abort(new Error("enough"));
    const keepAlive = setTimeout(() => {}, 20_000);
    const options = { signal: controller.signal, onSettled };
    const hang = rules({ from: 4, to: 49, hangsMs: 3000 });
    const results = await call("rules", upTo(50), { ...hang, ...options });
    clearTimeout(keepAlive);
    assert.equal(results.length, 50);
    assert.deepEqual(shown(results.slice(0, 4)), [0, 1, 2, 3]);
    for (const result of results.slice(4))
      assert.equal((result as PromiseRejectedResult).reason.message, "enough");
    // Each was heard of, also those that were not done.
    heard.sort((a, b) => a.index - b.index);
    assert.deepEqual(
      heard.map(({ outcome }) => outcome),
      results,
    );
    assert.ok(heard.slice(4).every(({ startMs }) => Number.isNaN(startMs)));
    const never = AbortSignal.abort(new Error("never"));
    const before = await call("rules", upTo(50), { ...hang, signal: never });
    assert.equal(before.length, 50);
    assert.ok(before.every((one) => one.status === "rejected" && one.reason.message === "never"));
  });

  test(`${name}: tells of each item once as it settles, and so can stop at the first error`, async () => {
    const context = rules(
      { from: 100, to: 102, hangsMs: 3000 },
      ...[3, 8, 13, 18, 23, 28, 33, 38].map((from) => ({ from, throws: `no ${from}` })),
    );
    const heard: Report[] = [];
    const all = await call("rules", upTo(40), {
      ...context,
      onSettled: (report: Report) => heard.push(report),
    });
    heard.sort((a, b) => a.index - b.index);
    assert.deepEqual(
      heard.map(({ outcome }) => outcome),
      all,
    );
    assert.ok(heard.every(({ startMs, endMs }) => startMs <= endMs));

    const stop = new AbortController();
    const onSettled = ({ outcome }: Report) =>
      outcome.status === "rejected" && stop.abort(outcome.reason);
    const keepAlive = setTimeout(() => {}, 20_000);
    const options = { ...context, workers: 1, signal: stop.signal, onSettled };
    const some = await call("rules", [0, 1, 2, 3, 100, 101, 102], options);
    clearTimeout(keepAlive);
    const seen = some.map((one) => (one.status === "fulfilled" ? one.value : one.reason.message));
    assert.deepEqual(seen, [0, 1, 2, "no 3", "no 3", "no 3", "no 3"]);
  });

  for (const [how, fail] of [
    [
      "throws",
      (error: Error) => {
        throw error;
      },
    ],
    ["rejects with", (error: Error) => sleep(5).then(() => Promise.reject(error))],
  ] as const)
    test(`${name}: what onSettled ${how} ends the loop, and is thrown by the call`, async () => {
      const { signal } = new AbortController();
      let heard = 0;
      const onSettled = () => ++heard === 3 && fail(new RangeError("three are enough"));
      const loop = call("rules", upTo(50), {
        ...rules({ from: 0, to: 49, waitsMs: 20 }),
        ...{ signal, onSettled },
      });
      await assert.rejects(loop, { name: "RangeError", message: "three are enough" });
      assert.deepEqual(getEventListeners(signal, "abort"), []);
      await sleep(200);
      assert.ok(heard <= 4, "three, and one that was in flight");
    });

  test(`${name}: hears its signal no longer than it runs`, async () => {
    const { signal } = new AbortController();
    await call("same", [1, 2, 3], { signal });
    assert.deepEqual(getEventListeners(signal, "abort"), []);
  });
}

/** The record's promises that hold whatever happened. */
export function checkRecord(record: RunRecord, requests: number) {
  assert.equal(record.requests, requests);
  assert.equal(record.ok + record.failed, requests);
  assert.equal(
    sum(record.statuses) + sum(record.errors),
    record.work === "post" ? requests : record.failed,
  );
  assert.ok(record.ms > 0 && record.cpuMs > 0 && record.peakRssBytes > 1e7);
  if (record.startupMs === undefined) return;
  assert.ok(record.startupMs >= 0 && record.startupMs <= record.ms, `start-up ${record.startupMs}`);
  const { p50Ms, p95Ms, p99Ms } = record; // of what was ok
  const order = [p50Ms, p95Ms, p99Ms, record.ok > 0 ? record.ms : undefined];
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a! - b!),
    "percentiles",
  );
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Declares the tests of a technique that has workers to start, and to send things to. */
export function testWorkers(script: string, exported: string, before: unknown[] = [], more = {}) {
  const call = callOf(exported, before, more);
  const isEntry = exported === "intoMergedDict"; // its bodies return entries
  const told = (...rules: Rule[]) => ({ context: { rules, isEntry } });
  const unwrap = (result: PromiseSettledResult<unknown>) => {
    const { value } = result as PromiseFulfilledResult<unknown>;
    return isEntry ? (value as [[unknown, unknown]])[0][1] : value;
  };
  const withKind = Object.values(more).map((kind) => `, with ${kind}`);
  const name = script.replace(".ts", "");

  test(`${name}: a context that cannot be cloned settles every item with that reason${withKind}`, async () => {
    let started = 0;
    const options = { context: { work: () => {} }, onWorker: () => started++ };
    const results = await call("rules", [1, 2, 3], options);
    assert.equal(results.length, 3);
    for (const result of results)
      assert.match(String((result as PromiseRejectedResult).reason), /could not be cloned/);
    assert.equal(started, 0);
  });

  test(`${name}: an item that cannot be cloned fails alone${withKind}`, async () => {
    const items: unknown[] = upTo(1000);
    items[700] = () => {};
    const results = await call("rules", items, told());
    for (const [index, result] of results.entries()) {
      assert.equal(result.status, index === 700 ? "rejected" : "fulfilled", `item ${index}`);
      if (index === 700)
        assert.match(String((result as PromiseRejectedResult).reason), /could not be cloned/);
    }
  });

  test(`${name}: has in flight in each worker what it may, and never more${withKind}`, async () => {
    const rule: Rule = { from: 0, to: 299, waitsMs: 2, returns: "how many are in flight" };
    const results = await call("rules", upTo(300), { ...told(rule), concurrency: 3 });
    assert.deepEqual([...new Set(results.map(unwrap))].sort(), [1, 2, 3]);
  });

  test(`${name}: tells of items that were lost with their worker, too${withKind}`, async () => {
    const heard: number[] = [];
    const onSettled = ({ index, startMs }: Report) => heard.push(startMs > 0 ? index : -index);
    await call("rules", upTo(5), { ...told({ from: 2, exits: 0 }), onSettled });
    assert.deepEqual(
      heard.sort((a, b) => a - b),
      [-2, 0, 1, 3, 4],
    );
  });

  test(`${name}: no workers are an error${withKind}`, async () => {
    for (const none of [
      { workers: 0 },
      { workers: 2, concurrency: 0 },
      { workers: 1.5 },
      { workers: -1, concurrency: -1 },
    ])
      await assert.rejects(call("rules", [1, 2, 3], none), RangeError);
  });
}
