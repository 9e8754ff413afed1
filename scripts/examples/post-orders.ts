// A loop body for --body: POSTs an order, and tries again where the API asks for that.
//
// Every order has an id, which goes along as Idempotency-Key: an API that knows this header carries an
// order out once, also where it is sent again, here or by the next run after a crash.
//
// Run: npx tsx scripts/api.ts --port 8080 --error-rate 0.1     (in another terminal)
//      seq 1 200 | sed 's/.*/{"id":&,"amount":5}/' |
//        npx tsx scripts/async.ts --body scripts/examples/post-orders.ts --items - \
//          --url http://127.0.0.1:8080/ --results orders.jsonl

import { setTimeout as sleep } from "node:timers/promises";

interface Order {
  id: number;
  amount: number;
}

const TRIES = 4;

/** @param context Has what --url says. */
export default async function body(order: Order, { url }: { url: string }): Promise<unknown> {
  for (let tried = 1; ; tried++) {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": `order-${order.id}` },
      body: JSON.stringify(order),
      signal: AbortSignal.timeout(10_000),
    });
    if (response.ok) return response.json();
    await response.body?.cancel(); // unread, it would keep its connection
    const isBusy = response.status === 429 || response.status === 503;
    if (!isBusy || tried === TRIES) throw new Error(`order ${order.id}: status ${response.status}`);
    const seconds = Number(response.headers.get("retry-after")) || 0.1 * 2 ** tried;
    await sleep(Math.min(seconds, 60) * 1000);
  }
}
