// Runs two different loops from one copy of a technique, at the same time, and checks what comes of them.

import assert from "node:assert/strict";
import { runLetters, runNumbers } from "./run-threads.ts";

const words = ["to", "be", "or", "not", "!", "that", "is", "the question"];
const numbers = [1, 2, 3];
const sumOf = (item: number) => {
  let sum = 0;
  for (let number = 0; number < 100_000; number++) sum += number % (item + 2);
  return sum;
};

const [first, second] = await Promise.all([runLetters(words), runNumbers(numbers, words)]);

for (const [index, word] of words.entries()) {
  const result = first.results[index]!;
  const count = word.replace(" ", "").length;
  if (word !== "!") assert.deepEqual(result, { status: "fulfilled", value: [[word, count]] });
  else {
    assert.equal(result.status, "rejected");
    const { name, message } = (result as PromiseRejectedResult).reason;
    assert.deepEqual([name, message], ["RangeError", "no letters in !"]);
  }
}
for (const [index, item] of numbers.entries()) {
  const value = [[`of ${item} words`, sumOf(item)]];
  assert.deepEqual(second.results[index], { status: "fulfilled", value });
}
if (first.dict && second.dict) {
  const values = [...first.dict.values()].sort((a, b) => a - b);
  assert.deepEqual([...new Set(values)], [2, 3, 4, 11]);
  assert.deepEqual(
    [...second.dict.values()].sort((a, b) => a - b),
    numbers.map(sumOf).sort((a, b) => a - b),
  );
}
console.log("all is well");
