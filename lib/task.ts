import type { PostOptions } from "./post.ts";

/** What a script's command line tells the loop body. Cloned to every worker. */
export interface Task extends PostOptions {
  /** What one iteration does: POST to `url`, burn CPU, or nothing. */
  work: "post" | "cpu" | "none";
}
