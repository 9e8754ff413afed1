// Keeps README.md true: its excerpts come from the files, its outputs from its commands.
//
// Run: npm run readme              fills in the excerpts
//      npm run readme -- outputs   runs every command and fills in what it printed, too (minutes);
//                                  with a pattern, only those commands that match it

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { fillExcerpts, fillOutputs } from "./support/readme.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const file = fileURLToPath(new URL("../README.md", import.meta.url));
const [what, only = ""] = process.argv.slice(2);
const text = fillExcerpts(readFileSync(file, "utf8"));
if (what !== undefined && what !== "outputs")
  throw new Error(`Expected "outputs", found "${what}"`);
const outputs = what === "outputs";
writeFileSync(
  file,
  outputs ? await fillOutputs(text, new RegExp(only), run, startInBackground) : text,
);

/** What a command printed; one that ends with another status than expected ends all of this. */
function run(command: string, expected: number): string {
  const begunMs = performance.now();
  const { status, stdout, stderr } = spawnSync(command, {
    ...{ shell: true, cwd: root, encoding: "utf8" },
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
  const child: ChildProcess = spawn(command, { shell: true, cwd: root, detached: true });
  const ended = once(child, "close");
  await sleep(3000);
  return () => {
    process.kill(-child.pid!, "SIGTERM");
    return ended; // or the next one would find its port taken
  };
}
