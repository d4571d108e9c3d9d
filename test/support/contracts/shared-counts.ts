import { beforeEach, expect, test } from "vitest";
import type { Clock } from "../../../src/base/clock.ts";
import type { SharedCounts } from "../../../src/base/shared-counts.ts";

type Make = (clock: Clock) => Promise<SharedCounts> | SharedCounts;

const patient = { timeout: 10_000, interval: 20 };
let now: number;
const clock: Clock = { now: () => new Date(now) };
let made = 0;

/** What SharedCounts do within one process. `make` gives those of one more process; the contract uses each name once. */
export function sharedCountsContract(make: Make): void {
  const { another, name } = world(make);

  test("after the free failures the wait doubles, and a success clears it", async () => {
    const throttle = (await another()).throttle(name(), { free: 3 });
    expect(await throttle.isBlocked("a")).toBe(false);
    for (const isBlocked of [false, false, true]) {
      expect(await throttle.attempt("a")).toBe(true);
      expect(await throttle.isBlocked("a")).toBe(isBlocked);
    }
    now += 1001;
    expect(await throttle.isBlocked("a")).toBe(false);
    expect(await throttle.attempt("a")).toBe(true);
    now += 1999;
    expect(await throttle.isBlocked("a")).toBe(true);
    now += 2;
    expect(await throttle.isBlocked("a")).toBe(false);
    expect(await throttle.isBlocked("b")).toBe(false);
    throttle.forgive("a");
    expect(await throttle.attempt("a")).toBe(true);
    expect(await throttle.isBlocked("a")).toBe(false);
  });

  test("an attempt at a blocked key is refused and not counted, and a failure counts nonetheless", async () => {
    const throttle = (await another()).throttle(name(), { free: 1 });
    expect(await throttle.attempt("a")).toBe(true);
    for (let count = 0; count < 10; count++) expect(await throttle.attempt("a")).toBe(false);
    now += 1001;
    expect(await throttle.isBlocked("a")).toBe(false);
    for (let count = 0; count < 3; count++) throttle.fail("a");
    // Once it is answered, the failures have been counted, at the time that was.
    expect(await throttle.isBlocked("a")).toBe(true);
    now += 7999;
    expect(await throttle.isBlocked("a")).toBe(true);
    now += 2;
    expect(await throttle.isBlocked("a")).toBe(false);
  });

  test("of many attempts at once only the free ones pass", async () => {
    const throttle = (await another()).throttle(name(), { free: 5 });
    const passed = await Promise.all(Array.from({ length: 50 }, () => throttle.attempt("a")));
    expect(passed.filter((isFree) => isFree)).toHaveLength(5);
  });

  test("an attempt that is withdrawn does not count", async () => {
    const throttle = (await another()).throttle(name(), { free: 2 });
    await throttle.attempt("a");
    await throttle.attempt("a");
    expect(await throttle.isBlocked("a")).toBe(true);
    throttle.withdraw("a");
    expect(await throttle.isBlocked("a")).toBe(false);
    throttle.withdraw("a");
    throttle.withdraw("a");
    await throttle.attempt("a");
    expect(await throttle.isBlocked("a")).toBe(false);
  });

  test("no wait is longer than 15 minutes, and failures are forgotten after an hour", async () => {
    const throttle = (await another()).throttle(name(), { free: 1 });
    for (let count = 0; count < 40; count++) throttle.fail("a");
    expect(await throttle.isBlocked("a")).toBe(true);
    now += 15 * 60_000 - 1;
    expect(await throttle.isBlocked("a")).toBe(true);
    now += 2;
    expect(await throttle.isBlocked("a")).toBe(false);
    now += 3600_000;
    await throttle.attempt("a");
    now += 1001;
    expect(await throttle.isBlocked("a")).toBe(false);
  });

  test("so many may happen in a stretch of time, for each key and each limit", async () => {
    const counts = await another();
    const [some, few] = [name(), name()];
    const rate = counts.rateLimit(some, { max: 3, windowMs: 60_000 });
    const outcomes = () => Promise.all(Array.from({ length: 5 }, () => rate.count("a")));
    expect(await outcomes()).toEqual([true, true, true, false, false]);
    expect(await rate.count("b")).toBe(true);
    expect(await counts.rateLimit(few, { max: 1, windowMs: 60_000 }).count("a")).toBe(true);
    now += 60_000;
    expect(await outcomes()).toEqual([true, true, true, false, false]);
  });

  test("a place that is left is free for another, and keys do not share places", async () => {
    const places = (await another()).placeLimit(name(), { max: 3 });
    expect(places.max).toBe(3);
    const taken = await Promise.all(Array.from({ length: 5 }, () => places.take("a")));
    expect(taken.filter((isTaken) => isTaken)).toHaveLength(3);
    expect(await places.take("b")).toBe(true);
    places.leave("a");
    expect(await places.take("a")).toBe(true);
    expect(await places.take("a")).toBe(false);
    for (let count = 0; count < 3; count++) places.leave("a");
    for (let count = 0; count < 3; count++) expect(await places.take("a")).toBe(true);
    expect(await places.take("a")).toBe(false);
  });
}

