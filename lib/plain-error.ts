// Errors that cross from one thread or process to another.

import { inspect } from "node:util";

/** An error as an object that can be cloned and keeps its name and code, which clones lose. */
export function plainError(error: unknown): object {
  if (!(error instanceof Error)) return { name: "Error", message: inspect(error) };
  const { name, message, stack, code } = error as NodeJS.ErrnoException;
  return { name, message, stack, ...(/string|number/.test(typeof code) && { code }) };
}

/** The error that {@link plainError} made plain. */
export function toError(plain: object): Error {
  return Object.assign(new Error(), plain);
}
