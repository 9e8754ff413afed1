// The techniques as a reader takes them: each file alone, without its last lines, in a project of its own
// with loops of the reader's. Those are the files of test/copies/.

import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const loops = join(root, "test/copies");

/** Every technique that can be copied, by its script's name. */
export const TECHNIQUES = [
  "sequential",
  "async",
  "threads",
  "processes",
  "shared-dict",
  "shared-memory",
  "merge-dict",
  "distributed",
] as const;

/** A plain configuration, and the strictest that there is. */
const plain = {
  strict: true,
  module: "nodenext",
  target: "es2022",
  types: ["node"],
  allowImportingTsExtensions: true,
  noEmit: true,
};
export const CONFIGURATIONS = {
  "tsconfig.plain.json": plain,
  "tsconfig.strict.json": {
    ...plain,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
  },
};

/** A technique's file down to its last lines, which are all that a copier deletes. */
export function techniqueOf(name: string): string {
  const [technique, script, ...more] = readFileSync(
    join(root, "scripts", `${name}.ts`),
    "utf8",
  ).split(/^\/\/ Run as a script\.$/m);
  const isPart = name.includes("/"); // of one with a folder, which is copied whole
  if ((script === undefined && !isPart) || more.length > 0)
    throw new Error(`${name}.ts has not one line "// Run as a script."`);
  return technique!;
}

/** What a file imports. */
export function importsOf(text: string): string[] {
  return [...text.matchAll(/^(?:import|export|\}) .*?from "(.*)";$/gm)].map(([, from]) => from!);
}

/** A technique and the siblings that it imports, and they: what is to be copied. */
function withSiblings(name: string): Set<string> {
  const siblings = importsOf(techniqueOf(name))
    .filter((from) => from.startsWith("."))
    .map((from) => join(dirname(name), from.replace(/\.ts$/, "")));
  return new Set([name, ...siblings.flatMap((sibling) => [...withSiblings(sibling)])]);
}

/** Where {@link makeCopies} puts the project of a technique; main.ts in it runs both loops. */
export function projectOf(folder: string, name: string): string {
  return join(folder, `${name}, 50 % für #1`);
}

/** Makes a project for each technique, with {@link CONFIGURATIONS} to check them all. */
export function makeCopies(folder: string): void {
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules")); // for tsx and types
  for (const [file, compilerOptions] of Object.entries(CONFIGURATIONS))
    writeFileSync(join(folder, file), JSON.stringify({ compilerOptions, include: ["*/*.ts"] }));
  for (const name of TECHNIQUES) {
    const project = projectOf(folder, name);
    mkdirSync(project, { recursive: true });
    writeFileSync(join(project, "package.json"), '{ "type": "module" }');
    for (const copied of withSiblings(name)) {
      mkdirSync(dirname(join(project, copied)), { recursive: true });
      writeFileSync(join(project, `${copied}.ts`), techniqueOf(copied));
    }
    for (const file of readdirSync(loops)) {
      if (file.startsWith("run-") && file !== `run-${name}.ts`) continue; // of another technique
      if (file.startsWith("words") && name !== "shared-dict") continue;
      const text = readFileSync(join(loops, file), "utf8")
        .replaceAll('"../../scripts/', '"./')
        .replaceAll('"./run-threads.ts"', `"./run-${name}.ts"`);
      writeFileSync(join(project, file), text);
    }
  }
}
