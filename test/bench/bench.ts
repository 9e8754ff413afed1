// The speed of the suite against Python's executors, the popular pools and the physical limit, row
// by row, side by side.
//
// Run: npm run bench                       on Node 20, under tsx
//      node test/bench/bench.ts            on Node 22.18 and later
//      npm run bench -- posts empty        some of the rows
//
//      BEFORE=../before npm run bench      with a row against another checkout of this repository
//
// Every figure is a fresh process; those of a row take turns. Out comes a Markdown table of medians
// and their spread.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { startApi } from "../../lib/command/practice-api.ts";
import type { RunRecord } from "../../lib/command/record.ts";
import { readsTypeScript, runtimeCommand } from "../../lib/runtime.ts";
import { formatBytes, formatMs } from "../../lib/terminal/format.ts";
import { thisMachine, versions } from "../../scripts/compare/machine.ts";
import { type Spread, spread } from "../../scripts/compare/statistics.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
type ApiProcess = Awaited<ReturnType<typeof startApi>>;
/** A measured thing: its values so far. */
type Values = Map<string, number[]>;
interface Row {
  name: string;
  repeats: number;
  /** Measures everything of the row once. */
  measure: (values: Values) => Promise<void>;
  /** The lines of the table, from medians: what, against what, the ratio or share, what is to be reached. */
  report: (of: (name: string) => Spread | undefined) => (string | undefined)[][];
  /** How to write a value that is not in milliseconds. */
  formats?: (name: string) => ((value: number) => string) | undefined;
}

const percent = (value: number) => `${value.toFixed(0)} %`;
const micro = (us: number) => `${Number(us.toPrecision(2))} us`;

const hasPython = spawnSync("python3", ["-c", "import requests"], { stdio: "ignore" }).status === 0;
const hasWrk = spawnSync("wrk", ["--version"], { stdio: "ignore" }).error === undefined;

const hasRedis = spawnSync("redis-server", ["--version"], { stdio: "ignore" }).status === 0;

/** Another checkout, to measure against. */
const before = process.env.BEFORE;

/** Runs a command and gives the object that its last line of JSON is. */
function run<T>(command: string, args: string[], cwd = root): Promise<T> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "inherit"] });
  let stdout = "";
  child.stdout.on("data", (text) => (stdout += text));
  return new Promise((done, reject) => {
    child.on("close", (code) => {
      const line = stdout
        .trim()
        .split("\n")
        .findLast((one) => one.startsWith("{"));
      if (line) done(JSON.parse(line) as T);
      else reject(new Error(`${command} ${args.join(" ")}: status ${code}`));
    });
  });
}

const ours = (script: string, flags: string[], folder = root) => {
  const [command, ...own] = runtimeCommand;
  return run<RunRecord>(command!, [...own, `scripts/${script}.ts`, ...flags, "--json"], folder);
};
/** What results that are Buffers take in this process. */
const buffers = (kind: string) => {
  const [command, ...own] = runtimeCommand;
  return run<{ bytes: number }>(command!, [...own, "test/bench/buffers.ts", kind]);
};
const peer = (...args: string[]) =>
  run<{ ms: number }>(process.execPath, ["test/bench/peers.mjs", ...args]);
/** The same POSTs by bare undici, and by wrk, a client in C: what is left without any code of ours. */
const floor = (kind: string, args: string[]) =>
  run<{ ms: number; us: number }>(process.execPath, ["test/bench/floor.mjs", kind, ...args]);
const python = (...args: string[]) =>
  run<{ ms: number; us: number }>("python3", ["test/bench/executors.py", ...args]);

function add(values: Values, name: string, value: number | undefined) {
  if (value === undefined) return;
  values.set(name, [...(values.get(name) ?? []), value]);
}

async function withApi(latencyMs: number, work: (api: ApiProcess) => Promise<void>) {
  const api = await startApi(["--latency", `${latencyMs}`]);
  try {
    await work(api);
  } finally {
    await api.stop();
  }
}

/** How near wrk comes to the limit with 8 connections in 5 s, in percent. */
async function wrkShare(api: ApiProcess): Promise<number> {
  const script = ["-s", "test/bench/post.lua"];
  const wrk = ["-t", "1", "-c", "8", "-d", "5", ...script, api.url.href];
  await api.takeStats();
  const { ms, requests } = await run<{ ms: number; requests: number }>("wrk", wrk);
  return ((requests * (await api.takeStats()).serviceMs.mean) / 8 / ms) * 100;
}

