// A technique with another loop body, as a reader would write it, and ready to run.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { workerEntry } from "../../lib/worker-entry.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const BODY = /async function body\([\s\S]*?\n}\n/;

/** The loop body of a script, as it stands there. */
export function bodyOf(script: string): string {
  const text = readFileSync(join(root, "scripts", script), "utf8");
  return text.slice(text.indexOf("// 1. The loop body"), text.indexOf("// 2. The technique"));
}

/**
 * A copy of a script with `body` as its loop body: a function's inside, of `item` and `task`.
 *
 * @param edit May change more of its text.
 * @returns The copy's path, under its own name in a folder that is gone after the tests.
 */
export function variantScript(script: string, body: string, edit = (text: string) => text): string {
  const folder = mkdtempSync(join(tmpdir(), "variant-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const file = join(folder, script);
  const text = readFileSync(join(root, "scripts", script), "utf8")
    .replace(BODY, `async function body(item: any, task: Task): Promise<any> {\n${body}\n}\n`)
    .replaceAll('"../lib/', `"${root}lib/`);
  writeFileSync(file, edit(text));
  return file;
}

/** The technique of such a copy: takes items and options like the original, and starts workers from the copy. */
export async function variant(
  script: string,
  name: string,
  body: string,
  edit = (text: string) => text,
) {
  const moduleUrl = pathToFileURL(variantScript(script, body, edit)).href;
  const module = await import(moduleUrl);
  const entry = await workerEntry(moduleUrl);
  const task = { work: "none", url: "", connections: 1, timeoutMs: 1000, retries: 0 };
  return (...given: unknown[]): Promise<PromiseSettledResult<unknown>[]> => {
    const options = given.pop() as object;
    return module[name](...given, { task, ...entry, ...options });
  };
}
