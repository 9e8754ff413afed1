// What distributed.ts needs of Redis itself: a connection that is checked, and a dictionary.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { deserialize, serialize } from "node:v8";
import { Redis } from "ioredis";
import { pack, unpack } from "../processes.ts";

export const URL_FORM = "redis://user:password@host:port/database, or rediss:// for TLS";
export type Server = Awaited<ReturnType<typeof connect>>;

/**
 * Connects to a Redis that can be used, and again whenever the connection is lost.
 *
 * @throws {TypeError} The URL is none of Redis.
 * @throws {Error} Within 5 seconds: it cannot be reached, or cannot be used.
 */
export async function connect(url: string) {
  const form = /^rediss?:\/\/([^/?#]*@)?[^/?#@]+(\/\d*)?$/;
  if (!form.test(url) || !URL.canParse(url)) throw new TypeError(`Expected ${URL_FORM}`);
  const { protocol, hostname, port } = new URL(url);
  const where = `${hostname}:${port || 6379}`;
  let isUp = false; // until then, ioredis would try for ever, and say of some errors nothing
  let why: Error | undefined;
  let epoch = Promise.resolve("");
  let aheadMs = 0;
  const localMs = () => performance.timeOrigin + performance.now();
  const redis = new Redis(url.replace(/%(?![\da-f]{2})/gi, "%25"), {
    lazyConnect: true,
    connectTimeout: 2500,
    maxRetriesPerRequest: null, // what is asked while it is away is asked when it is back
    retryStrategy: () => (isUp ? 200 : null),
  });
  redis.on("error", (error) => {
    why ??= error;
  });
  redis.on("ready", () => {
    epoch = redis.info().then(epochOf);
    epoch.catch(() => {});
  });

  async function check() {
    await redis.connect();
    await redis.select(redis.options.db ?? 0);
    checkServer(await redis.info());
    const [seconds, microseconds] = await redis.time();
    aheadMs = Number(seconds) * 1000 + Number(microseconds) / 1000 - localMs();
  }
  try {
    const late = sleep(3000, new Error("no answer within 3 s"), { ref: false });
    const error = await Promise.race([check(), late]);
    if (error) throw error;
  } catch (error) {
    redis.disconnect();
    const text = (why ?? (error as Error)).message.replace(/^NOAUTH.*/, "it wants a password");
    const hint = protocol === "rediss:" ? "is it one with TLS?" : "does it want rediss://?";
    const isUnclear = /ECONNRESET|EPIPE|EPROTO|ETIMEDOUT|SSL|closed|no answer/.test(text);
    throw new Error(`Cannot use Redis at ${where}: ${text}${isUnclear ? ` (${hint})` : ""}`);
  }
  isUp = true;
  return {
    redis,
    where,
    /** By how much its clock is ahead of this machine's; clocks of machines differ. */
    aheadMs,
    /** Milliseconds since 1970, by its clock. */
    nowMs: () => localMs() + aheadMs,
    /**
     * Resolves to a text that stays the same as long as Redis forgets nothing: with appendonly also
     * over a restart. Each connection has a promise of its own.
     */
    epoch: () => epoch,
    disconnect() {
      isUp = false;
      redis.disconnect();
    },
  };
}

const fieldOf = (info: string, name: string) =>
  new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? "";
const epochOf = (info: string) =>
  fieldOf(info, "aof_enabled") === "1" ? "appendonly" : fieldOf(info, "run_id");

/**
 * @param info What Redis answers to INFO.
 * @throws {Error} BullMQ does not run on it, or it could throw away what is to be done.
 */
export function checkServer(info: string) {
  const [version, policy] = [fieldOf(info, "redis_version"), fieldOf(info, "maxmemory_policy")];
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 6 || (major === 6 && minor < 2))
    throw new Error(`it is version ${version}, and BullMQ needs 6.2 or later`);
  if (policy !== "noeviction")
    throw new Error(`its maxmemory-policy is ${policy}, which may drop jobs; expected noeviction`);
}

export type Key = string | number;
/** Releases a lock (after 0 ms), or extends it, if it still has that owner. */
const EXPIRE = `if redis.call("get", KEYS[1]) == ARGV[1] then
  return redis.call("pexpire", KEYS[1], ARGV[2]) end return 0`;
const LOCK_MS = 10_000; // that a lock outlives its worker

const toField = (key: Key) => (typeof key === "number" ? `n${key}` : `s${key}`);
const toKey = (field: string): Key => (field[0] === "n" ? +field.slice(1) : field.slice(1));
// A number is text, by which Redis can count; of anything else the first byte is 255.
const toBytes = (value: unknown) => (Number.isFinite(value) ? `${value}` : serialize(pack(value)));
const toValue = <Value>(bytes: Buffer) =>
  (bytes[0] === 255 ? unpack(deserialize(bytes)) : Number(bytes)) as Value;

/** A dictionary in a hash of Redis. Each operation is atomic; insertion order is not kept. */
export function redisDict<Value = unknown>(redis: Redis, name: string) {
  /** The answer in a reply of Redis. Where nobody awaits it, its failing ends no worker. */
  function quiet<Reply, Answer>(reply: Promise<Reply>, read: (reply: Reply) => Answer) {
    const answer = reply.then(read);
    answer.catch(() => {});
    return answer;
  }

  return {
    get: (key: Key) =>
      quiet(redis.hgetBuffer(name, toField(key)), (bytes) =>
        bytes ? toValue<Value>(bytes) : undefined,
      ),
    set: (key: Key, value: Value) =>
      quiet(redis.hset(name, toField(key), toBytes(value)), () => {}),
    has: (key: Key) => quiet(redis.hexists(name, toField(key)), Boolean),
    delete: (key: Key) => quiet(redis.hdel(name, toField(key)), Boolean),
    size: () => quiet(redis.hlen(name), Number),
    /** A copy of all entries at one moment, in no order. */
    entries: () =>
      quiet(redis.hgetallBuffer(name), (all) =>
        Object.entries(all).map(([field, bytes]): [Key, Value] => [toKey(field), toValue(bytes)]),
      ),
    update(entries: Iterable<[Key, Value]>) {
      const fields = [...entries].flatMap(([key, value]) => [toField(key), toBytes(value)]);
      return quiet(fields.length > 0 ? redis.hset(name, ...fields) : Promise.resolve(0), () => {});
    },
    /** Adds to a number (0 where there is none) and gives the sum. */
    increment(key: Key, by = 1) {
      const sum = redis.hincrbyfloat(name, toField(key), by).catch((error) => {
        if (!/not a float/.test(error.message)) throw error;
        throw new TypeError(`Cannot increment ${JSON.stringify(key)}: its value is no number`);
      });
      return quiet(sum, Number);
    },
    /**
     * Runs `critical` while no other call, from any worker, holds the lock of this key, or the one
     * lock without a key. Of a worker that dies it is free after 10 seconds.
     */
    async lock<Reply>(...args: [() => Promise<Reply>] | [Key, () => Promise<Reply>]) {
      const [key, critical] = args.length === 1 ? [undefined, args[0]] : args;
      const lock = `${name}:lock:${key === undefined ? "" : toField(key)}`;
      const owner = randomUUID();
      const expireIn = (ms: number) => quiet(redis.eval(EXPIRE, 1, lock, owner, ms), () => {});
      while (!(await redis.set(lock, owner, "PX", LOCK_MS, "NX"))) await sleep(Math.random() * 10);
      const timer = setInterval(() => expireIn(LOCK_MS), LOCK_MS / 3);
      try {
        return await critical();
      } finally {
        clearInterval(timer);
        await expireIn(0);
      }
    },
  };
}
