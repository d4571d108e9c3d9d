import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import type { TypeName } from "../store/core/change.ts";
import { AccountMissing } from "../store/core/errors.ts";
import type { ChangeListener } from "./bus.ts";
import { chooseTypes, type StateChange, type States } from "./states.ts";
import { Subscriber } from "./subscriber.ts";

const patient = { timeout: 10_000 };

/** Keeps the states of accounts, and the listeners. */
class FakeBus {
  readonly accounts = new Map<number, States>([[1, { Mailbox: "1-3", Email: "1-5", EmailDelivery: "1-0" }]]);
  listener: ChangeListener | undefined;

  subscribe(_accountIds: Iterable<number>, listener: ChangeListener): () => void {
    this.listener = listener;
    return () => {
      this.listener = undefined;
    };
  }

  async states(accountId: number): Promise<States> {
    const states = this.accounts.get(accountId);
    if (!states) throw new AccountMissing(accountId);
    return { ...states };
  }

  change(changed: States, accountId = 1, swept = false, committedAt?: number): void {
    this.accounts.set(accountId, { ...this.accounts.get(accountId), ...changed });
    this.listener?.({ accountId, changed, committedAt }, swept);
  }
}

function subscribe(bus: FakeBus, options: { types?: string[]; pushState?: string | null; accountIds?: number[] } = {}) {
  const sent: StateChange[] = [];
  const committed: (number | undefined)[] = [];
  const full: { until?: Promise<void> } = {};
  const subscriber = new Subscriber({
    bus,
    accountIds: options.accountIds ?? [1],
    types: chooseTypes(options.types ?? null) as ReadonlySet<TypeName>,
    pushState: options.pushState ?? null,
    send: (change, committedAt) => {
      sent.push(change);
      committed.push(committedAt);
      return full.until;
    },
  });
  return { subscriber, sent, committed, full, changes: () => sent.map(({ changed }) => changed) };
}

describe("a subscriber", () => {
  it("says when the oldest of the changes that it merges was committed, unless it found them by comparing", async () => {
    const bus = new FakeBus();
    const { subscriber, committed, full } = subscribe(bus);
    await subscriber.start();
    const waits = Promise.withResolvers<void>();
    full.until = waits.promise;
    bus.change({ Email: "1-6" }, 1, false, 1_000);
    delete full.until;
    bus.change({ Email: "1-7" }, 1, false, 3_000);
    bus.change({ Email: "1-8" }, 1, false, 2_000);
    waits.resolve();
    await vi.waitFor(() => expect(committed).toEqual([1_000, 2_000]), patient);
    bus.change({ Email: "1-9" }, 1, true);
    await vi.waitFor(() => expect(committed).toEqual([1_000, 2_000, undefined]), patient);
    subscriber.close();
  });

  it("sends a change at once when idle", async () => {
    const bus = new FakeBus();
    const { subscriber, changes } = subscribe(bus);
    await subscriber.start();
    bus.change({ Email: "1-6" });
    expect(changes()).toEqual([{ u1: { Email: "1-6" } }]);
    subscriber.close();
    bus.change({ Email: "1-7" });
    expect(changes()).toHaveLength(1);
  });

  it("merges a storm into few messages, the last one with the newest states", async () => {
    const bus = new FakeBus();
    const { subscriber, changes } = subscribe(bus);
    await subscriber.start();
    for (let modseq = 6; modseq < 1006; modseq++) bus.change({ Email: `1-${modseq}`, Mailbox: `1-${modseq}` });
    await sleep(50);
    expect(changes()).toEqual([
      { u1: { Email: "1-6", Mailbox: "1-6" } },
      { u1: { Email: "1-1005", Mailbox: "1-1005" } },
    ]);
    subscriber.close();
  });

  it("sends nothing twice and nothing old", async () => {
    const bus = new FakeBus();
    const { subscriber, changes } = subscribe(bus);
    await subscriber.start();
    bus.change({ Email: "1-7" });
    bus.change({ Email: "1-6" });
    bus.change({ Email: "1-7" });
    await sleep(30);
    bus.change({ Email: "1-7" }, 1, true);
    await sleep(30);
    expect(changes()).toEqual([{ u1: { Email: "1-7" } }]);
    subscriber.close();
  });

  it("sends only the types asked for", async () => {
    const bus = new FakeBus();
    const { subscriber, changes } = subscribe(bus, { types: ["Mailbox"] });
    await subscriber.start();
    bus.change({ Email: "1-6" });
    bus.change({ Email: "1-7", Mailbox: "1-7" });
    expect(changes()).toEqual([{ u1: { Mailbox: "1-7" } }]);
    subscriber.close();
  });

  it("sends what a comparison found only if it is new", async () => {
    const bus = new FakeBus();
    const { subscriber, changes } = subscribe(bus);
    await subscriber.start();
    bus.change({ Mailbox: "1-3", Email: "1-5" }, 1, true);
    expect(changes()).toEqual([]);
    bus.change({ Mailbox: "1-3", Email: "1-9" }, 1, true);
    expect(changes()).toEqual([{ u1: { Email: "1-9" } }]);
    subscriber.close();
  });

  it("misses no change that comes while it starts", async () => {
    const bus = new FakeBus();
    const { subscriber, changes } = subscribe(bus);
    const started = subscriber.start();
    bus.change({ Email: "1-6" });
    await started;
    expect(changes()).toEqual([{ u1: { Email: "1-6" } }]);
    subscriber.close();
  });

  it("ignores an account that is gone", async () => {
    const bus = new FakeBus();
    const { subscriber, changes } = subscribe(bus, { accountIds: [9, 1] });
    await subscriber.start();
    bus.change({ Email: "1-6" });
    expect(changes()).toEqual([{ u1: { Email: "1-6" } }]);
    subscriber.close();
  });
});

