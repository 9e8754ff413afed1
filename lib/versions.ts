// Which versions of what are at work.

import { readFileSync } from "node:fs";

/** The runtime's and the packages' versions, by name. */
export function versions(): Record<string, string> {
  const { node, v8, deno, bun } = process.versions;
  const packageJson = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const { dependencies } = JSON.parse(packageJson) as { dependencies: Record<string, string> };
  return { node, v8, ...(deno && { deno }), ...(bun && { bun }), ...dependencies };
}
