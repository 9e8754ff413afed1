// Refuses to send more than 100 requests to a machine that is not this one, unless its user says --yes.

import { networkInterfaces } from "node:os";
import { formatCount } from "../terminal/format.ts";
import { UsageError } from "./flags.ts";

/**
 * Checks that so many requests may be sent.
 *
 * @param target Where to; undefined for the practice API.
 * @throws {UsageError} They are too many for another machine, and there is no --yes.
 */
export function checkConsent(
  target: URL | undefined,
  requests: number,
  { retries, yes }: { retries: number; yes: boolean },
): void {
  if (!target || yes || requests * (retries + 1) <= 100 || isThisMachine(target.hostname)) return;
  const again = retries > 0 ? ` (each up to ${formatCount(retries + 1)} times)` : "";
  const what = `${formatCount(requests)} requests${again} to ${target.host}`;
  throw new UsageError(`about to send ${what}: add --yes where its owner agrees`);
}

/** Whether a URL's host is an address of this machine. Other names are not looked up. */
export function isThisMachine(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  if (["localhost", "::1", ...own.map(({ address }) => address)].includes(host)) return true;
  return host.endsWith(".localhost") || /^127(\.\d+){3}$/.test(host);
}
