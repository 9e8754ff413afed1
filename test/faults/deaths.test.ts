// What the death of a worker costs, what it leaves, and how onSettled hears of it.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Report } from "../../scripts/processes.ts";
import {
  ALL,
  type Handle,
  hasEnded,
  POOLS,
  type Results,
  reasonsOf,
  rules,
  shown,
  test,
  upTo,
} from "../support/call.ts";

const folder = mkdtempSync(join(tmpdir(), "deaths-"));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = () => join(folder, `${files++}`);
const [threads, processes] = POOLS;
const sorted = (numbers: number[]) => numbers.sort((a, b) => a - b);

/** Every item was begun once at most, and once where it is ok, as the lines of `file` say. */
function checkBegun(file: string, results: Results) {
  const begun = readFileSync(file, "utf8").trim().split("\n").map(Number);
  assert.equal(new Set(begun).size, begun.length, "none was begun twice");
  const ok = upTo(results.length).filter((index) => results[index]!.status === "fulfilled");
  const missing = new Set(ok);
  for (const index of begun) missing.delete(index);
  assert.deepEqual([...missing], []);
}

for (const [{ kind, call }, dies] of [
  [threads, { exits: 0 }],
  [processes, { exits: 0 }],
  [processes, { isKilled: true }],
] as const)
  test(`${kind}: no item runs twice, of 3,000 with some that wait or are ${"exits" in dies ? "its end" : "killed"}`, async () => {
    for (const concurrency of [1, 2]) {
      const file = newFile();
      const heard: number[] = [];
      const results = await call("rules", upTo(3000), {
        ...rules(
          { from: 0, to: 2999, writesTo: file },
          { every: 100, from: 99, waitsMs: 20 },
          ...[1710, 2130, 2650].map((from) => ({ from, ...dies })),
        ),
        ...{ workers: 3, concurrency },
        onSettled: ({ index }) => heard.push(index),
      });
      checkBegun(file, results);
      assert.deepEqual(sorted(heard), upTo(3000));
      const reasons = reasonsOf(results);
      assert.ok(reasons.length >= 3 && reasons.every(({ name }) => name === "WorkerDied"));
      for (const item of [1710, 2130, 2650]) assert.equal(results[item]!.status, "rejected");
      // A process that ends by itself says what it was on.
      if ("exits" in dies) assert.ok(reasons.length <= 3 * concurrency, `${reasons.length}`);
    }
  });

