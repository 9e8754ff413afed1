// Keeps the pages true: their excerpts come from the files, their outputs from their commands.
//
// Run: npm run readme              fills in the excerpts of all pages
//      npm run readme -- outputs   runs every command and fills in what it printed, too (minutes);
//                                  with a pattern, only those commands that match it

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { copyProject, fillExcerpts, fillOutputs, PAGES, readPage } from "./support/readme.ts";

const root = new URL("../", import.meta.url);
const [what, only = ""] = process.argv.slice(2);
if (what !== undefined && what !== "outputs")
  throw new Error(`Expected "outputs", found "${what}"`);

/** A copy of the project, where the commands may leave files. */
const temporary = mkdtempSync(join(tmpdir(), "readme-"));
const project = join(temporary, "parallel-for");
copyProject(project);
symlinkSync(fileURLToPath(new URL("node_modules", root)), join(project, "node_modules"));
process.on("exit", () => rmSync(temporary, { recursive: true }));

/** Command -> what it printed for an earlier page: another part of the same may stand on a later one. */
const printed = new Map<string, string>();

for (const page of PAGES) {
  const here = new Map<string, string>();
  const text = fillExcerpts(readPage(page));
  const run = (command: string, status: number) => {
    const output = printed.get(command) ?? runNow(command, status);
    here.set(command, output);
    return output;
  };
  const filled = what ? await fillOutputs(text, new RegExp(only), run, startInBackground) : text;
  writeFileSync(new URL(page, root), filled);
  for (const [command, output] of here) printed.set(command, output);
}

/** What a command prints; one that ends with another status than expected ends all of this. */
function runNow(command: string, expected: number): string {
  const begunMs = performance.now();
  const { status, stdout, stderr } = spawnSync(command, {
    ...{ shell: true, cwd: project, encoding: "utf8" },
    env: { ...process.env, COLUMNS: "80", NO_COLOR: "1" },
  });
  console.log(
    `${((performance.now() - begunMs) / 1000).toFixed(1)} s, status ${status}: ${command}`,
  );
  if (status !== expected) throw new Error(`${command}: status ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Starts a command that runs until it is stopped. */
async function startInBackground(command: string) {
  const child: ChildProcess = spawn(command, { shell: true, cwd: project, detached: true });
  const ended = once(child, "close");
  await sleep(3000);
  return () => {
    process.kill(-child.pid!, "SIGKILL");
    return ended; // or the next one would find its port taken
  };
}
