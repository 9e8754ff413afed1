// Runs every script, and every technique as a copy, on each runtime that it is given.
//
// Run: npm run runtimes                              each runtime that is on the PATH
//      npm run runtimes -- /path/to/node "deno run -A"   these
//
// Each argument is a command that runs a .ts file. Out comes a Markdown table; the exit status is 1
// where something failed.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeCopies, projectOf, TECHNIQUES } from "./support/copies.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const SMOKE = ["-n", "6", "-w", "2", "--latency", "1"];
const scripts = [...TECHNIQUES, "compare"];

// For the copy of distributed.ts; as a script it starts one of its own.
const free = createServer().listen(0, "127.0.0.1");
await once(free, "listening");
const { port } = free.address() as AddressInfo;
await once(free.close(), "close");
const redis = spawn("redis-server", ["--port", `${port}`, "--save", ""], { stdio: "ignore" });
redis.unref();
process.on("exit", () => redis.kill());
redis.on("error", () => console.error("there is no redis-server, which distributed.ts needs"));
const env = { ...process.env, REDIS_URL: `redis://127.0.0.1:${port}` };

const folder = mkdtempSync(join(tmpdir(), "runtimes-"));
makeCopies(folder);
const given = process.argv.slice(2).filter((arg) => arg !== "--");
const commands = given.length > 0 ? given : onThePath();

const rows: string[][] = [];
for (const command of commands) {
  const [program, ...flags] = command.split(" ");
  const version = versionOf(program!);
  // tsx by its whole path, for the copies are elsewhere.
  const own = flags.map((flag) => (flag === "tsx" ? import.meta.resolve("tsx") : flag));
  const works = (file: string, args: string[], expected: RegExp, env?: NodeJS.ProcessEnv) => {
    const options = { encoding: "utf8", timeout: 60_000, killSignal: "SIGKILL", env } as const;
    const { status, stdout, stderr } = spawnSync(program!, [...own, file, ...args], options);
    if (status === 0 && expected.test(stdout)) return true;
    console.error(`${version}, ${file}: status ${status}\n${stdout}\n${stderr}`);
    process.exitCode = 1;
    return false;
  };
  const ran = scripts.filter((name) =>
    works(
      join(root, "scripts", `${name}.ts`),
      SMOKE,
      name === "compare" ? /threads/ : /\n ?result +6 ok, 0 failed/,
    ),
  );
  const copied = TECHNIQUES.filter((name) =>
    works(join(projectOf(folder, name), "main.ts"), [], /^all is well\n$/, env),
  );
  const how = own.some((flag) => flag.includes("tsx")) ? `${version} under tsx` : version;
  rows.push([how, result(ran, scripts), result(copied, TECHNIQUES)]);
}
rmSync(folder, { recursive: true });

console.log(`| runtime | scripts | copies |\n| --- | --- | --- |`);
for (const row of rows) console.log(`| ${row.join(" | ")} |`);

/** The runtimes that a shell here would find. */
function onThePath(): string[] {
  const all = ["node --import tsx", "node", "deno run -A", "bun"];
  const probe = ["-e", "process.exit(process.features.typescript ? 0 : 1)"];
  return all.filter((command) => {
    const args = command === "node" ? probe : ["--version"]; // an older Node needs tsx
    return spawnSync(command.split(" ")[0]!, args).status === 0;
  });
}

function result(done: readonly string[], all: readonly string[]): string {
  const missing = all.filter((name) => !done.includes(name));
  return missing.length === 0 ? `all ${all.length}` : `all but ${missing.join(", ")}`;
}

function versionOf(program: string): string {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  const line = stdout?.split("\n")[0] ?? program; // it may not be there
  return /^v\d/.test(line)
    ? `Node ${line.slice(1)}`
    : /^\d/.test(line)
      ? `Bun ${line}`
      : line.replace(/^deno (\S+).*/, "Deno $1");
}
