// The parts of README.md that are put in by a command, and the commands that stand there.
//
// An excerpt:  <!-- from FILE: FIRST LINE ... LAST LINE -->, then a fenced block.
// An output:   a fenced block that begins with "$ COMMAND". Before it may stand
//              <!-- shown: lines 1-9, 12-30 --> for parts of the output, and
//              <!-- with: COMMAND --> for what has to run meanwhile, and
//              <!-- exit status: 1, 0 --> for its commands', 0 unless given.

import { readFileSync } from "node:fs";

const EXCERPT = /<!-- from (\S+): (.+) \.\.\. (.+) -->\n```ts\n[\s\S]*?```/g;
const OUTPUT =
  /(?:<!-- with: (.+) -->\n)?(?:<!-- shown: lines ([\d, -]+) -->\n)?(?:<!-- exit status: ([\d, ]+) -->\n)?```\n(\$ [\s\S]*?)```/g;
const COMMAND = /^(?:[A-Z_\d]+=\S+ )?(?:npm|npx|node|deno|bun|curl) [^#]*/;

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

/** The README with its excerpts as they are in the files now. */
export function fillExcerpts(readme: string): string {
  return readme.replace(EXCERPT, (_, file: string, first: string, last: string) => {
    return `<!-- from ${file}: ${first} ... ${last} -->\n\`\`\`ts\n${excerpt(file, first, last)}\n\`\`\``;
  });
}

/** The lines of a file from one that contains `first` to one that ends with `last`, not indented. */
function excerpt(file: string, first: string, last: string): string {
  const lines = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8").split("\n");
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

/** The blocks of the README that show commands with their output. */
export function examplesIn(readme: string): Example[] {
  return [...readme.matchAll(OUTPUT)].map(([text, meanwhile, lines, statuses, block]) => {
    const parts = block!.split(/^\$ /m).slice(1);
    const commands = parts.map((part, number) => {
      const end = part.indexOf("\n");
      const status = Number(statuses?.split(",")[number] ?? 0);
      return { command: part.slice(0, end), output: part.slice(end + 1), status };
    });
    return { text, meanwhile, lines, commands };
  });
}

/** The commands of the README that stand there without output: in blocks, and between backticks. */
export function plainCommandsIn(readme: string): string[] {
  const fences = [...readme.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)];
  const blocks = fences.flatMap(([, language, block]) => (language === "" ? [block!] : []));
  const prose = readme.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span]) => span!.replaceAll("\n", " "));
  const lines = blocks.filter((block) => !block.startsWith("$ ")).flatMap((b) => b.split("\n"));
  const commands = [...lines, ...spans].flatMap((line) => COMMAND.exec(line)?.[0].trim() ?? []);
  return [...new Set(commands)];
}

/** The blocks of the README in a language that are no excerpts of a file, not indented. */
export function codeIn(readme: string, language: "ts" | "json" | "sh"): string[] {
  const block = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, "gm");
  return [...readme.replaceAll(EXCERPT, "").matchAll(block)].map(([, indent, code]) =>
    code!.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
}

/**
 * The files that stand below a heading of the README, up to the next one: each is a block that begins
 * with a comment of its name, or of its name and "further down" where it goes on.
 */
export function filesBelow(readme: string, heading: string): Record<string, string> {
  const parts = readme.split(/^#+ /m);
  const section = parts.find((part) => part.startsWith(`${heading}\n`));
  if (!section) throw new Error(`there is no heading "${heading}"`);
  const files: Record<string, string> = {};
  for (const code of codeIn(section, "ts")) {
    const [, name, further] = /^\/\/ (\S+\.ts)(, further down)?\n/.exec(code) ?? [];
    if (name) files[name] = further ? `${files[name]}\n${code}` : code;
  }
  return files;
}

/** The README with what its commands print, or those of them that match `only`. */
export async function fillOutputs(
  readme: string,
  only: RegExp,
  run: (command: string, status: number) => string,
  start: (command: string) => Promise<() => Promise<unknown>>,
): Promise<string> {
  let filled = readme;
  for (const { text, meanwhile, lines, commands } of examplesIn(readme)) {
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
