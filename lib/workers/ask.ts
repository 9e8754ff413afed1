// Questions to the parent and their answers, over the messages of a pool: both sides of it.

import type { PoolWorker } from "./pool.ts";
import type { Port } from "./pool-worker.ts";
import { type PlainError, plainError, toError } from "./report.ts";

/** One question as it travels: its number, its name, its arguments. */
export type Question = [id: number, name: string, ...args: unknown[]];
/** What it is answered: a value, or an error. */
export type Answer = [id: number, value: unknown, error?: PlainError];

const MOST = 500; // questions in one message

/**
 * The worker's side. Questions that are not awaited one by one travel together, one message for all
 * that are asked before the next `await` (or for 500 of them), and arrive in order.
 */
export function asking(port: Port) {
  const waiting = new Map<
    number,
    { resolve: (value: never) => void; reject: (reason: unknown) => void }
  >();
  let batch: Question[] = [];
  let nextId = 0;

  function flush() {
    if (batch.length > 0) void port.send(batch);
    batch = [];
  }

  port.onMessage((answers) => {
    for (const one of answers as Answer[]) {
      const { 0: id, 1: value, 2: error } = one; // faster than [id, value, error], which runs an iterator
      const { resolve, reject } = waiting.get(id)!;
      waiting.delete(id);
      if (error) reject(toError(error));
      else resolve(value as never);
    }
  });

  return function ask<Value>(name: string, ...args: unknown[]): Promise<Value> {
    return new Promise((resolve, reject) => {
      // What cannot be cloned fails here, not together with the others of its message.
      if (!args.every(isPrimitive)) port.check(args);
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      const count = batch.push([id, name, ...args]);
      if (count === 1) queueMicrotask(flush);
      if (count === MOST) flush(); // while the parent answers these, more are asked
    });
  };
}

/** Stands for an answer that is given later, by {@link sendAnswers}. */
export const LATER = Symbol("later");

/** The parent's side: answers all questions of one message with what `apply` returns or throws. */
export function answer(
  worker: PoolWorker,
  questions: Question[],
  apply: (question: Question) => unknown,
): void {
  const answers: Answer[] = [];
  for (const question of questions) {
    try {
      const value = apply(question);
      if (value !== LATER) answers.push([question[0], value]);
    } catch (error) {
      answers.push([question[0], undefined, plainError(error)]);
    }
  }
  if (answers.length > 0) sendAnswers(worker, answers);
}

/** Sends answers to a worker. */
export function sendAnswers(worker: PoolWorker, answers: Answer[]): void {
  try {
    worker.send(answers);
  } catch (error) {
    // The parent had a value that cannot be cloned: of several, only its own answer fails.
    if (answers.length > 1) for (const one of answers) sendAnswers(worker, [one]);
    else worker.send([[answers[0]![0], undefined, plainError(error)]]);
  }
}

function isPrimitive(value: unknown): boolean {
  return typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol";
}
