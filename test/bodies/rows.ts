// Stores rows on a server, 100 at a time, over a connection that each worker opens once and closes.

import { once } from "node:events";
import { Agent, request } from "node:http";

let agent: Agent;
let url: string;
let rows: number[] = [];

export async function setup(context: { url: string }) {
  url = context.url;
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await post("opened", []);
}

export default async function body(item: number) {
  rows.push(item);
  if (rows.length < 100) return;
  const batch = rows;
  rows = [];
  await post("rows", batch);
}

export async function teardown() {
  await post("rows", rows);
  await post("closed", []);
  agent.destroy();
}

async function post(what: "opened" | "rows" | "closed", batch: number[]) {
  const headers = { "content-type": "application/json" };
  const sent = request(new URL(what, url), { method: "POST", headers, agent });
  sent.end(JSON.stringify(batch));
  const [reply] = await once(sent, "response");
  reply.resume();
  await once(reply, "end");
}