/** What the SharedCounts of several processes do together. `make` gives those of one more process. */
export function countsBetweenProcessesContract(make: Make): void {
  const { another, name } = world(make);

  test("failures in one process block a key in all, and a success in one clears it in all", async () => {
    const named = name();
    const [one, two] = [await another(), await another()].map((counts) => counts.throttle(named, { free: 4 }));
    for (const throttle of [one!, two!, one!, two!]) expect(await throttle.attempt("a")).toBe(true);
    expect(await one!.attempt("a")).toBe(false);
    expect(await two!.isBlocked("a")).toBe(true);
    two!.forgive("a");
    await expect.poll(() => one!.isBlocked("a"), patient).toBe(false);
  });

  test("what happens in all processes counts against a rate", async () => {
    const named = name();
    const [one, two] = [await another(), await another()].map((counts) =>
      counts.rateLimit(named, { max: 10, windowMs: 60_000 }),
    );
    for (let count = 0; count < 9; count++) expect(await one!.count("a")).toBe(true);
    let passed = 0;
    await expect
      .poll(async () => {
        if (await two!.count("a")) passed++;
        return passed;
      }, patient)
      .toBeGreaterThan(0);
    await expect.poll(() => two!.count("a"), patient).toBe(false);
    await expect.poll(() => one!.count("a"), patient).toBe(false);
  });

  test("turns that processes book lie apart, whoever books them", async () => {
    const named = name();
    const turns = [await another(), await another()].map((counts) => counts.turns(named));
    const waits: number[] = [];
    for (let round = 0; round < 3; round++) for (const one of turns) waits.push(await one.book("a", 60_000));
    for (const [at, wait] of waits.entries()) {
      // Less what has passed since the first.
      expect(wait).toBeLessThanOrEqual(at * 60_000);
      expect(wait).toBeGreaterThan(at * 60_000 - 30_000);
    }
    expect(await turns[1]!.book("b", 1_000)).toBe(0);
  });

  test("places taken in one process are taken in all, and come free in all", async () => {
    const named = name();
    const [one, two] = [await another(), await another()].map((counts) => counts.placeLimit(named, { max: 4 }));
    for (let count = 0; count < 4; count++) expect(await one!.take("a")).toBe(true);
    const beyond = await Promise.all(Array.from({ length: 10 }, () => two!.take("a")));
    expect(beyond.filter((isTaken) => isTaken).length).toBeLessThanOrEqual(1);
    for (const isTaken of beyond) if (isTaken) two!.leave("a");
    for (let count = 0; count < 4; count++) one!.leave("a");
    for (let count = 0; count < 4; count++) await expect.poll(() => two!.take("a"), patient).toBe(true);
    expect(await two!.take("a")).toBe(false);
  });

  test("the places of a process that closes come free", async () => {
    const named = name();
    const one = await another();
    const two = (await another()).placeLimit(named, { max: 2 });
    for (let count = 0; count < 2; count++) await one.placeLimit(named, { max: 2 }).take("a");
    await one.close();
    for (let count = 0; count < 2; count++) await expect.poll(() => two.take("a"), patient).toBe(true);
  });
}

function world(make: Make) {
  const open: SharedCounts[] = [];
  beforeEach(() => {
    now = Date.now();
    return async () => {
      for (const counts of open.splice(0)) await counts.close();
    };
  });
  const another = async (): Promise<SharedCounts> => {
    const counts = await make(clock);
    open.push(counts);
    return counts;
  };
  return { another, name: () => `limit ${process.pid} ${++made}` };
}
