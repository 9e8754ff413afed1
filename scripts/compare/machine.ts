// Where a comparison was run: the machine, its runtime and what that runs.

import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";

/** This machine; its runtime is, for example, "Node 20.20.2". */
export function thisMachine() {
  const { deno, bun, node } = process.versions;
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()} ${process.arch}`,
    runtime: deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}`,
  };
}

/** The runtime's and the packages' versions, by name. */
export function versions(): Record<string, string> {
  const { node, v8, deno, bun } = process.versions;
  const packageJson = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { dependencies } = JSON.parse(packageJson) as { dependencies: Record<string, string> };
  return { node, v8, ...(deno && { deno }), ...(bun && { bun }), ...dependencies };
}
