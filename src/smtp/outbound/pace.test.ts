import { randomBytes } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { Pace } from "./pace.ts";
import type { Answer } from "./reply.ts";

let now = 0;
let pace: Pace;
const clock = { now: () => new Date(now) };
beforeEach(() => {
  now = 1_000_000;
  pace = new Pace({ maxAtOnce: 8 }, { clock, random: randomBytes });
});

const taken: Answer[] = [{ kind: "relayed", smtpReply: "250 ok", remote: "mx.test" }];
const refused = (smtpReply: string): Answer[] => [{ kind: "deferred", smtpReply, remote: "mx.test" }];
const unreachable = refused("451 4.4.1 mx.test [192.0.2.1]: connection refused");
const ended = (answers: Answer[], isUnreachable = false, begunAt = now) =>
  pace.ended(answers, { begunAt, isUnreachable });

test.each(["421 4.7.0 too many connections", "421 try later", "450 4.7.1 rate limited", "451 4.7.500 busy"])(
  "%s halves what goes at once, and mails go one by one",
  (reply) => {
    expect(pace.book()).toBe(0);
    ended(refused(reply));
    expect([pace.atOnce, pace.intervalMs]).toEqual([4, 500]);
    expect(pace.book()).toBeGreaterThan(300);
    expect(pace.book()).toBeGreaterThan(600);
  },
);

test.each([
  "450 4.7.1 greylisted, come back",
  "451 4.3.0 disk full",
  "452 4.2.2 mailbox full",
  "451 4.7.5 bad certificate",
  "550 5.7.1 no",
])("%s slows nothing", (reply) => {
  ended(refused(reply));
  expect(pace.isUsual).toBe(true);
});

test("mails that began together slow it once", () => {
  const begunAt = now - 100;
  ended(refused("421 4.7.0 slow down"), false, begunAt);
  ended(refused("421 4.7.0 slow down"), false, begunAt);
  expect(pace.atOnce).toBe(4);
  now += 1000;
  ended(refused("421 4.7.0 slow down"));
  expect([pace.atOnce, pace.intervalMs]).toEqual([2, 1000]);
});

test("it opens again step by step", () => {
  for (let count = 0; count < 3; count++) {
    now += 1000;
    ended(refused("421 4.7.0 slow down"));
  }
  expect([pace.atOnce, pace.intervalMs]).toEqual([1, 2000]);
  const steps: string[] = [];
  for (let count = 0; !pace.isUsual && count < 1_000; count++) {
    ended(taken);
    const step = `${pace.atOnce} ${pace.intervalMs}`;
    if (steps.at(-1) !== step) steps.push(step);
  }
  expect(steps).toEqual([
    "1 2000",
    "1 1000",
    "1 500",
    "1 250",
    "1 125",
    "1 62.5",
    "1 0",
    ...[2, 3, 4, 5, 6, 7, 8].map((n) => `${n} 0`),
  ]);
});

const isTried = async () => (await pace.notTried()) === undefined;

test("while nothing is reachable one mail at a time tries, after longer and longer pauses", async () => {
  expect(await isTried()).toBe(true);
  ended(unreachable, true);
  expect((await pace.notTried())?.answer).toBe(unreachable[0]);
  let pauses = 0;
  for (let minutes = 1; minutes <= 16; minutes *= 2) {
    now += minutes * 60_000 * 0.7;
    expect(await isTried(), `${minutes}`).toBe(false);
    now += minutes * 60_000 * 0.6;
    expect(await isTried()).toBe(true);
    // Others wait for the one that tries.
    const others = [isTried(), isTried()];
    ended(unreachable, true);
    expect(await Promise.all(others)).toEqual([false, false]);
    pauses++;
  }
  now += 45 * 60_000;
  expect(await isTried()).toBe(true);
  const others = [isTried(), isTried()];
  ended(taken);
  expect(await Promise.all(others)).toEqual([true, true]);
  expect([pauses, pace.isUsual]).toEqual([5, true]);
});

test("who asks for an attempt at once gets one, and others that were asked for at the same time its outcome", async () => {
  ended(unreachable, true);
  now += 5_000;
  const urgedAt = new Date(now);
  expect(await isTried()).toBe(false);
  now += 1_000;
  expect(await pace.notTried(urgedAt)).toBeUndefined();
  const others = [isTried(), pace.notTried(urgedAt)];
  now += 10;
  ended(refused("451 4.4.1 mx.test [192.0.2.1]: still refused"), true, now - 10);
  expect(await others[0]).toBe(false);
  expect(await others[1]).toMatchObject({ answer: { smtpReply: "451 4.4.1 mx.test [192.0.2.1]: still refused" } });
  expect(await isTried()).toBe(false);
  expect(await pace.notTried(new Date(now + 1))).toBeUndefined();
  ended(taken);
  expect(await isTried()).toBe(true);
});

test("a mail that began before the first failure tells nothing new, and one that was not tried lets the next one try", async () => {
  const begunAt = now - 10;
  ended(unreachable, true, begunAt);
  ended(unreachable, true, begunAt);
  now += 76_000;
  expect(await isTried()).toBe(true);
  const next = isTried();
  pace.dropped();
  expect(await next).toBe(true);
});
