// Starts the practice API, stops it, and goes on.

import { startApi } from "../../lib/command/practice-api.ts";

async function main() {
  const api = await startApi([]);
  await api.stop();
  console.log("went on");
}

void main();
