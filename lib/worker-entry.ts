// What a worker thread or child process is started from.
//
// Node 22.18 and later, Deno and Bun start workers from a .ts file as it is. Node 20 does not, not
// even under tsx: there the file is bundled to JavaScript once, by the esbuild that tsx brings
// along. That is faster than a TypeScript loader in every worker, too.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The file to start workers from, and the flags of the runtime to start it with. */
export interface WorkerEntry {
  entry: URL;
  execArgv: string[];
}

const cacheFolder = new URL("../node_modules/.cache/parallel-for/", import.meta.url);

/** True where the runtime itself reads TypeScript. */
export const readsTypeScript = Boolean((process.features as { typescript?: unknown }).typescript);

/** The command line that runs a .ts file the way this process is run, without the file. */
export const runtimeCommand = process.versions.deno
  ? [process.execPath, "run", "-A"]
  : [process.execPath, ...(readsTypeScript ? [] : process.execArgv)];

/**
 * Prepares a .ts module to be started as a worker on this runtime.
 *
 * @param moduleUrl The module's `import.meta.url`.
 * @throws {Error} On Node 20: the module cannot be bundled, or there is no folder to write to.
 */
export async function workerEntry(moduleUrl: string): Promise<WorkerEntry> {
  if (readsTypeScript) {
    // Halves the start of a worker: it inherits this, and finds its modules compiled.
    process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL("compile", cacheFolder));
    // No flags: tsx's loader, which workers would inherit, is not needed and slow to start.
    return { entry: new URL(moduleUrl), execArgv: [] };
  }

  const esbuild = await import("esbuild");
  const file = fileURLToPath(moduleUrl);
  const outdir = temporaryFolder();
  esbuild.buildSync({
    entryPoints: [file],
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true, // what is imported on demand (undici, the script's own side) stays on demand
    format: "esm",
    platform: "node",
    target: "node20",
    // esbuild itself and native packages cannot be bundled, and no worker gets to them.
    external: ["esbuild"],
    banner: {
      js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`,
    },
    logLevel: "silent",
  });
  const entry = pathToFileURL(join(outdir, basename(file).replace(/\.ts$/, ".mjs")));
  return { entry, execArgv: [] };
}

/** A folder of this process's own, gone when it ends. */
function temporaryFolder(): string {
  const folder = firstWritable([fileURLToPath(cacheFolder), tmpdir()]);
  if (folders.push(folder) === 1) process.once("exit", removeFolders);
  return folder;
}

const folders: string[] = [];

function removeFolders() {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

function firstWritable(parents: string[]): string {
  let reason: unknown;
  for (const parent of parents) {
    try {
      mkdirSync(parent, { recursive: true });
      return mkdtempSync(join(parent, "workers-"));
    } catch (error) {
      reason = error;
    }
  }
  throw new Error(`cannot write the workers' JavaScript to ${parents.join(" or ")}`, {
    cause: reason,
  });
}
