// Asks before many requests go to a machine that is not this one.

import { networkInterfaces } from "node:os";
import { createInterface } from "node:readline/promises";
import { formatCount } from "../terminal/format.ts";
import { UsageError } from "./flags.ts";

/** So many requests to another machine need no consent. */
const FREE = 100;

/**
 * Makes sure that the user agrees to send so many requests: asks on a terminal, else wants --yes.
 *
 * @param target Where to; undefined for the practice API.
 * @param retries How often each may be sent again.
 * @throws {UsageError} The user did not agree.
 */
export async function confirmRequests(
  target: URL | undefined,
  requests: number,
  retries: number,
  yes: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (!target || requests * (retries + 1) <= FREE || isThisMachine(target.hostname) || yes) return;
  const again = retries > 0 ? ` (each up to ${formatCount(retries + 1)} times)` : "";
  const what = `about to send ${formatCount(requests)} requests${again} to ${target.host}`;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(`${what}: add --yes where its owner agrees`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  terminal.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    const answer = await terminal.question(`${what}. Go on? [y/N] `, { signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError("not sent: you did not say yes");
  } catch (error) {
    if (!signal.aborted) throw error; // interrupted while asked: the run ends before it begins
  } finally {
    terminal.close();
  }
}

/** Whether a URL's host is an address of this machine. Other names are not looked up. */
export function isThisMachine(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  if (["localhost", "::1", ...own.map(({ address }) => address)].includes(host)) return true;
  return host.endsWith(".localhost") || /^127(\.\d+){3}$/.test(host);
}
