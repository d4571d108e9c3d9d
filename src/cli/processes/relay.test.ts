import { describe, expect, test } from "vitest";
import { carrierContract } from "../../../test/support/contracts/carrier.ts";
import { linkedLines } from "../../../test/support/linked-ports.ts";
import { silentLog } from "../../base/log.ts";
import type { Batch, Carrier, Receiver } from "../../push/carrier.ts";
import { LineCarrier, Relay } from "./relay.ts";

const batch: Batch = {
  changes: [{ accountId: 7, changed: { Email: "1-5" } }],
  revoked: ["ann@here.test"],
  queued: false,
  watched: [],
};

function child(relay: Relay): LineCarrier {
  const lines = linkedLines();
  relay.serve(lines.parent);
  return new LineCarrier(lines.child);
}

describe("LineCarrier", () => {
  const relay = new Relay([], silentLog);
  carrierContract(() => child(relay));
});

describe("a member of the relay", () => {
  const relay = new Relay([], silentLog);
  carrierContract(() => relay.join());
});

test("what a child sends also goes to other machines once, what comes from there goes to all children", async () => {
  const sent: Batch[] = [];
  let outside: Receiver | undefined;
  const carrier: Carrier = {
    start: async (receiver) => {
      outside = receiver;
    },
    send: async (one) => void sent.push(one),
    close: async () => {},
  };
  const relay = new Relay([carrier], silentLog);
  await relay.start();
  const heard: string[] = [];
  const children = [1, 2].map((number) => ({ number, carrier: child(relay) }));
  for (const { number, carrier } of children) {
    await carrier.follow(7);
    const onUp = () => heard.push(`${number} up`);
    await carrier.start({ onBatch: () => heard.push(`${number}`), onUp, onDown: () => {}, onGap: () => {} });
  }
  expect(heard.splice(0)).toEqual(["1 up", "2 up"]);
  await children[0]!.carrier.send(batch);
  await expect.poll(() => sent).toEqual([batch]);
  expect(heard.splice(0)).toEqual(["2"]);
  outside!.onBatch(batch);
  outside!.onUp();
  await expect.poll(() => heard.length).toBe(4);
  expect(heard.sort()).toEqual(["1", "1 up", "2", "2 up"]);
  expect(sent).toHaveLength(1);
  await relay.close();
});

test("a child is told of what it follows, and of all revocations", async () => {
  const relay = new Relay([], silentLog);
  const [sender, follower] = [child(relay), child(relay)];
  const heard: Batch[] = [];
  await follower.start({ onBatch: (one) => heard.push(one), onUp: () => {}, onDown: () => {}, onGap: () => {} });
  await follower.follow(7);
  const of = (accountId: number) => ({ accountId, changed: { Email: "1-5" } });
  await sender.send({ changes: [of(7), of(8)], revoked: [], queued: true, watched: [] });
  await sender.send({ changes: [of(8)], revoked: [], queued: true, watched: [] });
  await sender.send({ changes: [of(8)], revoked: ["ann@here.test"], queued: false, watched: [] });
  await expect.poll(() => heard).toHaveLength(2);
  expect(heard[0]).toEqual({ changes: [of(7)], revoked: [], queued: false, watched: [] });
  expect(heard[1]).toEqual({ changes: [], revoked: ["ann@here.test"], queued: false, watched: [] });
  follower.unfollow(7);
  await follower.follow("queued");
  await sender.send({ changes: [of(7)], revoked: [], queued: true, watched: [] });
  await expect.poll(() => heard).toHaveLength(3);
  expect(heard[2]).toEqual({ changes: [], revoked: [], queued: true, watched: [] });
  const news: Batch = { changes: [], revoked: [], queued: false, watched: ["acts"] };
  await sender.send(news);
  await follower.follow("watched");
  await sender.send(news);
  await expect.poll(() => heard).toHaveLength(4);
  expect(heard[3]).toEqual(news);
});

test("carriers follow what any child follows, for as long as one does, and take only what they carry", async () => {
  const told: unknown[] = [];
  const outside = (name: string, some: Partial<Carrier>): Carrier => ({
    start: async () => {},
    send: async (one) => void told.push([name, one]),
    close: async () => {},
    ...some,
  });
  const follow = async (topic: unknown) => void told.push(["follow", topic]);
  const unfollow = (topic: unknown) => void told.push(["unfollow", topic]);
  const relay = new Relay(
    [outside("all", { follow, unfollow }), outside("revocations", { isForRevocations: true })],
    silentLog,
  );
  const [one, other] = [relay.join(), relay.join()];
  await one.follow(7);
  await other.follow(7);
  one.unfollow(7);
  expect(told.splice(0)).toEqual([["follow", 7]]);
  await other.close();
  expect(told.splice(0)).toEqual([["unfollow", 7]]);
  await one.send(batch);
  await expect.poll(() => told).toHaveLength(2);
  expect(told).toContainEqual(["all", batch]);
  expect(told).toContainEqual(["revocations", { ...batch, changes: [] }]);
  await relay.close();
});
