import { expect, test, vi } from "vitest";
import { silentLog } from "../base/log.ts";
import type { Batch, Carrier } from "./carrier.ts";
import { Outbox } from "./outbox.ts";

/** A busy machine may take longer than the usual second. */
const patiently = { timeout: 10_000 };

/** A carrier that fails a given number of times. */
function carrier() {
  const tried: Batch[] = [];
  const told: Batch[] = [];
  const it = {
    failures: 0,
    tried,
    told,
    start: async () => {},
    close: async () => {},
    async send(batch: Batch) {
      tried.push(batch);
      if (it.failures-- > 0) throw new Error("down");
      told.push(batch);
    },
  } satisfies Carrier & Record<string, unknown>;
  return it;
}

test("events that occur together are sent together, and later ones follow", async () => {
  const line = carrier();
  const outbox = new Outbox(line, silentLog);
  outbox.add({ accountId: 1, changed: { Email: "1-2" } });
  outbox.add({ accountId: 1, changed: { Email: "1-3", Mailbox: "1-3" } });
  outbox.add({ credential: "ann@example.org" });
  await vi.waitFor(() => expect(line.told).toHaveLength(1), patiently);
  expect(line.told[0]).toEqual({
    changes: [{ accountId: 1, changed: { Email: "1-3", Mailbox: "1-3" } }],
    revoked: ["ann@example.org"],
    queued: false,
    watched: [],
  });
  outbox.add({ accountId: 2, changed: { Email: "1-1" } });
  await vi.waitFor(() => expect(line.told).toHaveLength(2), patiently);
  await outbox.close();
  expect(line.tried).toHaveLength(2);
});

test("a failed batch is retried, merged with what has come meanwhile", async () => {
  const line = carrier();
  line.failures = 2;
  const outbox = new Outbox(line, silentLog);
  outbox.add({ accountId: 1, changed: { Email: "1-2" }, committedAt: 1_000 });
  await vi.waitFor(() => expect(line.tried).toHaveLength(2), patiently);
  outbox.add({ accountId: 1, changed: { Email: "1-4" }, committedAt: 2_000 });
  outbox.add({ accountId: 2, changed: { Thread: "1-1" } });
  await vi.waitFor(() => expect(line.told).toHaveLength(1), patiently);
  expect(line.told[0]!.changes).toEqual([
    { accountId: 1, changed: { Email: "1-4" }, committedAt: 1_000 },
    { accountId: 2, changed: { Thread: "1-1" } },
  ]);
  await outbox.close();
});

test("closing makes one last attempt without a pause", async () => {
  const line = carrier();
  line.failures = 100;
  const outbox = new Outbox(line, silentLog);
  outbox.add({ accountId: 1, changed: { Email: "1-2" } });
  await vi.waitFor(() => expect(line.tried).toHaveLength(4), patiently);
  await outbox.close();
  expect(line.tried).toHaveLength(5);
});
