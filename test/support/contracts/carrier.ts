import { afterEach, expect, test } from "vitest";
import type { Batch, Carrier, Topic } from "../../../src/push/carrier.ts";

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

  async function listening(...topics: Topic[]): Promise<{ carrier: Carrier; batches: Batch[] }> {
    const batches: Batch[] = [];
    const carrier = another();
    let isUp = false;
    const follow = topics.map((topic) => carrier.follow?.(topic));
    await carrier.start({
      onBatch: (batch) => batches.push(batch),
      onUp: () => {
        isUp = true;
      },
      onDown: () => {
        isUp = false;
      },
      onGap: () => {},
    });
    await expect.poll(() => isUp, patient).toBe(true);
    await Promise.all(follow);
    return { carrier, batches };
  }

  const changes = [{ accountId: 7, changed: { Email: "1-5", Mailbox: "1-4" }, committedAt: 1_790_000_000_000 }];

  test("what one process sends all others receive, and it does not itself", async () => {
    const [one, two, three] = [await listening(7), await listening(7), await listening(7)];
    await one.carrier.send({ changes, revoked: ["ann@here.test"], queued: false, watched: [] });
    for (const { batches } of [two, three]) {
      await expect.poll(() => batches.flatMap((batch) => batch.changes), patient).toEqual(changes);
      await expect.poll(() => batches.flatMap((batch) => batch.revoked), patient).toEqual(["ann@here.test"]);
    }
    expect(one.batches).toEqual([]);
  });

  test("queued mail is told to those that follow it", async () => {
    const [one, two] = [await listening("queued"), await listening("queued")];
    await one.carrier.send({ changes: [], revoked: [], queued: true, watched: [] });
    await expect.poll(() => two.batches.some(({ queued }) => queued), patient).toBe(true);
    expect(one.batches).toEqual([]);
  });

  test("what operators look at is told to those that follow it", async () => {
    const [one, two] = [await listening(), await listening("watched")];
    await one.carrier.send({ changes: [], revoked: [], queued: false, watched: ["mail", "acts"] });
    await expect.poll(() => two.batches.flatMap(({ watched }) => watched), patient).toEqual(["mail", "acts"]);
    expect(one.batches).toEqual([]);
  });

  test("what is no longer followed may be left out, and can be followed again", async () => {
    const [one, two] = [await listening(), await listening(7)];
    two.carrier.unfollow?.(7);
    await two.carrier.follow?.(7);
    await one.carrier.send({ changes, revoked: [], queued: false, watched: [] });
    await expect.poll(() => two.batches.flatMap((batch) => batch.changes), patient).toEqual(changes);
  });

  test("a process that only sends needs no start", async () => {
    const { batches } = await listening();
    await another().send({ changes: [], revoked: ["ann@here.test"], queued: false, watched: [] });
    await expect.poll(() => batches.flatMap((batch) => batch.revoked), patient).toEqual(["ann@here.test"]);
  });

  test("a batch of any size arrives whole", async () => {
    const many = Array.from({ length: 2_000 }, (_, n) => ({ accountId: n + 1, changed: { Email: `1-${n + 1}` } }));
    const [one, two] = [await listening(), await listening(...many.map(({ accountId }) => accountId))];
    await one.carrier.send({ changes: many, revoked: [], queued: false, watched: [] });
    const received = () => new Map(two.batches.flatMap((b) => b.changes).map((c) => [c.accountId, c.changed.Email]));
    await expect.poll(() => received().size, patient).toBe(2_000);
    expect(received().get(2_000)).toBe("1-2000");
  });

  test("after close nothing more arrives, and the others go on", async () => {
    const [one, two, three] = [await listening(7), await listening(7), await listening(7)];
    await two.carrier.close();
    await one.carrier.send({ changes, revoked: [], queued: false, watched: [] });
    await expect.poll(() => three.batches.flatMap((batch) => batch.changes), patient).toEqual(changes);
    expect(two.batches).toEqual([]);
  });
}
