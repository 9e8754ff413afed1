// What an API can do to a loop: every way to fail at once, for every script.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { CERTIFICATE } from "../support/certificate.ts";
import { servePracticeApi } from "../support/counting-api.ts";
import {
  expectedCounts,
  FAULTS,
  lostAsOne,
  startHostileServer,
} from "../support/hostile-server.ts";
import {
  commandLine,
  descendants,
  faultsAre,
  run,
  start,
  until,
  withBody,
} from "../support/process.ts";
import { nameOf, SCRIPTS } from "../support/scripts.ts";
import { checkRecord } from "../support/technique.ts";

// Most of their time they wait for a time limit: some run at once.
describe("hostile APIs", { concurrency: 3 }, () => {
  for (const loop of SCRIPTS) {
    test(`${nameOf(loop)}: each way to fail costs its own item, with its reason`, async () => {
      const server = await startHostileServer();
      const count = FAULTS.length;
      const flags = ["-n", `${count}`, "-w", "3", "--timeout", "6000", "--url", server.url];
      const { code, records, stderr } = await run(`scripts/${loop.script}`, [
        ...[...flags, ...loop.flags, "--json"],
      ]);
      server.stop();
      assert.equal(code, 1, stderr);
      checkRecord(records[0]!, count);
      const { statuses, errors } = records[0]!;
      assert.deepEqual({ statuses, errors: lostAsOne(errors) }, expectedCounts(count));
    });

    if (loop.workers === "threads" && loop.script !== "threads.ts") continue; // as threads.ts
    test(`${nameOf(loop)}: an API's absence costs what came in between`, async () => {
      const server = await startFlickeringServer(50, 60);
      const flags = ["-n", "600", "-w", "2", ...withBody("posting"), ...loop.flags, "--json"];
      // Not all of them fail before it is back, however late that is.
      const env = { API_URL: server.url, PAUSE_MS: "20" };
      const { code, records } = await run(`scripts/${loop.script}`, flags, env);
      const answered = server.stop();
      const [record] = records;
      checkRecord(record!, 600);
      assert.equal(code, 1);
      assert.ok(record!.failed > 0);
      // Answered, but cut off on the way: at most what was in flight when it went away.
      assert.ok(record!.ok > 50 && record!.ok <= answered && record!.ok >= answered - 2);
      for (const reason of Object.keys(record!.errors))
        assert.match(reason, /^(ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET|EPIPE)$/);
    });
  }
});

/** A server that, after so many answers, is gone for so long, with the next request and all connections. */
async function startFlickeringServer(answers: number, goneMs: number) {
  let answered = 0;
  let gone = false;
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      if (gone || answered !== answers) {
        response.writeHead(201).end();
        answered++;
        return;
      }
      gone = true;
      server.close();
      server.closeAllConnections();
      setTimeout(() => server.listen(port, "127.0.0.1"), goneMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    stop() {
      server.close();
      server.closeAllConnections();
      return answered;
    },
  };
}

test("a practice API that dies as it starts is a clear error", async () => {
  for (let round = 0; round < 3; round++) {
    const { child, ended } = start("scripts/async.ts", ["-n", "50"]);
    const isApi = (pid: number) => commandLine(pid).includes("scripts/api.ts");
    let api: number | undefined;
    await until(() => {
      api = descendants(child.pid!).find(isApi);
      return api !== undefined;
    });
    process.kill(api!, "SIGKILL");
    const { code, stderr } = await ended;
    assert.equal(code, 1);
    assert.equal(stderr, "error: the practice API ended before it accepted connections\n");
  }
});

test("an API that ends idle connections unannounced costs nothing when it may be asked again", async () => {
  const server = await startHostileServer();
  // Item 7 of the faults: each answer is the last of its connection.
  const data = ["--data", '{"request":7,"item":{i}}'];
  const flags = ["-n", "300", "-w", "8", "--retries", "5", "--url", server.url, ...data, "--json"];
  for (const script of ["async.ts", "threads.ts", "processes.ts"]) {
    const { code, records } = await run(`scripts/${script}`, flags);
    assert.equal(code, 0, JSON.stringify(records));
    assert.deepEqual(records[0]!.statuses, { 201: 300 });
  }
  server.stop();
});

test("many that wait for their next try say nothing", async () => {
  const bad = await servePracticeApi({ errorRate: 1 });
  const flags = ["-n", "24", "-c", "24", "-w", "1", "--retries", "1", "--url", bad.url, "--json"];
  for (const script of ["async.ts", "threads.ts", "processes.ts"]) {
    const { records, stderr } = await run(`scripts/${script}`, flags);
    assert.equal(stderr, "");
    assert.deepEqual(records[0]!.statuses, { 503: 24 });
  }
  assert.equal((await bad.stats()).requests, 3 * 2 * 24);
  bad.stop();
});

test("a certificate that nobody vouches for is an error by its name", async () => {
  const server = await startHostileServer(CERTIFICATE);
  const flags = ["-n", "4", "-w", "2", "--url", server.url, "--json"];
  for (const script of ["async.ts", "threads.ts", "processes.ts"]) {
    const { code, records } = await run(`scripts/${script}`, flags);
    assert.equal(code, 1);
    assert.deepEqual(records[0]!.errors, { DEPTH_ZERO_SELF_SIGNED_CERT: 4 });
  }
  server.stop();
});

test("nothing of an answer steers the terminal", async () => {
  const server = await startHostileServer();
  const { stdout, stderr } = await run("scripts/async.ts", [
    ...["-n", `${FAULTS.length}`, "-w", "4", "--timeout", "3000", "--url", server.url],
  ]);
  server.stop();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f\x7f]/);
  assert.match(stdout, /\n {2}item 1: POST http:\S+ failed: read ECONNRESET\n/);
});

test("nothing of an error steers the terminal, though it quotes what came back", async () => {
  const faults = faultsAre([[1, 0, "steer the terminal"]]);
  for (const script of ["async.ts", "threads.ts", "processes.ts"]) {
    const flags = [...withBody("faults"), "-n", "5", "-w", "2"];
    const { code, stdout, stderr } = await run(`scripts/${script}`, flags, faults);
    assert.equal(code, 1);
    assert.match(stdout, /\n {2}item 0: .*it/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  }
});

test("api: who has stopped it goes on, also with nothing else that would keep a process alive", async () => {
  for (let time = 0; time < 3; time++)
    assert.equal((await run("test/programs/api-stopped.ts")).stdout, "went on\n");
});
