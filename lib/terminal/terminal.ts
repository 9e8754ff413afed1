// What depends on the terminal: its width, colour, a line that is rewritten, text that is not ours.

/** Columns to draw in: the terminal's, 80 where there is none, never less than 40. */
export function terminalWidth(): number {
  return Math.max(40, process.stdout.columns || Number(process.env.COLUMNS) || 80);
}

/** Whether to colour: NO_COLOR and FORCE_COLOR decide, else whether it is a terminal. */
export function wantsColour(): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return process.stdout.isTTY === true && TERM !== "dumb";
}

/** Text from outside (a reply, an error) with its control characters made visible, so that it cannot steer the terminal. */
export function escapeControl(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1); // of these only some
    const hex = character.charCodeAt(0).toString(16).padStart(4, "0");
    return escaped === character ? `\\u${hex}` : escaped;
  });
}

/**
 * Prints a line on stdout. Unlike console.log(), it does not pass over a full disk; that nobody reads
 * is no error.
 */
export async function print(line: string): Promise<void> {
  const error = await new Promise<NodeJS.ErrnoException | null | undefined>((written) =>
    process.stdout.write(`${line}\n`, written),
  );
  if (error && error.code !== "EPIPE") throw new Error(`cannot print: ${error.message}`);
}

/** One line on stderr that is written over and over on a terminal, and not at all elsewhere. */
export function statusLine(stream = process.stderr) {
  let lastMs = 0;
  return {
    /** Shows the text, at most ten times a second. */
    show(text: () => string) {
      const nowMs = performance.now();
      if (!stream.isTTY || process.env.TERM === "dumb" || nowMs - lastMs < 100) return;
      lastMs = nowMs;
      // A longer one would be two lines, of which the first would stay.
      stream.write(`\r\x1b[K${text().slice(0, (stream.columns || 80) - 1)}`);
    },
    /** Takes the line away. */
    clear() {
      if (stream.isTTY && lastMs) stream.write("\r\x1b[K");
    },
  };
}
