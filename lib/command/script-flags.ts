// The flags that every technique takes, and what they mean for the loop body.

import type { PostOptions } from "../post.ts";
import {
  choice,
  decimal,
  header,
  httpUrl,
  jsonTemplate,
  listOf,
  onOff,
  readableFile,
  type Values,
  wholeNumber,
} from "./flags.ts";

/**
 * The table of flags.
 *
 * @param defaultWorkers How many, for the help; undefined for the plain loop, which has one.
 */
export function scriptFlags(defaultWorkers: string | undefined) {
  const requests = wholeNumber(1, 10_000_000, { initial: 1, help: "" });
  const one = defaultWorkers === undefined;
  return {
    requests: listOf(requests, {
      short: "n",
      initial: [500],
      help: "iterations; several numbers run one after another",
    }),
    workers: wholeNumber<number | undefined>(1, 1024, {
      short: "w",
      initial: undefined,
      initialText: defaultWorkers ?? "1",
      help: one ? "taken and ignored: the plain loop has one" : "workers",
    }),
    concurrency: wholeNumber(1, 1024, {
      short: "c",
      initial: 1,
      help: one ? "taken and ignored, likewise" : "iterations in flight inside each worker",
    }),
    work: choice(["post", "cpu", "none"], {
      initial: "post",
      help: "what the loop body does: POST to an API, burn CPU, or nothing",
    }),
    body: readableFile({
      initial: undefined,
      initialText: "none",
      help: "a module of your own with a loop body, in place of --work",
    }),
    latency: decimal(600_000, { initial: 20, help: "service time of the practice API, in ms" }),
    timeout: wholeNumber(1, 86_400_000, {
      placeholder: "MS",
      initial: 30_000,
      help: "time limit of one request, in ms",
    }),
    retries: wholeNumber(0, 100, {
      initial: 0,
      help: "tries again after 429, 503 and lost connections: a POST may then be carried out twice",
    }),
    url: httpUrl({
      initial: undefined,
      help: "your API",
      initialText: "a practice API on 127.0.0.1, started for the run",
    }),
    header: header({
      initial: {},
      help: "request header, any number of them; the values are never printed or saved",
    }),
    data: jsonTemplate({
      initial: undefined,
      initialText: '{"request":{i}}',
      help: "JSON to send; {i} stands for the item's number",
    }),
    yes: onOff("agrees beforehand to send more than 100 requests in all to another machine"),
    json: onOff("one record a run, as a line of JSON on stdout"),
    help: onOff("this text", "h"),
  };
}

/** What the flags of a technique's script are. */
export type ScriptFlags = Values<ReturnType<typeof scriptFlags>>;

/** What the body of `--work post` is told, for POSTs to `url` over so many connections. */
export function postOptions(flags: ScriptFlags, url: URL, connections: number): PostOptions {
  const { timeout: timeoutMs, retries, header: headers, data } = flags;
  return { url: url.href, connections, timeoutMs, retries, headers, data };
}
