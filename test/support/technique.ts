// What every technique must keep, told by its script's command line and by the API's own counts.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { countPrimes } from "../../lib/primes.ts";
import type { RunRecord } from "../../lib/record.ts";
import type { Report } from "../../lib/workers/report.ts";
import { run, start, startApiScript, until } from "./process.ts";
import { bodyOf, variant, variantScript } from "./variant.ts";

type Api = Awaited<ReturnType<typeof startApiScript>>;

/** Declares the tests of one technique. `exported` is its function's name. */
export function testTechnique(name: string, exported: string) {
  const script = `scripts/${name}.ts`;
  const alone = name === "sequential";
  let api: Api;
  before(async () => {
    api = await startApiScript(["--latency", "1"]);
  });
  after(() => api.stop());

  for (const [requests, workers, inFlight] of [
    [1, 8, 1],
    [7, 16, 2],
    [500, 8, 2],
  ] as const) {
    test(`${name}: ${requests} requests on ${workers} workers x ${inFlight}: each once, never too many in flight`, async () => {
      await fetch(new URL("/stats", api.url), { method: "DELETE" });
      const flags = [
        "-n",
        `${requests}`,
        "-w",
        `${workers}`,
        "-c",
        `${inFlight}`,
        "--url",
        api.url,
      ];
      const { code, records } = await run(script, [...flags, "--json"]);
      const stats = await api.stats();
      assert.equal(code, 0);
      assert.equal(records.length, 1);
      checkRecord(records[0]!, requests);
      assert.deepEqual(records[0]!.statuses, { 201: requests });
      assert.equal(stats.requests, requests);
      assert.ok(
        stats.inFlightPeak <= (alone ? 1 : workers * inFlight),
        `peak ${stats.inFlightPeak}`,
      );
    });
  }

  test(`${name}: reaches as many requests in flight as it may`, async () => {
    const slow = await startApiScript(["--latency", "60000"]);
    const flags = ["-n", "18", "-w", "3", "-c", "2", "--url", slow.url];
    const { child, ended } = start(script, flags);
    const most = alone ? 1 : 6;
    await until(async () => (await slow.stats()).inFlight === most);
    await sleep(200);
    const { inFlightPeak } = await slow.stats();
    child.kill("SIGINT");
    await ended;
    await slow.stop();
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
    const module = await import(`../../${script}`);
    const { workerEntry } = await import("../../lib/worker-entry.ts");
    const entry = await workerEntry(new URL(`../../${script}`, import.meta.url).href);
    const items = [0, 1, 2, 3, 4, 5];
    const task = { work: "cpu", url: "", connections: 1, timeoutMs: 1000, retries: 0 };
    const results = await module[exported](items, { workers: 2, task, ...entry });
    const expected = items.map((item) => ({
      status: "fulfilled",
      value: countPrimes(1_000_000 + item, 40_000),
    }));
    assert.deepEqual(results, expected);
  });

  test(`${name}: an API that fails and drops connections loses no iteration`, async () => {
    const bad = await startApiScript([
      "--latency",
      "1",
      "--error-rate",
      "0.1",
      "--reset-rate",
      "0.05",
    ]);
    const { code, records } = await run(script, [
      "-n",
      "200",
      "-w",
      "8",
      "--url",
      bad.url,
      "--json",
    ]);
    const stats = await bad.stats();
    await bad.stop();
    const [record] = records;
    checkRecord(record!, 200);
    assert.equal(code, 1);
    assert.equal(record!.statuses[503], stats.statuses[503]);
    assert.equal(record!.statuses[201], stats.statuses[201]);
    assert.equal(sum(record!.errors), stats.statuses.reset);
    assert.equal(stats.requests, 200);
  });

  test(`${name}: an error keeps its name, message, code and stack; the others go on`, async () => {
    const work = await variant(
      `${name}.ts`,
      exported,
      `if (item === 2) throw Object.assign(new RangeError("no " + item), { code: "E_TWO", name: "TwoError" });
       if (item === 3) throw "a string";
       return item;`,
    );
    const results = await work([0, 1, 2, 3, 4], { workers: 2 });
    assert.deepEqual(
      results.map((one) => one.status),
      ["fulfilled", "fulfilled", "rejected", "rejected", "fulfilled"],
    );
    const { reason } = results[2] as PromiseRejectedResult;
    assert.ok(reason instanceof Error);
    assert.deepEqual([reason.name, reason.message], ["TwoError", "no 2"]);
    assert.equal((reason as NodeJS.ErrnoException).code, "E_TWO");
    assert.match(reason.stack ?? "", /body/);
    assert.match(String((results[3] as PromiseRejectedResult).reason), /a string/);
  });

  test(`${name}: aborted, it settles every item, keeps what was done and waits for nothing`, async () => {
    const work = await variant(
      `${name}.ts`,
      exported,
      `if (item > 3) await new Promise(() => setTimeout(() => {}, 3000)); return item;`,
    );
    const controller = new AbortController();
    let settled = 0;
    const onSettled = () => ++settled === 4 && controller.abort(new Error("enough"));
    const items = Array.from({ length: 50 }, (_, index) => index);
    const keepAlive = setTimeout(() => {}, 20_000);
    const results = await work(items, { workers: 2, signal: controller.signal, onSettled });
    clearTimeout(keepAlive);
    assert.equal(results.length, 50);
    assert.deepEqual(
      results.slice(0, 4).map((one) => one.status),
      Array(4).fill("fulfilled"),
    );
    for (const result of results.slice(4))
      assert.equal((result as PromiseRejectedResult).reason.message, "enough");
    const before = await work(items, { workers: 2, signal: AbortSignal.abort(new Error("never")) });
    assert.ok(before.every((one) => one.status === "rejected" && one.reason.message === "never"));
  });

  test(`${name}: tells of each item once as it settles, with its outcome, and so can stop at the first error`, async () => {
    const work = await variant(
      `${name}.ts`,
      exported,
      `if (item >= 100) await new Promise(() => setTimeout(() => {}, 3000));
      if (item % 5 === 3) throw new RangeError("no " + item); return item;`,
    );
    const items = Array.from({ length: 40 }, (_, index) => index);
    const heard: Report[] = [];
    const all = await work(items, {
      workers: 2,
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
    const some = await work([0, 1, 2, 3, 100, 101, 102], {
      workers: 1,
      signal: stop.signal,
      onSettled,
    });
    clearTimeout(keepAlive);
    const seen = some.map((one) => (one.status === "fulfilled" ? one.value : one.reason.message));
    assert.deepEqual(seen, [0, 1, 2, "no 3", "no 3", "no 3", "no 3"]);
  });

  test(`${name}: what onSettled throws ends the loop, and is thrown by the call`, async () => {
    const work = await variant(
      `${name}.ts`,
      exported,
      `await new Promise((resolve) => setTimeout(resolve, 20)); return item;`,
    );
    const { signal } = new AbortController();
    let heard = 0;
    const onSettled = () => {
      if (++heard === 3) throw new RangeError("three are enough");
    };
    const items = Array.from({ length: 50 }, (_, index) => index);
    const loop = work(items, { workers: 2, signal, onSettled });
    await assert.rejects(loop, { name: "RangeError", message: "three are enough" });
    assert.deepEqual(getEventListeners(signal, "abort"), []);
    await sleep(200);
    assert.ok(heard <= 4, "three, and one that was in flight");
  });

  test(`${name}: hears its signal no longer than it runs`, async () => {
    const work = await variant(`${name}.ts`, exported, "return item;");
    const { signal } = new AbortController();
    await work([1, 2, 3], { workers: 2, signal });
    assert.deepEqual(getEventListeners(signal, "abort"), []);
  });

  test(`${name}: has the loop body that all scripts have`, () => {
    assert.equal(bodyOf(`${name}.ts`), bodyOf("sequential.ts"));
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
  assert.ok(
    record.p50Ms! <= record.p95Ms! && record.p95Ms! <= record.p99Ms! && record.p99Ms! <= record.ms,
  );
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Declares the tests of a technique that has workers to start, and to send things to. */
export function testWorkers(script: string, exported: string, before: unknown[] = [], more = {}) {
  test(`${script}: a task that cannot be cloned settles every item with that reason`, async () => {
    const work = await variant(script, exported, "return item;");
    const options = { workers: 2, ...more, task: { work: () => {} } };
    const results = outcomesOf(await work(...before, [1, 2, 3], options));
    assert.equal(results.length, 3);
    for (const result of results)
      assert.match(String((result as PromiseRejectedResult).reason), /could not be cloned/);
  });

  test(`${script}: an item that cannot be cloned fails alone${script === "threads.ts" ? ", or here, where all are cloned at once, fails all" : ""}`, async () => {
    const work = await variant(script, exported, "return item;");
    const items: unknown[] = Array.from({ length: 1000 }, (_, index) => index);
    items[700] = () => {};
    const results = outcomesOf(await work(...before, items, { workers: 2, ...more }));
    for (const [index, result] of results.entries()) {
      const lost = index === 700 || script === "threads.ts";
      assert.equal(result.status, lost ? "rejected" : "fulfilled", `item ${index}`);
      if (lost)
        assert.match(String((result as PromiseRejectedResult).reason), /could not be cloned/);
    }
  });

  test(`${script}: has in flight in each worker what it may, and never more`, async () => {
    const work = await variant(
      script,
      exported,
      `const here = globalThis as { inFlight?: number };
       here.inFlight = (here.inFlight ?? 0) + 1;
       const now = here.inFlight;
       await new Promise((resolve) => setTimeout(resolve, 2));
       here.inFlight--;
       return now;`,
    );
    const items = Array.from({ length: 300 }, (_, index) => index);
    const results = outcomesOf(await work(...before, items, { workers: 2, inFlight: 3, ...more }));
    const seen = results.map((one) => (one as PromiseFulfilledResult<number>).value);
    assert.deepEqual([...new Set(seen)].sort(), [1, 2, 3]);
  });

  test(`${script}: tells of items that were lost with their worker, too`, async () => {
    const work = await variant(script, exported, "if (item === 2) process.exit(); return item;");
    const heard: number[] = [];
    const onSettled = ({ index, startMs }: Report) => heard.push(startMs > 0 ? index : -index);
    await work(...before, [0, 1, 2, 3, 4], { workers: 2, ...more, onSettled });
    assert.deepEqual(
      heard.sort((a, b) => a - b),
      [-2, 0, 1, 3, 4],
    );
  });

  test(`${script}: no workers are an error`, async () => {
    const work = await variant(script, exported, "return item;");
    for (const none of [
      { workers: 0 },
      { workers: 2, inFlight: 0 },
      { workers: 1.5 },
      { workers: -1, inFlight: -1 },
    ])
      await assert.rejects(work(...before, [1, 2, 3], { ...more, ...none }), RangeError);
  });

  test(`${script}: a call in the copied file itself is not made again by each worker`, async () => {
    const first = before.map(() => "new Map(), ").join("");
    const call = `
      process.env.DEPTH = String(Number(process.env.DEPTH ?? 0) + 1);
      if (process.env.DEPTH === "4") process.exit(9); // or there would be ever more processes
      const task = { work: "none", url: "", connections: 1, timeoutMs: 1, retries: 0 } as const;
      const given = ${JSON.stringify({ workers: 2, ...more })} as const;
      console.log("called", await ${exported}(${first}[1, 2, 3, 4], { ...given, task }));`;
    const file = variantScript(script, "return item;", (text) =>
      text.replace(/\/\/ 3\. Run as a script[\s\S]*/, call),
    );
    const { code, stdout, stderr } = await run(file);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.split("called").length, 2, stdout);
    assert.equal(stdout.split("fulfilled").length, 5, stdout);
  });
}

function outcomesOf(given: unknown): PromiseSettledResult<unknown>[] {
  return Array.isArray(given) ? given : (given as { outcomes: [] }).outcomes;
}