describe("a push state", () => {
  it("brings the changes since then in every account, and nothing else", async () => {
    const bus = new FakeBus();
    bus.accounts.set(2, { Email: "1-4" });
    const first = subscribe(bus, { accountIds: [1, 2] });
    await first.subscriber.start();
    bus.change({ Email: "1-6" });
    const { pushState } = first.sent[0] as StateChange;
    expect(pushState).toBe(first.subscriber.pushState);
    first.subscriber.close();

    const same = subscribe(bus, { accountIds: [1, 2], pushState: pushState as string });
    await same.subscriber.start();
    expect(same.changes()).toEqual([]);
    same.subscriber.close();

    bus.change({ Mailbox: "1-8" });
    bus.change({ Email: "1-5" }, 2);
    const later = subscribe(bus, { accountIds: [1, 2], pushState: pushState as string });
    await later.subscriber.start();
    expect(later.changes()).toEqual([{ u1: { Mailbox: "1-8" }, u2: { Email: "1-5" } }]);
    bus.change({ Email: "1-9" });
    await sleep(30);
    expect(later.changes()[1]).toEqual({ u1: { Email: "1-9" } });
    later.subscriber.close();
  });

  it("that is not ours brings all current states, except of types that never changed", async () => {
    const bus = new FakeBus();
    const { subscriber, changes } = subscribe(bus, { pushState: "nonsense" });
    await subscriber.start();
    expect(changes()).toEqual([{ u1: { Mailbox: "1-3", Email: "1-5" } }]);
    subscriber.close();
  });

  it("from before a restore is answered with the current states", async () => {
    const bus = new FakeBus();
    const before = subscribe(bus);
    await before.subscriber.start();
    const { pushState } = before.subscriber;
    before.subscriber.close();
    bus.accounts.set(1, { Mailbox: "2-3", Email: "2-2" });
    const { subscriber, changes } = subscribe(bus, { pushState });
    await subscriber.start();
    expect(changes()).toEqual([{ u1: { Mailbox: "2-3", Email: "2-2" } }]);
    subscriber.close();
  });

  it("does not cover types that the connection was not told of", async () => {
    const bus = new FakeBus();
    const narrow = subscribe(bus, { types: ["Mailbox"] });
    await narrow.subscriber.start();
    bus.change({ Email: "1-6" });
    bus.change({ Mailbox: "1-7" });
    narrow.subscriber.close();
    const wide = subscribe(bus, { pushState: narrow.subscriber.pushState });
    await wide.subscriber.start();
    expect(wide.changes()).toEqual([{ u1: { Email: "1-6" } }]);
    wide.subscriber.close();
  });
});

describe("a slow client", () => {
  it("gets one message when it can take more, whatever happened meanwhile", async () => {
    const bus = new FakeBus();
    const { subscriber, sent, full, changes } = subscribe(bus);
    await subscriber.start();
    const gate = Promise.withResolvers<void>();
    full.until = gate.promise;
    bus.change({ Email: "1-6" });
    for (let modseq = 7; modseq < 500; modseq++) bus.change({ Email: `1-${modseq}` });
    await sleep(40);
    expect(sent).toHaveLength(1);
    gate.resolve();
    await sleep(40);
    expect(changes()).toEqual([{ u1: { Email: "1-6" } }, { u1: { Email: "1-499" } }]);
    subscriber.close();
  });
});
