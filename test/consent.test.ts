import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { checkConsent, isThisMachine } from "../lib/command/consent.ts";
import { run } from "./support/process.ts";

test("consent: which hosts are this machine", () => {
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address);
  for (const host of ["localhost", "127.0.0.1", "127.8.9.1", "[::1]", "a.localhost", ...own])
    assert.ok(isThisMachine(host), host);
  for (const host of ["example.com", "10.255.255.1", "localhost.example.com", "127.example.com"])
    assert.ok(!isThisMachine(host), host);
});

test("consent: none is needed for few requests, for this machine, or with --yes", () => {
  const there = new URL("http://api.example.com/");
  checkConsent(there, 100, { retries: 0, yes: false });
  checkConsent(new URL("http://127.0.0.1:1/"), 1e6, { retries: 0, yes: false });
  checkConsent(undefined, 1e6, { retries: 0, yes: false });
  checkConsent(there, 1e6, { retries: 0, yes: true });
  assert.throws(() => checkConsent(there, 50, { retries: 2, yes: false }), { name: "UsageError" });
});

for (const [script, flags, count] of [
  ["async", ["-n", "50,51"], "101 requests"],
  ["threads", ["-n", "101", "--retries", "2"], "101 requests \\(each up to 3 times\\)"],
  ["compare", ["-n", "60", "-t", "async,threads"], "120 requests"],
  ["compare", ["-n", "10", "-t", "async,threads", "--runs", "6"], "120 requests"],
  ["compare", ["-n", "5", "-t", "async", "--timeline", "200"], "205 requests"],
] as const) {
  test(`consent: ${script} ${flags.join(" ")} sends nothing to another machine without it`, async () => {
    const url = "http://user:s3cret@api.example.com/";
    const { code, stdout, stderr } = await run(`scripts/${script}.ts`, [...flags, "--url", url]);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      new RegExp(`^error: about to send ${count} to api\\.example\\.com: add --yes .*\n$`),
    );
  });
}
