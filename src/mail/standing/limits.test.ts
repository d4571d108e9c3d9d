import { expect, test } from "vitest";
import type { Sending } from "../../store/core/db.ts";
import { limitsOf } from "./limits.ts";
import { judgeReturns, judgeSent } from "./lines.ts";

const now = new Date("2026-06-01T12:00:00Z");
const ago = (days: number) => new Date(now.getTime() - days * 86_400_000);
const limits = (ageDays: number, goodDays: number, sending: Sending = {}) =>
  limitsOf({ createdAt: ago(ageDays), goodDays, sending, now });

test("limits grow with the account's age and with days of good sending", () => {
  expect(limits(0, 0)).toEqual({ hourly: 200, daily: 500 });
  expect(limits(8, 0)).toEqual({ hourly: 500, daily: 2_000 });
  expect(limits(8, 5)).toEqual({ hourly: 1_000, daily: 4_000 });
  expect(limits(400, 30)).toEqual({ hourly: 14_000, daily: 70_000 });
});

test("they begin anew when held mail was let go, and an operator's word counts instead", () => {
  expect(limits(400, 0, { liftedAt: ago(1).toISOString() })).toEqual({ hourly: 200, daily: 500 });
  expect(limits(0, 0, { daily: 90_000 })).toEqual({ hourly: 200, daily: 90_000 });
  expect(limits(0, 0, { daily: 0 })).toEqual({ hourly: 0, daily: 0 });
});

const nothing = { messages: 0, recipients: 0, spam: 0, away: 0, hard: 0, complaints: 0 };
const before = { dayMessages: 0, dayRecipients: 0, daySpam: 0, dayAway: 0, busiest: 0, goodDays: 0 };

test.each([
  [{ recipients: 190, hard: 19 }, undefined],
  [{ recipients: 200, hard: 20 }, "bounces"],
  [{ recipients: 201, hard: 20 }, undefined],
  [{ recipients: 100, complaints: 4 }, undefined],
  [{ recipients: 100, complaints: 5 }, "complaints"],
  [{ recipients: 10_000, complaints: 5 }, undefined],
])("what came back: %j", (counts, reason) => {
  expect(judgeReturns({ ...nothing, ...counts })?.reason).toBe(reason);
});

test.each([
  [{ messages: 20, spam: 9 }, undefined],
  [{ messages: 20, spam: 10 }, "spam"],
  [{ messages: 5, spam: 5, dayMessages: 5, daySpam: 5 }, "spam"],
  [{ messages: 100, spam: 10 }, undefined],
  [{ away: 49 }, undefined],
  [{ away: 60, busiest: 20 }, "takeover"],
  [{ away: 59, busiest: 20 }, undefined],
  [{ away: 10, dayAway: 40 }, "takeover"],
  // A lot, but as much as always.
  [{ away: 500, busiest: 300 }, undefined],
])("what was sent: %j", (counts, reason) => {
  expect(judgeSent({ ...nothing, ...before, ...counts })?.reason).toBe(reason);
});