/** What is left to any technique, once in a bench: it does not change with our code. */
async function measureFloors(api: ApiProcess, args: string[], values: Values) {
  for (const name of TECHNIQUES) {
    await api.takeStats();
    const { ms } = await floor(name, args);
    const limitMs = (POSTS * (await api.takeStats()).serviceMs.mean) / 8;
    add(values, `bare undici, ${name}`, (limitMs / ms) * 100);
  }
  if (hasWrk) add(values, "wrk", await wrkShare(api));
}

const ratioOf = (a: Spread | undefined, b: Spread | undefined, digits = 2) =>
  a && b ? `${(a.median / b.median).toPrecision(digits)}x` : undefined;
const shareOf = (share: Spread | undefined) => share && percent(share.median);
const least = (of: (name: string) => Spread | undefined, names: string[]) => {
  const known = names.filter((name) => of(name));
  known.sort((a, b) => of(a)!.median - of(b)!.median);
  return known[0] ?? "";
};
const POSTS = 10_000;
const EMPTY = 10_000;
const MANY = 1_000_000;
const TECHNIQUES = ["async", "threads", "processes"];

/** What is measured in both checkouts. */
const AGAINST_BEFORE = [
  ...TECHNIQUES.map((script) => {
    const flags = ["-n", `${POSTS}`, "-w", "8"];
    return { name: `10,000 POSTs, 5 ms, ${script}`, script, flags, goal: "1.03x" };
  }),
  ...["threads", "processes"].map((script) => {
    const flags = ["-n", `${EMPTY}`, "-w", "6", "--work", "none"];
    const goal = script === "processes" ? "1.15x" : "1.03x";
    return { name: `10,000 empty iterations, ${script}`, script, flags, goal };
  }),
  ...["processes", "threads"].map((kind) => {
    const flags = ["-n", "2500", "-w", "6", "--with", kind];
    const script = "shared-dict";
    return { name: `2,500 POSTs into a dictionary, ${kind}`, script, flags, goal: "1.03x" };
  }),
];

