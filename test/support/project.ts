// An empty project with copies of techniques, as a reader has them.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

/**
 * Makes a project of its own, which is gone after the tests.
 *
 * @param files Its files, by name.
 * @param name What its folder is called.
 * @returns Its folder.
 */
export function makeProject(files: Record<string, string>, name = "project"): string {
  const parent = mkdtempSync(join(tmpdir(), "project-"));
  after(() => rmSync(parent, { recursive: true, force: true }));
  const folder = join(parent, name);
  mkdirSync(folder);
  // On Node 20, tsx must be found from there.
  const modules = new URL("../../node_modules", import.meta.url);
  symlinkSync(fileURLToPath(modules), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

/** A file of test/programs/, with "../../scripts/" put otherwise. */
export function programText(name: string, scripts: string): string {
  const text = readFileSync(new URL(`../programs/${name}`, import.meta.url), "utf8");
  return text.replaceAll("../../scripts/", scripts);
}

/** A technique's file without its last lines, which a copier deletes. */
export function techniqueText(script: string): string {
  const text = readFileSync(new URL(`../../scripts/${script}`, import.meta.url), "utf8");
  return text.slice(0, text.indexOf("// Run as a script"));
}
