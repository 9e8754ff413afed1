// The runtime that this process runs on, and what it can start workers from.
//
// Node 22.18 and later, Deno and Bun start workers from a .ts file as it is. Node 20 does not, not
// even under tsx, unless each worker loads tsx: there, files are bundled to JavaScript once, by the
// esbuild that tsx brings along, which is faster.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const cacheFolder = new URL("../node_modules/.cache/parallel-for/", import.meta.url);

/** True where the runtime itself reads TypeScript. */
export const readsTypeScript = Boolean((process.features as { typescript?: unknown }).typescript);

/** The command line that runs a .ts file the way this process is run, without the file. */
export const runtimeCommand = process.versions.deno
  ? [process.execPath, "run", "-A"]
  : [process.execPath, ...(readsTypeScript ? [] : process.execArgv)];

/**
 * Makes .ts modules ready for workers on this runtime.
 *
 * @returns For each, what to import and to start workers from: a file of its own, with all that it
 *   imports.
 * @throws {Error} On Node 20: one cannot be bundled, or there is no folder to write to.
 */
export async function loadable(modules: readonly URL[]): Promise<URL[]> {
  if (readsTypeScript) {
    // Halves the start of a worker: it inherits this, and finds its modules compiled.
    process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL("compile", cacheFolder));
    return [...modules];
  }

  const esbuild = await import("esbuild");
  const files = modules.map((module) => fileURLToPath(module));
  const outdir = temporaryFolder();
  // Not buildSync: Ctrl-C is to be answered meanwhile.
  await esbuild.build({
    entryPoints: files.map((file, number) => ({ in: file, out: `${number}-${basename(file)}` })),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: [fileURLToPath(new URL("./command/script.ts", import.meta.url))], // no worker gets there
    banner: {
      js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`,
    },
    logLevel: "silent",
  });
  return files.map((file, number) =>
    pathToFileURL(join(outdir, `${number}-${basename(file)}.mjs`)),
  );
}

/** A folder of this process's own, gone when it ends. */
function temporaryFolder(): string {
  const parents = [fileURLToPath(cacheFolder), tmpdir()];
  for (const parent of parents) {
    try {
      mkdirSync(parent, { recursive: true });
      const folder = mkdtempSync(join(parent, "workers-"));
      process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
      return folder;
    } catch {} // it may be read-only: the next
  }
  throw new Error(`cannot write the workers' JavaScript to ${parents.join(" or ")}`);
}
