import assert from "node:assert/strict";
import { test } from "node:test";
import { locks } from "../lib/workers/locks.ts";

function asked() {
  const lock = locks<string, number>();
  const granted: string[] = [];
  const ask = (key: string, owner: number) =>
    lock.acquire(key, owner, () => granted.push(`${key} ${owner}`));
  return { ...lock, ask, granted };
}

test("locks: one owner at a time for each key, in the order of asking", () => {
  const { ask, release, granted } = asked();
  ask("a", 1);
  ask("a", 2);
  ask("b", 3);
  ask("a", 1);
  assert.deepEqual(granted, ["a 1", "b 3"]);
  release("a", 1);
  release("a", 2);
  release("a", 1);
  ask("a", 4);
  assert.deepEqual(granted, ["a 1", "b 3", "a 2", "a 1", "a 4"]);
});

test("locks: only who holds one can release it", () => {
  const { ask, release, granted } = asked();
  const message = "Cannot release a lock that is not held";
  assert.throws(() => release("a", 1), { message });
  ask("a", 1);
  ask("a", 2);
  assert.throws(() => release("a", 2), { message });
  assert.deepEqual(granted, ["a 1"]);
});

test("locks: who has ended holds none and waits for none", () => {
  const { ask, release, releaseAll, granted } = asked();
  for (const owner of [1, 2, 1, 3]) ask("a", owner);
  for (const owner of [4, 1, 5]) ask("b", owner);
  releaseAll(1);
  assert.deepEqual(granted, ["a 1", "b 4", "a 2"]);
  release("a", 2);
  release("b", 4);
  assert.deepEqual(granted.slice(3), ["a 3", "b 5"]);
});