const rows: Row[] = [
  {
    name: "posts",
    repeats: 3,
    formats: (name) => (/loop|bare|wrk/.test(name) ? percent : undefined),
    measure: (values) =>
      withApi(5, async (api) => {
        await fetch(api.url, { method: "POST", body: "{}" });
        for (const name of TECHNIQUES) {
          await api.takeStats();
          const flags = ["-n", `${POSTS}`, "-w", "8", "--url", api.url.href];
          const { ms, startupMs = 0 } = await ours(name, flags);
          const limitMs = (POSTS * (await api.takeStats()).serviceMs.mean) / 8;
          add(values, name, ms);
          add(values, "limit", limitMs);
          add(values, `${name} loop`, (limitMs / (ms - startupMs)) * 100);
        }
        const args = [api.url.href, `${POSTS}`, "8"];
        if (!values.has("bare undici, async")) await measureFloors(api, args, values);
        add(values, "p-map", (await peer("p-map", "posts", ...args)).ms);
        if (!hasPython) return;
        add(values, "Python threads", (await python("posts", "threads", ...args)).ms);
        add(values, "Python processes", (await python("posts", "processes", ...args)).ms);
      }),
    report: (of) => [
      ...TECHNIQUES.map((name) => {
        const against = name === "processes" ? "Python processes" : "Python threads";
        const goal = name === "async" ? "0.55x" : "0.60x";
        return [
          `10,000 POSTs, 5 ms, 8 workers: ${name}`,
          name,
          against,
          ratioOf(of(name), of(against)),
          goal,
        ];
      }),
      ...["async"].map((name) => [
        `the same: ${name}`,
        name,
        "p-map",
        ratioOf(of(name), of("p-map")),
        "-",
      ]),
      ...["Python threads", "Python processes"].map((name) => [
        "the same: the limit itself, requests x service time / 8",
        "limit",
        name,
        ratioOf(of("limit"), of(name)),
        "-",
      ]),
      ...TECHNIQUES.map((name) => [
        `the same, the loop alone, as a share of that limit: ${name}`,
        `${name} loop`,
        `bare undici, ${name}`,
        shareOf(of(`${name} loop`)),
        "within 2 points",
      ]),
      ["the same share: wrk, a client in C", "wrk", "", shareOf(of("wrk")), "-"],
    ],
  },
  {
    name: "empty",
    repeats: 5,
    async measure(values) {
      const flags = ["-n", `${EMPTY}`, "-w", "6", "--work", "none"];
      add(values, "threads", (await ours("threads", flags)).ms);
      add(values, "processes", (await ours("processes", flags)).ms);
      for (const name of ["piscina", "tinypool", "workerpool"])
        add(values, name, (await peer(name, "empty", `${EMPTY}`, "6")).ms);
      for (const name of ["tinypool-processes", "workerpool-processes"])
        add(values, name, (await peer(name, "empty", `${EMPTY}`, "6")).ms);
    },
    report(of) {
      const threads = least(of, ["piscina", "tinypool", "workerpool"]);
      const processes = least(of, ["tinypool-processes", "workerpool-processes"]);
      return [
        [
          "10,000 empty iterations, 6 workers: threads",
          "threads",
          threads,
          ratioOf(of("threads"), of(threads)),
          readsTypeScript ? "0.30x" : "0.25x",
        ],
        [
          "the same: processes",
          "processes",
          processes,
          ratioOf(of("processes"), of(processes)),
          readsTypeScript ? "0.37x" : "0.30x",
        ],
      ];
    },
  },
  {
    name: "start",
    repeats: 5,
    measure: (values) =>
      withApi(1000, async (api) => {
        const flags = ["-n", "4", "-w", "4", "--url", api.url.href, "--timeline"];
        const { timeline } = await ours("threads", flags);
        add(values, "threads", Math.max(...timeline!.startMs));
        add(values, "piscina", (await peer("piscina", "start", "4")).ms);
      }),
    report: (of) => [
      [
        "start of 4 workers that import undici: threads",
        "threads",
        "piscina",
        ratioOf(of("threads"), of("piscina")),
        "0.6x",
      ],
    ],
  },
  {
    name: "dictionary",
    repeats: 3,
    formats: (name) => (/^(shared-dict|Python Manager)$/.test(name) ? undefined : micro),
    measure: (values) =>
      withApi(0, async (api) => {
        const flags = ["-n", "2500", "-w", "6", "--url", api.url.href];
        const shared = await ours("shared-dict", flags);
        const memory = await ours("shared-memory", flags);
        add(values, "shared-dict", shared.ms);
        add(values, "awaited", shared.dictAwaitedUs);
        add(values, "pipelined", shared.dictPipelinedUs);
        add(values, "shared-memory", memory.dictAwaitedUs);
        add(values, "bare messages", (await floor("messages", [])).us);
        add(values, "bare round trips", (await floor("round-trips", [])).us);
        if (!hasPython) return;
        add(values, "Python Manager", (await python("manager", api.url.href, "2500", "6")).ms);
        add(values, "Manager operation", (await python("operation", "2000")).us);
      }),
    report: (of) => [
      [
        "2,500 POSTs into a shared dictionary, 0 ms, 6 processes",
        "shared-dict",
        "Python Manager",
        ratioOf(of("shared-dict"), of("Python Manager")),
        "0.30x",
      ],
      [
        "one operation from a process, pipelined (us)",
        "pipelined",
        "Manager operation",
        ratioOf(of("pipelined"), of("Manager operation")),
        "0.1x",
      ],
      [
        "one operation from a process, awaited (us)",
        "awaited",
        "Manager operation",
        ratioOf(of("awaited"), of("Manager operation")),
        "1.5x",
      ],
      [
        "a message and one back, as JSON, with nothing behind them (us)",
        "bare round trips",
        "Manager operation",
        ratioOf(of("bare round trips"), of("Manager operation")),
        "-",
      ],
      [
        "pipelined messages with nothing behind them (us)",
        "bare messages",
        "Manager operation",
        ratioOf(of("bare messages"), of("Manager operation")),
        "-",
      ],
      [
        "one operation in shared memory, against awaited through the parent (us)",
        "shared-memory",
        "awaited",
        ratioOf(of("shared-memory"), of("awaited")),
        "0.01x",
      ],
    ],
  },
  {
    name: "scale",
    repeats: 1,
    async measure(values) {
      for (const name of TECHNIQUES) {
        for (const count of [EMPTY, MANY]) {
          const workers = name === "async" ? "64" : "8";
          const flags = ["-n", `${count}`, "-w", workers, "--work", "none"];
          const { ms, peakRssBytes } = await ours(name, flags);
          add(values, `${name} ${count}`, ms);
          add(values, `${name} ${count} bytes`, peakRssBytes);
        }
      }
    },
    report: (of) =>
      TECHNIQUES.map((name) => {
        const [few, many] = [`${name} ${EMPTY}`, `${name} ${MANY}`];
        const grown = (of(`${many} bytes`)?.median ?? 0) - (of(`${few} bytes`)?.median ?? 0);
        return [
          `1,000,000 empty iterations against 10,000: ${name} (memory grows by ${formatBytes(grown)})`,
          many,
          few,
          ratioOf(of(many), of(few)),
          "100x",
        ];
      }),
  },
  {
    name: "distributed",
    repeats: hasRedis ? 3 : 0,
    measure: (values) =>
      withApi(5, async (api) => {
        const posts = ["-n", `${POSTS}`, "--url", api.url.href];
        const workers = [...posts, "-w", "2", "-c", "4"];
        add(values, "processes", (await ours("processes", [...posts, "-w", "8"])).ms);
        add(values, "distributed", (await ours("distributed", workers)).ms);
        add(values, "batches", (await ours("distributed", [...workers, "--batch", "10"])).ms);
      }),
    report: (of) =>
      [
        ["distributed", "10,000 POSTs, 5 ms, distributed on 2 workers x 4", "1.2x"],
        ["batches", "the same, in batches of 10", "1.05x"],
      ].map(([own = "", what, goal]) => [
        what,
        own,
        "processes",
        ratioOf(of(own), of("processes")),
        goal,
      ]),
  },
  {
    name: "buffers",
    repeats: 3,
    formats: () => formatBytes,
    async measure(values) {
      for (const kind of ["threads", "processes"]) add(values, kind, (await buffers(kind)).bytes);
    },
    report: (of) => [
      [
        "20,000 results of 25-byte Buffers from threads, growth of memory",
        "threads",
        "processes",
        ratioOf(of("threads"), of("processes")),
        "1.5x",
      ],
    ],
  },
  {
    name: "compare",
    repeats: 1,
    async measure(values) {
      const begunMs = performance.now();
      const child = spawn("npx", ["tsx", "scripts/compare.ts"], { cwd: root, stdio: "pipe" });
      child.stdout.resume();
      child.stderr.once("data", () => add(values, "progress", performance.now() - begunMs));
      child.stderr.resume();
      await once(child, "close");
      add(values, "compare", performance.now() - begunMs);
    },
    report: () => [
      ["npx tsx scripts/compare.ts", "compare", "", "", "60 s"],
      ["the same, until its first progress", "progress", "", "", "2 s"],
    ],
  },
  {
    name: "before",
    repeats: before ? 5 : 0,
    measure: (values) =>
      withApi(5, async (api) => {
        for (const { name, script, flags } of AGAINST_BEFORE) {
          const both = [root, resolve(before!)];
          if ((values.get(`${name}, before`)?.length ?? 0) % 2) both.reverse(); // A B B A
          for (const folder of both) {
            const url = flags.includes("none") ? [] : ["--url", api.url.href];
            const { ms } = await ours(script, [...flags, ...url], folder);
            add(values, folder === root ? name : `${name}, before`, ms);
          }
        }
      }),
    report: (of) =>
      AGAINST_BEFORE.map(({ name, goal }) => [
        `${name}, against the checkout before`,
        name,
        `${name}, before`,
        ratioOf(of(name), of(`${name}, before`), 3),
        goal,
      ]),
  },
];

