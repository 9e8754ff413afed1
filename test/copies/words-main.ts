// Counts the words of the files that its command line names.

import { intoSharedDict } from "../../scripts/shared-dict.ts";

const module = new URL("./words.ts", import.meta.url);
const counts = new Map<string | number, number>();
const results = await intoSharedDict(counts, process.argv.slice(2), module, { workers: 4 });
for (const result of results) if (result.status === "rejected") console.error(result.reason);
console.log(JSON.stringify([...counts].sort()));
