import { afterEach, expect, test } from "vitest";
import type { Batch, Carrier } from "../../../src/push/carrier.ts";

const patient = { timeout: 10_000 };

/** What every Carrier does. `make` gives one more process of the same installation. */
export function carrierContract(make: () => Carrier): void {
  const carriers: Carrier[] = [];
  afterEach(() => Promise.all(carriers.splice(0).map((carrier) => carrier.close())));

  function another(): Carrier {
    const carrier = make();
    carriers.push(carrier);
    return carrier;
  }

  async function listening(): Promise<{ carrier: Carrier; batches: Batch[] }> {
    const batches: Batch[] = [];
    const carrier = another();
    let isUp = false;
    await carrier.start({
      onBatch: (batch) => batches.push(batch),
      onUp: () => {
        isUp = true;
      },
    });
    await expect.poll(() => isUp, patient).toBe(true);
    return { carrier, batches };
  }

  const changes = [{ accountId: 7, changed: { Email: "1-5", Mailbox: "1-4" }, committedAt: 1_790_000_000_000 }];

  test("what one process sends all others receive, and it does not itself", async () => {
    const [one, two, three] = [await listening(), await listening(), await listening()];
    await one.carrier.send({ changes, revoked: ["ann@here.test"] });
    for (const { batches } of [two, three]) {
      await expect.poll(() => batches.flatMap((batch) => batch.changes), patient).toEqual(changes);
      await expect.poll(() => batches.flatMap((batch) => batch.revoked), patient).toEqual(["ann@here.test"]);
    }
    expect(one.batches).toEqual([]);
  });

  test("a process that only sends needs no start", async () => {
    const { batches } = await listening();
    await another().send({ changes: [], revoked: ["ann@here.test"] });
    await expect.poll(() => batches.flatMap((batch) => batch.revoked), patient).toEqual(["ann@here.test"]);
  });

  test("a batch of any size arrives whole", async () => {
    const [one, two] = [await listening(), await listening()];
    const many = Array.from({ length: 2_000 }, (_, n) => ({ accountId: n + 1, changed: { Email: `1-${n + 1}` } }));
    await one.carrier.send({ changes: many, revoked: [] });
    const received = () => new Map(two.batches.flatMap((b) => b.changes).map((c) => [c.accountId, c.changed.Email]));
    await expect.poll(() => received().size, patient).toBe(2_000);
    expect(received().get(2_000)).toBe("1-2000");
  });

  test("after close nothing more arrives, and the others go on", async () => {
    const [one, two, three] = [await listening(), await listening(), await listening()];
    await two.carrier.close();
    await one.carrier.send({ changes, revoked: [] });
    await expect.poll(() => three.batches.flatMap((batch) => batch.changes), patient).toEqual(changes);
    expect(two.batches).toEqual([]);
  });
}
