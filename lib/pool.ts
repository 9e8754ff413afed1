// A pool of threads or of processes behind one channel of messages: what the dictionary scripts
// share. It works as scripts/processes.ts does, one item a claim, and keeps the same promises.

import { availableParallelism } from "node:os";
import { type Channel, type ChannelStart, openProcess, openThread } from "./channel.ts";
import { toError } from "./plain-error.ts";
import {
  FROM_POOL,
  type FromWorker,
  type OnSettled,
  type ToWorker,
  type Usage,
} from "./pool-worker.ts";

/** What a pool's workers are. */
export type WorkerKind = "processes" | "threads";

/** One worker, as the parent sees it. */
export interface PoolWorker {
  /** From 0; a replacement has the number of the one that died. */
  number: number;
  /** Sends a message to the worker's own code. */
  send: (message: unknown) => void;
}

/** The parent's side of a pool. */
export interface PoolOptions {
  with: WorkerKind;
  workers: number;
  inFlight?: number;
  /** What every worker is given at its start. */
  setup: unknown;
  /** How to start the file whose `servePool` (lib/pool-worker.ts) the workers run. */
  start: ChannelStart;
  signal?: AbortSignal | undefined;
  onSettled?: OnSettled | undefined;
  onUsage?: ((usage: Usage) => void) | undefined;
  /** A message from a worker's own code. */
  onMessage?: (worker: PoolWorker, message: unknown) => void;
  /** A worker has ended: with what it handed over last, or undefined where it died. */
  onEnd?: (worker: PoolWorker, handedOver: unknown) => void;
}

/**
 * Runs `iterate` of a worker's code for all items. A worker that dies costs the iterations it was
 * on, and another takes its place.
 *
 * @returns One settled result for each item, in order; those not done when `signal` aborted are
 *   rejected with its reason, and all where the setup cannot be cloned.
 * @throws {RangeError} `workers` or `inFlight` is no whole number from 1.
 */
export async function runPool<Item, Result>(
  items: readonly Item[],
  options: PoolOptions,
): Promise<PromiseSettledResult<Result>[]> {
  const { inFlight = 1, signal, setup } = options;
  if (![options.workers, inFlight].every((count) => Number.isInteger(count) && count >= 1))
    throw new RangeError("Expected whole numbers of workers and in flight, at least 1");
  const workers = Math.min(options.workers, items.length);
  const outcomes = new Array<PromiseSettledResult<Result> | undefined>(items.length).fill(
    undefined,
  );
  const channels = new Set<Channel>();
  const starting = new Set<Channel>();
  const handedBack: number[] = []; // by workers that died before they began them
  let next = 0;
  let started = 0;
  let unsettled = items.length;
  let deadStarts = 0;
  let stopped = false;
  let stopReason: unknown;

  function settle(index: number, outcome: PromiseSettledResult<Result>) {
    outcomes[index] = outcome;
    if (--unsettled === 0) for (const channel of starting) channel.kill();
  }

  function stop(reason: unknown) {
    stopped = true;
    stopReason = reason;
    for (const channel of channels) channel.kill();
  }

  /** Keeps one worker running for as long as there are items to claim, and starts the next one. */
  async function keepWorker(): Promise<void> {
    if (started === workers) return;
    const number = started++;
    let another: Promise<void> | undefined;
    while (!stopped && (next < items.length || handedBack.length > 0)) {
      const claims: number[] = []; // what it was handed and has not reported, the oldest first
      const worker: PoolWorker = { number, send: (message) => channel.send({ message }) };
      let ended = false;

      function feed() {
        // One ahead hides the way there and back; not at the end, where others are free.
        const ahead = items.length - next > 2 * workers * inFlight ? inFlight : 0;
        while (claims.length < inFlight + ahead) {
          const index = handedBack.shift() ?? (next < items.length ? next++ : undefined);
          if (index === undefined) break;
          try {
            channel.send({ index, item: items[index] } satisfies ToWorker<Item | undefined>);
            claims.push(index);
          } catch (reason) {
            settle(index, { status: "rejected", reason }); // an item that cannot be cloned
          }
        }
        if (claims.length === 0) channel.send({ end: true } satisfies ToWorker<Item>);
      }

      function listen(message: FromWorker<Result> & { from?: unknown }) {
        if (message?.from !== FROM_POOL) return; // something that the loop body sent
        another ??= keepWorker();
        if ("up" in message) return;
        starting.delete(channel);
        if ("message" in message) return options.onMessage?.(worker, message.message);
        if ("usage" in message) {
          ended = true;
          if (options.with === "processes") options.onUsage?.(message.usage);
          options.onEnd?.(worker, message.handedOver);
          return channel.kill();
        }
        if ("report" in message) {
          deadStarts = 0;
          const { index, startMs, endMs, outcome } = message.report;
          if (outcome.status === "rejected") outcome.reason = toError(outcome.reason);
          if (!claims.includes(index)) return;
          claims.splice(claims.indexOf(index), 1);
          settle(index, outcome);
          options.onSettled?.(index, number, startMs, endMs);
        }
        feed();
      }

      const open = options.with === "threads" ? openThread : openProcess;
      let channel: Channel;
      try {
        channel = open(options.start, (message) => listen(message as FromWorker<Result>));
      } catch (reason) {
        if (channels.size === 0) stop(reason); // not even one can be had
        break;
      }
      channels.add(channel);
      starting.add(channel);
      try {
        channel.send({ setup, inFlight } satisfies ToWorker<Item>);
      } catch (reason) {
        stop(reason); // the setup cannot be cloned
      }
      const why = await channel.closed;
      channels.delete(channel);
      starting.delete(channel);
      if (stopped) break;
      if (!ended) options.onEnd?.(worker, undefined);

      const lost = claims.splice(0, inFlight);
      for (const index of lost) {
        const message = `${channel.name} died: ${why} (on item ${index})`;
        settle(index, { status: "rejected", reason: toError({ name: "WorkerDied", message }) });
      }
      handedBack.push(...claims);
      deadStarts = ended || lost.length > 0 ? 0 : deadStarts + 1;
      const message = `${channel.name} died: ${why} (at start)`;
      if (deadStarts === Math.max(3, workers)) stop(toError({ name: "WorkerDied", message }));
    }
    await another;
  }

  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  // As many at a time as there are cores: more would only delay the first.
  await Promise.all(Array.from({ length: availableParallelism() }, keepWorker));
  signal?.removeEventListener("abort", onAbort);
  return outcomes.map((outcome) => outcome ?? { status: "rejected", reason: stopReason });
}
