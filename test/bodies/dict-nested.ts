// Runs a loop of its own with a dictionary of its own inside the body, and puts the sum of what came of
// it into the outer dictionary.

import type { SharedDict } from "../../scripts/shared-dict.ts";

interface Context {
  /** The URLs of shared-dict.ts and of dict-steps.ts, as workers can load them. */
  sharedDict: string;
  steps: string;
  with: "processes" | "threads";
}

export default async function body(
  item: number,
  { sharedDict, steps, with: kind }: Context,
  dict: SharedDict<number>,
): Promise<number> {
  const { intoSharedDict }: typeof import("../../scripts/shared-dict.ts") = await import(
    sharedDict
  );
  const inner = new Map<string | number, unknown>();
  const jobs = [1, 2, 3, 4].map((by) => ({
    steps: [
      ["increment", "sum", by * item],
      ["locked", "count"],
    ],
  }));
  const options = { workers: 2, with: kind, execArgv: [] };
  const results = await intoSharedDict(inner, jobs, new URL(steps), options);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  await dict.set(item, inner.get("sum") as number);
  await dict.increment("loops");
  return inner.get("count") as number;
}
