import type { Sending } from "../../store/core/db.ts";

/** How many recipients an account may send to, by its age in days or the time since its mail was last let go. */
const levels = [
  { ageDays: 0, hourly: 200, daily: 500 },
  { ageDays: 7, hourly: 500, daily: 2_000 },
  { ageDays: 30, hourly: 1_000, daily: 5_000 },
  { ageDays: 90, hourly: 2_000, daily: 10_000 },
];
/** Each day of good sending, of the last 30, adds this share: seven times as much after a month. */
const growthOfGoodDay = 0.2;

const dayMs = 86_400_000;

/** In recipients; Infinity for none. */
export interface Limits {
  hourly: number;
  daily: number;
}

export interface SenderAge {
  createdAt: Date;
  sending: Sending;
  goodDays: number;
  now: Date;
}

/** What the account may send in a clock hour and in the 24 hours up to its end. What an operator has set counts instead. */
export function limitsOf({ createdAt, sending, goodDays, now }: SenderAge): Limits {
  const since = Math.max(createdAt.getTime(), Date.parse(sending.liftedAt ?? "") || 0);
  const ageDays = (now.getTime() - since) / dayMs;
  const level = levels.findLast((one) => ageDays >= one.ageDays) ?? levels[0]!;
  const grown = (count: number) => Math.round(count * (1 + growthOfGoodDay * goodDays));
  const daily = sending.daily ?? grown(level.daily);
  return { hourly: sending.hourly ?? Math.min(grown(level.hourly), daily), daily };
}

/** Of an installation that trusts its users. What an operator has set for an account counts all the same. */
export function ownLimitsOf({ hourly = Number.POSITIVE_INFINITY, daily = Number.POSITIVE_INFINITY }: Sending): Limits {
  return { hourly: Math.min(hourly, daily), daily };
}
