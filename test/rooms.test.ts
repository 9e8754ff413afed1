// Who imports whom: nobody from a room above the own one, and nobody in a circle.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

/** The rooms from the ground up; those of one line do not import from each other. */
const ROOMS = [
  ["lib/timing.ts", "lib/runtime.ts"],
  ["lib/post.ts"],
  ["lib/bodies/", "lib/terminal/"],
  ["lib/command/"],
  ["lib/main.ts", "scripts/compare/", "scripts/api/", "scripts/examples/", "scripts/shared-dict/"],
  ["scripts/processes.ts"],
  ["scripts/distributed/"],
  ["scripts/"],
];
const floorOf = (file: string) =>
  ROOMS.findIndex((rooms) => rooms.some((room) => file.startsWith(room)));
const roomOf = (file: string) => ROOMS[floorOf(file)]!.find((room) => file.startsWith(room));

/** File -> the files that it imports, types included; a copy of itself that workers load is none. */
const imports = new Map(
  ["lib", "scripts"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.startsWith("zz-")) // another test's
      .map((name) => {
        const file = join(folder, name);
        const text = readFileSync(join(root, file), "utf8");
        const from = [...text.matchAll(/(?:from |^import |await import\()"(\..*?)"/gm)];
        return [file, from.map(([, path]) => normalize(join(dirname(file), path!)))] as const;
      }),
  ),
);

test("rooms: every file has one, and imports from its own and from those below", () => {
  for (const [file, paths] of imports) {
    assert.ok(floorOf(file) >= 0, `${file} is in no room`);
    for (const path of paths) {
      const isBelow = floorOf(path) < floorOf(file);
      assert.ok(isBelow || roomOf(path) === roomOf(file), `${file} imports ${path}`);
    }
  }
});

test("rooms: lib is at most five files high, and there is no circle", () => {
  const heightOf = (file: string, above: string[] = []): number => {
    assert.ok(!above.includes(file), [...above, file].join(" imports "));
    const heights = imports.get(file)!.map((path) => heightOf(path, [...above, file]));
    return 1 + Math.max(0, ...heights);
  };
  for (const file of imports.keys()) {
    const height = heightOf(file);
    if (file.startsWith("lib/")) assert.ok(height <= 5, `${file} is on floor ${height}`);
  }
});
