// Everything at once: an API that drops, refuses and dawdles, while workers are killed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { servePracticeApi } from "../support/counting-api.ts";
import { commandLine, descendants, start, withBody } from "../support/process.ts";
import { nameOf, SCRIPTS } from "../support/scripts.ts";
import { checkRecord } from "../support/technique.ts";

/** How many requests: STORM=10000 makes it a soak of five minutes. */
const REQUESTS = Number(process.env.STORM ?? 400);
const BAD_API = { jitterMs: 1, errorRate: 0.05, resetRate: 0.05 };
const isPool = (text: string) => text.includes("--worker-of=");

for (const loop of SCRIPTS) {
  const { script, flags, workers } = loop;
  // One request after another would take most of a minute.
  const count = workers === "none" && script !== "async.ts" ? REQUESTS / 5 : REQUESTS;
  for (const retries of [0, 3]) {
    test(`${nameOf(loop)}: ${count} requests in a storm, ${retries} retries: all accounted for`, async () => {
      const api = await servePracticeApi(BAD_API);
      // A thread cannot be killed from outside: four end themselves.
      const dying = [...withBody("posting"), "-w", "4"];
      const posting = workers === "threads" ? dying : ["--url", api.url, "-w", "8"];
      const running = start(
        `scripts/${script}`,
        [...["-n", `${count}`, "--retries", `${retries}`], ...[...posting, "--json", ...flags]],
        { API_URL: api.url, RETRIES: `${retries}`, DIES_EVERY: `${REQUESTS / 4}` },
      );
      let over = false;
      void running.ended.then(() => {
        over = true;
      });
      let killed = 0;
      while (workers === "processes" && !over) {
        await sleep(1000);
        const [victim] = descendants(running.child.pid!).filter((pid) => isPool(commandLine(pid)));
        if (victim === undefined || over) continue;
        try {
          process.kill(victim, "SIGKILL");
          killed++;
        } catch {} // it was quick
      }
      const { records, stderr } = await running.ended;
      const stats = await api.stats();
      api.stop();
      const [record] = records;
      assert.ok(record, stderr);
      checkRecord(record, count);
      const { statuses, errors } = record;
      const died = errors.WorkerDied ?? 0;
      if (workers === "none") assert.equal(died, 0);
      if (workers === "threads") assert.equal(died, 4);
      assert.ok(died <= (workers === "threads" ? 4 : killed));
      if (retries > 0) {
        // Only what a killed worker was on is lost. (Four times unlucky in a row: 1 in 10,000.)
        const unlucky = record.failed - died;
        assert.ok(unlucky <= 3 + count / 500, JSON.stringify({ statuses, errors }));
        return;
      }
      // The API's own counts, but for what it had answered to a worker that was then killed.
      for (const [own, theirs] of [
        [statuses[201] ?? record.ok, stats.statuses[201]!],
        [statuses[503] ?? errors.HTTP_503 ?? 0, stats.statuses[503]!],
      ] as const)
        assert.ok(own <= theirs && own >= theirs - died, `${own} of ${theirs}`);
      assert.ok(stats.requests <= count && stats.requests >= count - died);
      assert.deepEqual(
        Object.keys(errors).filter(
          (key) => !/^(WorkerDied|ECONNRESET|UND_ERR_SOCKET|HTTP_503)$/.test(key),
        ),
        [],
      );
    });
  }
}
