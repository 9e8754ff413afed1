// POSTs by bare undici, with nothing of this suite around it: each lane posts its share, and says
// at the end when it began and ended. What is lost here to the limit, no technique can win back.
//
// Run: node test/bench/floor.mjs async|threads|processes URL COUNT WORKERS
// Prints one line of JSON: { "ms": ... }, from the first POST's start to the last one's end.

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

if (isWorker) {
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
