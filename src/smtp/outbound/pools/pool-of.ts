import type { Sending } from "../../../store/core/db.ts";
import type { PoolClass } from "./pools-file.ts";

const dayMs = 86_400_000;
/** For how long a sender whose mail was held is watched, and how new an account is that may not send to many at once. */
const watchedMs = 14 * dayMs;
const newMs = 7 * dayMs;

/** What is known of a mail and of who sends it. */
export interface Departing {
  isBulk: boolean;
  /** Null: it was not scored. */
  spamScore: number | null;
  createdAt: Date;
  sending: Sending | null;
}

/** The pool that a mail leaves from: what may harm an address leaves from those that have little to lose. */
export function poolOf(
  { isBulk, spamScore, createdAt, sending }: Departing,
  { now, junkScore }: { now: Date; junkScore: number | undefined },
): PoolClass {
  const isSpam = spamScore !== null && junkScore !== undefined && spamScore >= junkScore;
  const since = (moment: string | Date | undefined) => now.getTime() - new Date(moment ?? 0).getTime();
  const isWatched = since(sending?.liftedAt) < watchedMs;
  if (isSpam || isWatched || (isBulk && since(createdAt) < newMs)) return "suspicious";
  return isBulk ? "bulk" : "personal";
}