for (const { kind, call } of POOLS) {
  test(`${kind}: of 2 items on 1 worker, the first ends it, and another does the second`, async () => {
    let started = 0;
    const results = await call("rules", [0, 1], {
      ...rules({ from: 0, exits: 0 }),
      ...{ workers: 1, onWorker: () => void started++ },
    });
    assert.deepEqual(shown(results), ["WorkerDied", 1]);
    const [{ message }] = reasonsOf(results) as [Error];
    assert.match(message, /^(thread|process \d+) died: exit code 0 \(on item 0\)$/);
    assert.equal(started, 2);
  });

  test(`${kind}: where every item ends its worker, each fails as such`, async () => {
    const results = await call("rules", upTo(20), rules({ from: 0, to: 19, exits: 7 }));
    for (const [index, { message }] of reasonsOf(results).entries())
      assert.match(message, new RegExp(`died: exit code 7 \\(on item ${index}\\)$`));
    assert.equal(reasonsOf(results).length, 20);
  });

  test(`${kind}: of 3,000 items, those done stay done where every 200th throws in a timer`, async () => {
    const heard: Report[] = [];
    const results = await call("rules", upTo(3000), {
      ...rules({ every: 200, from: 199, throwsLater: "outside", hangsMs: 20_000 }),
      ...{ workers: 4, onSettled: (report: Report) => heard.push(report) },
    });
    const expected = upTo(3000).map((item) => (item % 200 === 199 ? "WorkerDied" : item));
    assert.deepEqual(shown(results), expected);
    heard.sort((a, b) => a.index - b.index);
    assert.deepEqual(
      heard.map(({ outcome }) => outcome),
      results,
    );
    for (const { message } of reasonsOf(results))
      assert.match(message, /^(thread|process \d+) died: outside \(on item \d*99\)$/);
  });

  test(`${kind}: a worker that dies of something that is no error costs only what it was on`, async () => {
    const names = ["a string", "a symbol", "what is not to be made a text"];
    const items = names.flatMap((name) => ["none", `${name}, later`]);
    const results = await call("throws", items, { workers: 1 });
    const expected = items.map((item) => (item === "none" ? item : "WorkerDied"));
    assert.deepEqual(shown(results), expected);
    const words = reasonsOf(results).map(({ message }) =>
      / died: (.*) \(on item \d\)$/.exec(message),
    );
    const told = ["a string", "Symbol(thrown)", "{ toString: 1, valueOf: 2 }"];
    assert.deepEqual(
      words.map((found) => found?.[1]),
      told,
    );
  });

  test(`${kind}: what throws after its item is done costs what its worker is on by then`, async () => {
    const file = newFile();
    const results = await call("rules", upTo(3000), {
      ...rules(
        { from: 0, to: 2999, writesTo: file },
        { every: 200, from: 99, throwsLater: "later" },
      ),
      ...{ workers: 4, concurrency: 2 },
    });
    checkBegun(file, results);
    const reasons = reasonsOf(results);
    assert.ok(reasons.length <= 15 * 2, `${reasons.length} of 3,000`);
    for (const { message } of reasons) assert.match(message, / died: later \(on item \d+/);
  });

  test(`${kind}: what is done is reported, though the item after it never ends`, async () => {
    for (const hanging of [1000, 1007, 1028]) {
      const stop = new AbortController();
      const giveUp = setTimeout(() => stop.abort(new Error("not reported")), 10_000);
      let heard = 0;
      const results = await call("rules", upTo(2000), {
        ...rules({ from: hanging, hangsMs: 20_000 }),
        signal: stop.signal,
        onSettled: () => ++heard === 1999 && stop.abort(new Error("the last")),
      });
      clearTimeout(giveUp);
      assert.deepEqual(
        reasonsOf(results).map(({ message }) => message),
        ["the last"],
      );
    }
  });

  test(`${kind}: 100 items of 300 ms are all in flight on 2 workers x 50`, async () => {
    const reports: Report[] = [];
    const results = await call("rules", upTo(100), {
      ...rules({ from: 0, to: 99, waitsMs: 300, returns: "how many are in flight" }),
      ...{ concurrency: 50, onSettled: (report: Report) => reports.push(report) },
    });
    const most = shown(results) as number[];
    assert.equal(Math.max(...most), 50);
    // The worker that is up first takes 50, and no more until the first of these are done.
    const beginMs = Math.min(...reports.map(({ startMs }) => startMs));
    const endMs = Math.max(...reports.map(({ endMs }) => endMs));
    assert.ok(endMs - beginMs < 1500, `${endMs - beginMs} ms`);
  });

  test(`${kind}: starts no more workers than there are items, and as few as needed`, async () => {
    for (const [items, workers] of [
      [0, 4],
      [1, 4],
      [3, 64],
      [50, 2],
    ] as const) {
      const started = new Set<Handle>();
      const onWorker = (worker: Handle) => started.add(worker);
      assert.deepEqual(shown(await call("same", upTo(items), { workers, onWorker })), upTo(items));
      assert.ok(started.size <= Math.min(items, workers), `${started.size} for ${items}`);
      assert.ok(started.size >= Math.min(items, 1));
    }
  });

  test(`${kind}: however a call ends, no worker, listener or timer outlives it`, async () => {
    const listening = () => process.eventNames().map((name) => process.listenerCount(name));
    const before = listening();
    const resources = () => process.getActiveResourcesInfo().sort();
    const others = resources();
    const { signal } = new AbortController();
    const slow = rules({ from: 0, to: 49, waitsMs: 5 });
    const stop = new AbortController();
    for (const [how, options] of [
      ["to its end", { ...slow, signal }],
      ["by an abort", { ...slow, signal: stop.signal, onSettled: () => stop.abort() }],
      ["by an abort before it began", { ...slow, signal: AbortSignal.abort() }],
      ["by onSettled", { ...slow, signal, onSettled: () => Promise.reject(new Error("enough")) }],
      ["with deaths", { ...rules({ every: 10, from: 5, exits: 0 }), signal }],
      ["with late items", { ...rules({ from: 5, hangsMs: 9000 }), signal, itemTimeoutMs: 300 }],
      ["as all compute", { ...rules({ from: 0, to: 49, computesMs: 60_000 }), itemTimeoutMs: 100 }],
    ] as const) {
      const started: Handle[] = [];
      const onWorker = (worker: Handle) => started.push(worker);
      const items = how === "as all compute" ? upTo(4) : upTo(50);
      await call("rules", items, { ...options, onWorker }).catch((error) =>
        assert.equal(error.message, "enough"),
      );
      assert.ok(started.every(hasEnded), how);
      assert.deepEqual(listening(), before, how);
      assert.deepEqual(getEventListeners(signal, "abort"), [], how);
    }
    await sleep(100);
    const kept = resources().filter((name) => {
      const at = others.indexOf(name);
      if (at >= 0) others.splice(at, 1);
      return at < 0;
    });
    assert.deepEqual(kept, []);
  });
}

for (const { kind, call } of ALL) {
  test(`${kind}: an async onSettled is waited for, and what it writes is there`, async () => {
    const file = newFile();
    let running = 0;
    let most = 0;
    const onSettled = async ({ index }: Report) => {
      most = Math.max(most, ++running);
      await sleep(5);
      appendFileSync(file, `${index}\n`);
      running--;
    };
    await call("same", upTo(100), { workers: 3, onSettled });
    const written = readFileSync(file, "utf8").trim().split("\n").map(Number);
    assert.deepEqual(sorted(written), upTo(100));
    // One after another; in async.ts, one a lane.
    assert.ok(most <= (kind === "async" ? 3 : 1), `${most} at once`);
  });

  test(`${kind}: what onSettled throws for the last item is heard, and once`, async () => {
    let heard = 0;
    const onSettled = async () => {
      await sleep(1);
      if (++heard === 20) throw new RangeError("the last");
    };
    await assert.rejects(call("same", upTo(20), { onSettled }), { message: "the last" });
    assert.equal(heard, 20);
  });
}
