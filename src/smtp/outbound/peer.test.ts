import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { Peer } from "./peer.ts";

const make = (maxAtOnce: number) =>
  new Peer({
    key: "mx.test",
    maxAtOnce,
    places: undefined,
    isSlow: () => false,
    clock: systemClock,
    random: randomBytes,
  });
const person = { account: 1, isBulk: false };
const tick = () => new Promise((resolve) => setImmediate(resolve));

/** Work that ends when it is told. */
function work() {
  let end = () => {};
  const done = new Promise<string>((resolve) => (end = () => resolve("done")));
  return { run: () => done, end: () => end() };
}

test("so many run at once, and the others in turn", async () => {
  const peer = make(2);
  let running = 0;
  let most = 0;
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      peer.inTurn(person, async () => {
        most = Math.max(most, ++running);
        await tick();
        running--;
        return at;
      }),
    ),
  );
  await tick();
  expect([most, results.length, peer.isIdle]).toEqual([2, 20, true]);
});

test("work that fails does not keep the next from its turn", async () => {
  const peer = make(1);
  const failing = peer.inTurn(person, async () => {
    throw new Error("spoilt");
  });
  await expect(failing).rejects.toThrow("spoilt");
  expect(await peer.inTurn(person, async () => 1)).toBe(1);
});

test("what would wait for long comes back at the pace at which it can go", async () => {
  const peer = make(1);
  const first = work();
  void peer.inTurn(person, first.run);
  // Each mail is expected to take half a second.
  const waiting = Array.from({ length: 100 }, () => peer.inTurn(person, async () => "done"));
  await tick();
  const late = await Promise.all(waiting.slice(80));
  expect(late.every((one) => one instanceof Date)).toBe(true);
  const times = (late as unknown as Date[]).map((time) => time.getTime());
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  expect(times.at(-1)! - times[0]!).toBeCloseTo(19 * 500, -2);
  expect(times[0]! - Date.now()).toBeGreaterThan(25_000);
  first.end();
  expect(await waiting[0]).toBe("done");
});

test("at the end what waits comes back at once, and what runs goes on", async () => {
  const peer = make(1);
  const first = work();
  const running = peer.inTurn(person, first.run);
  const waiting = peer.inTurn(person, async () => "never");
  await tick();
  peer.close();
  expect(await waiting).toBeInstanceOf(Date);
  first.end();
  expect(await running).toBe("done");
});
