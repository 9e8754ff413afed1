// What a worker reports of an iteration, and how an error crosses from one thread or process to another.

import { inspect } from "node:util";

/** One iteration: its index, its start and end in milliseconds since 1970 (a clock that threads and processes share), what came of it. */
export interface Report<Result = unknown> {
  index: number;
  startMs: number;
  endMs: number;
  outcome: PromiseSettledResult<Result>;
}

/** Runs one iteration, and never throws: what it throws is in the report, as a plain object. */
export async function runIteration<Result>(
  index: number,
  iteration: () => Promise<Result>,
): Promise<Report<Result>> {
  const startMs = performance.timeOrigin + performance.now();
  const [outcome] = await Promise.allSettled([iteration()]);
  if (outcome.status === "rejected") outcome.reason = plainError(outcome.reason);
  return { index, startMs, endMs: performance.timeOrigin + performance.now(), outcome };
}

/** An error as an object that can be cloned, with the name and the code, which a clone would lose. */
export interface PlainError {
  name: string;
  message: string;
  stack?: string | undefined;
  code?: string | number;
}

/** Makes an error plain; of something else that was thrown, what a console would show is the message. */
export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: "Error", message: inspect(error) };
  const { name, message, stack, code } = error as Error & { code?: unknown };
  const isPlain = typeof code === "string" || typeof code === "number";
  return { name, message, stack, ...(isPlain && { code }) };
}

/** The error that {@link plainError} made plain. */
export function toError({ message, ...others }: PlainError): Error {
  return Object.assign(new Error(message), others);
}
