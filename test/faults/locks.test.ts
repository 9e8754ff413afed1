// The locks of shared-dict.ts, by workers that take them, wait for them and die.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job } from "../bodies/dict-steps.ts";
import { answersOf, type Dict, messageOf, onDict } from "../support/dictionary.ts";

for (const kind of ["processes", "threads"] as const) {
  test(`locks: one owner at a time, in the order of asking, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const count = 6; // three in each worker, all at once
    const jobs = Array.from(
      { length: count },
      (_, index): Job => ({ steps: [["in turn", "k", index, count]] }),
    );
    const results = await onDict(dict, jobs, kind, 2, { concurrency: count / 2 });
    for (const result of results) assert.deepEqual(answersOf(result), [1]);
    assert.deepEqual(dict.get("order"), [0, 1, 2, 3, 4, 5]);
  });

  test(`locks: one key's lock keeps nobody from another's, or from the dictionary, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const jobs: Job[] = [
      { steps: [["in turn", "a", 0, 3]] }, // holds it until the others below have asked for theirs
      {
        steps: [
          ["await", "asked 0"],
          ["locked", "b"],
          ["locked", "1"],
          ["locked", 1],
          ["locked without a key", "c"],
          ["set", "asked 2", true],
        ],
      },
    ];
    const results = await onDict(dict, jobs, kind);
    for (const result of results) answersOf(result);
    assert.deepEqual(
      ["b", "1", 1, "c"].map((key) => dict.get(key)),
      [1, 1, 1, 1],
    );
  });

  test(`locks: the lock without a key is one for all, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const jobs = Array.from(
      { length: 20 },
      (): Job => ({ steps: [["locked without a key", "k"]], times: 25 }),
    );
    await onDict(dict, jobs, kind, 4);
    assert.equal(dict.get("k"), 500);
  });

  test(`locks: what throws under the lock rejects, and leaves it to the others, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const jobs: Job[] = [{ steps: [["locked and thrown", "k"]] }];
    for (let count = 0; count < 10; count++) jobs.push({ steps: [["locked", "k"]] });
    const results = await onDict(dict, jobs, kind);
    assert.equal(messageOf(results[0]), "thrown");
    assert.equal(dict.get("k"), 10);
  });

  test(`locks: only who holds one can release it, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const jobs: Job[] = [
      { steps: [["in turn", "k", 0, 2]] }, // holds it until "asked 1"
      {
        steps: [
          ["await", "asked 0"],
          ["release of another's", "k"],
        ],
      },
      { steps: [["release of another's", "free"]] },
      { steps: [["in turn", "k", 1, 2]] },
    ];
    const results = await onDict(dict, jobs, kind);
    for (const result of results.slice(1, 3))
      assert.equal(messageOf(result), "Cannot release a lock that is not held");
    for (const index of [0, 3]) assert.deepEqual(answersOf(results[index]), [1]);
    assert.deepEqual(dict.get("order"), [0, 1]);
  });

  test(`locks: a worker that dies while it holds one leaves it to the others, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const jobs: Job[] = [{ steps: [["die holding", "k", 3]] }];
    for (let count = 0; count < 30; count++)
      jobs.push({
        steps: [
          ["await", "held"],
          ["increment", "waiting"],
          ["locked", "k"],
        ],
      });
    const results = await onDict(dict, jobs, kind, 4);
    assert.equal(results[0]!.status, "rejected");
    const how = kind === "threads" ? /exit code 1 \(on item 0\)/ : /SIGKILL \(on item 0\)/;
    assert.match(messageOf(results[0]), how);
    for (const result of results.slice(1)) answersOf(result);
    assert.equal(dict.get("k"), 30);
  });

  test(`locks: a worker that dies while it waits for one is not granted it, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const jobs: Job[] = [
      { steps: [["locked until", "k", "dead"]] },
      {
        steps: [
          ["await", "held"],
          ["die asking", "k"],
        ],
      },
      { steps: [["locked", "k"]] },
    ];
    const onSettled = ({ index }: { index: number }) => index === 1 && dict.set("dead", true);
    const results = await onDict(dict, jobs, kind, 2, { onSettled });
    assert.match(messageOf(results[1]), /died: .* \(on item 1\)/);
    for (const index of [0, 2]) answersOf(results[index]);
    assert.equal(dict.get("k"), 1);
  });

  test(`locks: a worker that asks for one and is gone at once does not keep it, with ${kind}`, async () => {
    const dict: Dict = new Map();
    const jobs = Array.from(
      { length: 12 },
      (_, index): Job => ({ steps: [[index % 3 === 1 ? "die asking" : "locked", "k"]] }),
    );
    // The parent is busy: what a worker has said and that it is dead come to it in one.
    const busy = () => {
      const endMs = performance.now() + 30;
      while (performance.now() < endMs);
    };
    const results = await onDict(dict, jobs, kind, 2, { onSettled: busy });
    for (const [index, result] of results.entries())
      if (index % 3 === 1) assert.match(messageOf(result), /died: .* \(on item \d+\)/);
      else answersOf(result);
    assert.equal(dict.get("k"), 8);
  });
}