const asked = process.argv.slice(2);
const chosen = rows.filter((row) => asked.length === 0 || asked.includes(row.name));
const { cpu, cores, runtime } = thisMachine();
const packages = versions();
const under = runtimeCommand.some((part) => part.includes("tsx"))
  ? ` under tsx ${packages.tsx}`
  : "";
console.log(
  `${runtime}${under}, undici ${packages.undici}; ${cores} cores of ${cpu}; ${new Date().toISOString().slice(0, 10)}\n`,
);
if (!hasPython) console.log("Rows against Python are left out: apt install python3-requests\n");
if (!before) console.log("Rows against another checkout are left out: BEFORE=FOLDER\n");
if (!hasRedis) console.log("The rows of distributed.ts are left out: apt install redis-server\n");
if (!hasWrk) console.log("The row with wrk is left out: apt install wrk\n");
console.log("| what | ours | against | is | to reach |\n| --- | ---: | ---: | ---: | ---: |");

for (const row of chosen) {
  const values: Values = new Map();
  for (let repeat = 0; repeat < row.repeats; repeat++) await row.measure(values);
  const of = (name: string) => spread(values.get(name) ?? []);
  const figure = (name: string) => {
    const one = of(name);
    if (!one) return "";
    const format = row.formats?.(name) ?? formatMs;
    const range = one.count > 1 ? ` (${format(one.least)} to ${format(one.most)})` : "";
    return `${format(one.median)}${range}`;
  };
  for (const [what, own, against, is, goal] of row.report(of)) {
    if (is === undefined) continue; // its peer is missing
    const name = own === what ? "" : (against ?? "");
    console.log(
      `| ${what} | ${figure(own!)} | ${[name, figure(against!)].filter(Boolean).join(" ")} | ${is} | ${goal} |`,
    );
  }
}
