import { expect, test } from "vitest";
import { createTestStore } from "../../test/support/postgres.ts";
import { createMetrics } from "../ops/metrics.ts";
import { gaugeQueues } from "./gauges.ts";

test("a scrape counts each queue once", async () => {
  const statements: string[] = [];
  const store = await createTestStore({ observe: (text) => statements.push(text) });
  const metrics = createMetrics();
  gaugeQueues(metrics, store);
  const text = await metrics.text();
  expect(text).toMatch(/^posthorn_incoming_messages 0$/m);
  expect(text).toMatch(/^posthorn_outgoing_recipients 0$/m);
  expect(statements).toHaveLength(2);
  await metrics.text();
  expect(statements).toHaveLength(4);
});
