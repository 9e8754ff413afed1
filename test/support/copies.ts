// The techniques as a reader takes them: each file alone, part 3 dropped, another loop body put in.

import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Each technique: its function, and how it is called. */
export const TECHNIQUES = {
  sequential: { call: "inSequence(items, options)", exports: "inSequence" },
  async: { call: "concurrently(items, options)", exports: "concurrently" },
  threads: { call: "inThreads(items, options)", exports: "inThreads" },
  processes: { call: "inProcesses(items, options)", exports: "inProcesses" },
  "shared-dict": {
    call: 'intoSharedDict(new Map(), items, { ...options, with: "processes" })',
    exports: "intoSharedDict",
  },
  "shared-memory": {
    call: "intoSharedMemory(dictMemory(100), items, options)",
    exports: "dictMemory, intoSharedMemory",
  },
  "merge-dict": {
    call: '(await intoMergedDict(new Map(), items, { ...options, with: "threads" })).outcomes',
    exports: "intoMergedDict",
  },
} as const;

/** A reader's own part 1: one that reads files, one that computes, one that throws. */
const PARTS: Record<string, string> = {
  reads: `import { readFile } from "node:fs/promises";
    type Item = number; type Result = number; type Task = { file: string };
    async function prepare(_task: Task): Promise<void> {}
    async function body(item: Item, task: Task): Promise<Result> {
      return (await readFile(task.file, "utf8")).length + item;
    }`,
  burns: `type Item = number; type Result = number; type Task = { file: string };
    async function prepare(_task: Task): Promise<void> {}
    async function body(item: Item, _task: Task): Promise<Result> {
      let sum = 0;
      for (let number = 0; number < 100_000; number++) sum += number % (item + 2);
      return sum;
    }`,
  throws: `type Item = number; type Result = number; type Task = { file: string };
    async function prepare(_task: Task): Promise<void> {}
    async function body(item: Item, _task: Task): Promise<Result> {
      if (item % 3 === 0) throw new RangeError("no " + item);
      return item;
    }`,
};

const MAIN = `
const items = Array.from({ length: 20 }, (_, index) => index);
const file = new URL(import.meta.url).pathname;
const options = { workers: 3, task: { file: decodeURI(file) } };
const [a, b, c] = [await reads(), await burns(), await throws()];
const length = (a[0] as PromiseFulfilledResult<number>).value;
const sum = (item: number) => { let s = 0; for (let n = 0; n < 100_000; n++) s += n % (item + 2); return s; };
for (const item of items) {
  const [x, y, z] = [a[item]!, b[item]!, c[item]!];
  if (x.status !== "fulfilled" || x.value !== length + item) throw new Error("reads " + item + JSON.stringify(x));
  if (y.status !== "fulfilled" || y.value !== sum(item)) throw new Error("burns " + item);
  if (item % 3 === 0) {
    if (z.status !== "rejected" || z.reason.name !== "RangeError" || z.reason.message !== "no " + item)
      throw new Error("throws " + item);
  } else if (z.status !== "fulfilled" || z.value !== item) throw new Error("throws not " + item);
}
console.log("all is well");
`;

/** Makes a project out of copies; `NAME-main.ts` runs a technique with all three bodies. */
export function makeCopies(folder: string): void {
  mkdirSync(join(folder, "src"), { recursive: true });
  cpSync(join(root, "lib/workers"), join(folder, "lib/workers"), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const { compilerOptions } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: { ...compilerOptions, noUnusedLocals: false }, // sequential prepares nothing
      include: ["src"],
    }),
  );

  for (const [name, { call, exports }] of Object.entries(TECHNIQUES)) {
    const script = readFileSync(join(root, "scripts", `${name}.ts`), "utf8");
    const [before, after] = script.split(
      /\/\/ 1\. The loop body[\s\S]*?(?=\/\/ 2\. The technique)/,
    );
    const imports = before!.slice(0, before!.indexOf("// For this suite's own"));
    const technique = after!.slice(0, after!.indexOf("// 3. Run as a script"));
    // Nothing from lib/ that the header does not say is needed.
    for (const [, needed] of (imports + technique).matchAll(/"\.\.\/lib\/(.*?)"/g))
      if (!imports.includes("the folder ../lib/workers") || !needed!.startsWith("workers/"))
        throw new Error(`${name}.ts does not say that a copy needs lib/${needed}`);
    const runs: string[] = [];
    for (const [kind, part] of Object.entries(PARTS)) {
      writeFileSync(join(folder, "src", `${name}-${kind}.ts`), `${imports}\n${part}\n${technique}`);
      runs.push(`async function ${kind}() {
        const { ${exports} } = await import("./${name}-${kind}.ts");
        return ${call};
      }`);
    }
    writeFileSync(
      join(folder, "src", `${name}-main.ts`),
      `${runs.join("\n")}\n${MAIN}export {};\n`,
    );
  }
}
