// The pages, their parts that are put in by a command, and the commands that stand in them.
//
// An excerpt:  <!-- from FILE: FIRST LINE ... LAST LINE -->, then a fenced block.
// An output:   a fenced block that begins with "$ COMMAND". Before it may stand
//              <!-- shown: lines 1-9, 12-30 --> for parts of the output, and
//              <!-- with: COMMAND --> for what has to run meanwhile, and
//              <!-- exit status: 1, 0 --> for its commands', 0 unless given.

import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The pages, by their paths from the root of the project. */
export const PAGES = ["README.md", "scripts/README.md", "test/README.md", "lib/README.md"] as const;

const root = new URL("../../", import.meta.url);
const EXCERPT = /<!-- from (\S+): (.+) \.\.\. (.+) -->\n```ts\n[\s\S]*?```/g;
const OUTPUT =
  /(?:<!-- with: ([\s\S]+?) -->\n)?(?:<!-- shown: lines ([\d, -]+) -->\n)?(?:<!-- exit status: ([\d, ]+) -->\n)?```\n(\$ [\s\S]*?)```/g;
const COMMAND = /^(?:[A-Z_\d]+=\S+ )?(?:npm|npx|node|deno|bun|curl|printf|seq) [^#]*/;

/** A block with commands and what they printed. */
export interface Example {
  /** The whole of it, comments included. */
  text: string;
  /** What has to run meanwhile. */
  meanwhile: string | undefined;
  /** Which lines of the output are shown, all unless given. */
  lines: string | undefined;
  /** Each command, what of its output stands there, its exit status. */
  commands: { command: string; output: string; status: number }[];
}

/** The text of a page. */
export function readPage(page: string): string {
  return readFileSync(new URL(page, root), "utf8");
}

/** Copies the project into an empty folder, without what `npm ci` puts there. */
export function copyProject(folder: string): void {
  const source = fileURLToPath(root);
  mkdirSync(folder, { recursive: true });
  cpSync(source, folder, {
    recursive: true,
    filter: (path) => !["node_modules", ".git"].includes(relative(source, path)),
  });
}

/** A page with its excerpts as they are in the files now. */
export function fillExcerpts(page: string): string {
  return page.replace(EXCERPT, (_, file: string, first: string, last: string) => {
    return `<!-- from ${file}: ${first} ... ${last} -->\n\`\`\`ts\n${excerpt(file, first, last)}\n\`\`\``;
  });
}

/** The lines of a file from one that contains `first` to one that ends with `last`, not indented. */
function excerpt(file: string, first: string, last: string): string {
  const lines = readPage(file).split("\n");
  const from = lines.findIndex((line) => line.includes(first));
  const to = lines.findIndex((line, number) => number >= from && line.trimEnd().endsWith(last));
  if (from === -1 || to === -1) throw new Error(`${file} has no "${first} ... ${last}"`);
  const taken = lines.slice(from, to + 1);
  // What is left open is closed: by the lines below, of which only those brackets are taken.
  const skipped: string[] = [];
  for (let below = to + 1; depthOf(taken) > 0 && below < lines.length; below++) {
    const line = lines[below]!;
    if (depthOf(skipped) === 0 && /^\s*[\])}]+[;,]*$/.test(line)) {
      taken.push(line);
      continue;
    }
    if (skipped.push(line) === 1) taken.push(`${/^\s*/.exec(line)![0]}// ...`);
  }
  const indent = Math.min(...taken.filter(Boolean).map((line) => line.search(/\S/)));
  return taken.map((line) => line.slice(indent)).join("\n");
}

/** How many brackets are open at the end of some lines; those in strings and comments are few and paired. */
function depthOf(lines: string[]): number {
  const count = (brackets: RegExp) => lines.join("\n").match(brackets)?.length ?? 0;
  return count(/[[({]/g) - count(/[\])}]/g);
}

/** The blocks of a page that show commands with their output. */
export function examplesIn(page: string): Example[] {
  return [...page.matchAll(OUTPUT)].map(([text, meanwhile, lines, statuses, block]) => {
    const parts = block!.split(/^\$ /m).slice(1);
    const commands = parts.map((part, number) => {
      const end = part.search(/(?<!\\)\n/); // a command may go on below
      const status = Number(statuses?.split(",")[number] ?? 0);
      return { command: part.slice(0, end), output: part.slice(end + 1), status };
    });
    return { text, meanwhile, lines, commands };
  });
}

/** The commands of a page that stand there without output: in blocks, and between backticks. */
export function plainCommandsIn(page: string): string[] {
  const fences = [...page.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)];
  const blocks = fences.flatMap(([, language, block]) => (language === "" ? [block!] : []));
  const prose = page.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span]) => span!.replaceAll("\n", " "));
  const lines = blocks.filter((block) => !block.startsWith("$ ")).flatMap((b) => b.split("\n"));
  const commands = [...lines, ...spans].flatMap((line) => COMMAND.exec(line)?.[0].trim() ?? []);
  return [...new Set(commands)];
}

/** The blocks of a page in a language that are no excerpts of a file, not indented. */
export function codeIn(page: string, language: "ts" | "json" | "sh"): string[] {
  const block = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, "gm");
  return [...page.replaceAll(EXCERPT, "").matchAll(block)].map(([, indent, code]) =>
    code!.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
}

/** The files that a page tells to write: each is a block that begins with a comment of its name. */
export function filesIn(page: string): Record<string, string> {
  const named = codeIn(page, "ts").flatMap((code) => {
    const [, name] = /^\/\/ (\S+\.ts)\n/.exec(code) ?? [];
    return name ? [[name, code]] : [];
  });
  return Object.fromEntries(named);
}

/** A page with what its commands print, or those of them that match `only`. */
export async function fillOutputs(
  page: string,
  only: RegExp,
  run: (command: string, status: number) => string,
  start: (command: string) => Promise<() => Promise<unknown>>,
): Promise<string> {
  let filled = page;
  for (const { text, meanwhile, lines, commands } of examplesIn(page)) {
    if (!commands.some(({ command }) => only.test(command))) continue;
    const stop = meanwhile ? await start(meanwhile) : undefined;
    try {
      const parts = commands.map(
        ({ command, status }) => `$ ${command}\n${shown(run(command, status), lines)}`,
      );
      const head = text.slice(0, text.indexOf("```\n"));
      filled = filled.replace(text, () => `${head}\`\`\`\n${parts.join("")}\`\`\``);
    } finally {
      await stop?.();
    }
  }
  return filled;
}

/** Some lines of an output; "..." stands for what is left out. */
export function shown(output: string, ranges: string | undefined): string {
  if (output.trim() === "") return "";
  const all = output.trimEnd().split("\n");
  if (!ranges) return `${all.join("\n")}\n`;
  const kept: string[] = [];
  let next = 1;
  for (const range of ranges.split(",")) {
    const [from, to = from] = range.trim().split("-").map(Number) as [number, number?];
    if (from > next) kept.push("...");
    kept.push(...all.slice(from - 1, to));
    next = (to ?? from) + 1;
  }
  if (next <= all.length) kept.push("...");
  return `${kept.join("\n")}\n`;
}
