// A loop body for --body: the SHA-256 of a file. An item is its path.
//
// Run: printf '"%s"\n' scripts/*.ts |
//        npx tsx scripts/threads.ts --body scripts/examples/hash-files.ts --items -

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

export default async function body(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash); // piece by piece, however large the file is
  return hash.digest("hex");
}
