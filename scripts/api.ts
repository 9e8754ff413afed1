// api.ts: run the practice API in the foreground, for other clients (curl, Python, your own).
//
// It takes POSTs of JSON, waits --latency milliseconds and answers 201 with what it got. It can
// also be slow, full or broken on purpose, which is what a parallel loop has to live with.
// It listens on 127.0.0.1 only, and prints its URL first.
//
// Run: npx tsx scripts/api.ts --port 8080
//      curl -d '{"request":1}' http://127.0.0.1:8080/
//      curl http://127.0.0.1:8080/stats

import type { AddressInfo } from "node:net";
import { describeFlags, number, onOff, parseFlags } from "../lib/command/flags.ts";
import { onParentGone } from "../lib/command/interrupt.ts";
import { main } from "../lib/main.ts";
import { print } from "../lib/terminal/terminal.ts";
import { createPracticeApi } from "./api/server.ts";

const flags = {
  port: { ...number(0, 65535), initial: 0 },
  latency: { ...number(0, 600_000, { fraction: true }), initial: 20 },
  jitter: { ...number(0, 600_000, { fraction: true }), initial: 0 },
  "error-rate": { ...number(0, 1, { fraction: true }), initial: 0 },
  "reset-rate": { ...number(0, 1, { fraction: true }), initial: 0 },
  "rate-limit": { ...number(0, 1e9), initial: 0 },
  "max-requests": { ...number(0, 1e9), initial: 0 },
  seed: { ...number(0, 2 ** 31), initial: 1 },
  help: { ...onOff, short: "h" },
};
const help = `
--port N  port to listen on; 0 takes any free one
--latency MS  service time of a POST, in milliseconds
--jitter MS  spreads the latency by so many ms either way
--error-rate P  share of POSTs answered 503
--reset-rate P  share of POSTs whose connection is dropped
--rate-limit N  POSTs a second, 429 beyond; 0 is no limit
--max-requests N  ends after so many POSTs; 0 is never
--seed N  of jitter, errors and resets
--help  this text`;

await main(async () => {
  const given = parseFlags(flags);
  if (given.help)
    return print(`api.ts: the practice API, on 127.0.0.1\n\nFlags:\n${describeFlags(flags, help)}`);
  const options = {
    latencyMs: given.latency,
    jitterMs: given.jitter,
    errorRate: given["error-rate"],
    resetRate: given["reset-rate"],
    rateLimit: given["rate-limit"],
    seed: given.seed,
  };
  const api = createPracticeApi(options, (count) => count === given["max-requests"] && close());

  /** Takes no more connections and ends with the last answer, or half a second later. */
  function close() {
    api.close();
    api.closeIdleConnections();
    setTimeout(() => api.closeAllConnections(), 500).unref();
  }
  process.once("SIGINT", close).once("SIGTERM", close);
  onParentGone(close);

  await new Promise<void>((resolve, reject) => {
    api.once("error", reject).listen(given.port, "127.0.0.1", resolve);
  });
  const { port } = api.address() as AddressInfo;
  await print(`http://127.0.0.1:${port}/`).catch((error) => {
    close(); // nobody would find it
    throw error;
  });
});
