// What is left without any code of this suite: what is lost here, no technique can win back.
//
// POSTs by bare undici: each lane posts its share, and says at the end when it began and ended.
// Messages: what 10,000 pipelined operations on a dictionary are to the channel between parent and
// child, 500 in a message, each answered by a message, and nothing behind them. Round trips: what awaited
// ones are, of one operation a message, and that as JSON, which is the fastest for so little.
//
// Run: node test/bench/floor.mjs async|threads|processes URL COUNT WORKERS
//      node test/bench/floor.mjs messages|round-trips
// Prints one line of JSON: { "ms": ... }, from the first POST's start to the last one's end, or
// { "us": ... } for one operation.

import { fork } from "node:child_process";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const [kind, url, count, workers, isWorker] = isMainThread ? process.argv.slice(2) : workerData;
const share = Number(count) / Number(workers);
const nowMs = () => performance.timeOrigin + performance.now();
const from = new URL(import.meta.url);

/** Posts a share from each of so many lanes at once. */
async function postShares(lanes) {
  const { Pool } = await import("undici");
  const pool = new Pool(new URL(url).origin, { connections: lanes });
  const headers = { "content-type": "application/json" };
  const post = (item) =>
    new Promise((onResponseEnd, reject) => {
      pool.dispatch(
        { method: "POST", path: "/", headers, body: `{"request":${item}}` },
        {
          onRequestStart() {},
          onResponseStart() {},
          onResponseData() {},
          onResponseEnd,
          onResponseError: (_controller, error) => reject(error),
        },
      );
    });
  const begunMs = nowMs();
  async function lane() {
    for (let item = 0; item < share; item++) await post(item);
  }
  await Promise.all(Array.from({ length: lanes }, lane));
  return [begunMs, nowMs()];
}

/** Starts one worker and gives what it says. */
function startWorker() {
  const worker =
    kind === "threads"
      ? new Worker(from, { workerData: [kind, url, count, workers, "worker"] })
      : fork(from, [kind, url, count, workers, "worker"]);
  return new Promise((resolve) => worker.once("message", resolve));
}

/** The child's side of the messages: sends them all, or each after the answer to the one before. */
async function sendMessages() {
  const [messages, operations] = kind === "messages" ? [20, 500] : [2000, 1];
  const begunMs = performance.now();
  let sent = 0;
  let answers = 0;
  const send = () =>
    process.send(
      Array.from({ length: operations }, (_, index) => [
        sent++ * operations + index,
        "increment",
        "key",
        1,
      ]),
    );
  const answered = new Promise((resolve) => {
    process.on("message", () => {
      if (++answers === messages) resolve();
      else if (kind === "round-trips") send();
    });
  });
  if (kind === "round-trips") send();
  else for (let message = 0; message < messages; message++) send();
  await answered;
  return { us: ((performance.now() - begunMs) / messages / operations) * 1000 };
}

if (kind === "messages" || kind === "round-trips") {
  if (url) process.send(await sendMessages(), () => process.exit());
  else {
    const serialization = kind === "messages" ? "advanced" : "json";
    const child = fork(from, [kind, "child"], { serialization });
    child.on("message", (message) => {
      if (Array.isArray(message)) child.send(message.map(([id], index) => [id, index]));
      else console.log(JSON.stringify(message));
    });
  }
} else if (isWorker) {
  const message = await postShares(1);
  if (parentPort) parentPort.postMessage(message);
  else process.send(message);
} else {
  const spans = await (kind === "async"
    ? [await postShares(Number(workers))]
    : Promise.all(Array.from({ length: Number(workers) }, startWorker)));
  const begunMs = Math.min(...spans.map(([begun]) => begun));
  console.log(JSON.stringify({ ms: Math.max(...spans.map(([, ended]) => ended)) - begunMs }));
  process.exit();
}
