import { holdFor } from "../mail/standing/hold.ts";
import { type Limits, limitsOf, ownLimitsOf } from "../mail/standing/limits.ts";
import { returnsForMs } from "../mail/standing/lines.ts";
import type { HoldReason, Sending } from "../store/core/db.ts";
import { mainAddress } from "../store/directory/logins.ts";
import { hintQueued } from "../store/queues/due.ts";
import { countHeldMail, findSender, knownSenders, releaseMail } from "../store/queues/held-senders.ts";
import { countDeliveries } from "../store/queues/queue-orders.ts";
import { forgiveSent, goodDaysOf, type SentCounts, sentSince } from "../store/queues/sent-hours.ts";
import { type Admin, changeAccount } from "./admin.ts";
import { loginOf } from "./names.ts";
import { Refused } from "./refused.ts";

/** Since when and why an account's mail is held. */
export interface HoldSaid {
  at: string;
  reason: HoldReason;
  text: string;
}

export interface StandingRow {
  login: string;
  hold: HoldSaid | null;
  /** Deliveries that wait because of it. */
  waiting: number;
  /** Limits that an operator has set; null for none. */
  hourly: number | null;
  daily: number | null;
}

/** The accounts whose mail is held, or that have limits of their own. */
export async function listStandings({ store, log }: Admin, limit: number): Promise<StandingRow[]> {
  const rows: StandingRow[] = [];
  for (const { userId, sending } of await knownSenders(store.database, log, limit)) {
    const { hold, hourly = null, daily = null } = sending ?? {};
    if (!hold && hourly === null && daily === null) continue;
    const login = (await mainAddress(store.database, userId)) ?? `number ${userId}`;
    const waiting = hold ? await countHeldMail(store.reader(userId, "server")) : 0;
    rows.push({ login, hold: said(hold), waiting, hourly, daily });
  }
  return rows;
}

const said = (hold: Sending["hold"]): HoldSaid | null =>
  hold ? { at: hold.at, reason: hold.reason, text: hold.text } : null;

export interface StandingShown extends Omit<StandingRow, "hourly" | "daily"> {
  createdAt: Date;
  liftedAt: string | null;
  /** In recipients; null for no limit. */
  limits: { hourly: number | null; daily: number | null };
  /** Whether an operator has set them. */
  isOwnLimit: boolean;
  goodDays: number;
  /** In this hour of the clock, in the 24 hours up to its end, and in the 7 days that count for what came back. */
  sent: { hour: SentCounts; day: SentCounts; week: SentCounts };
}

const hourMs = 3_600_000;

/** `isLimited`: whether accounts have limits by themselves. */
export async function showStanding(admin: Admin, text: string, isLimited: boolean): Promise<StandingShown> {
  const { login, userId } = await loginOf(admin, text);
  const { store } = admin;
  const now = store.clock.now();
  const reader = store.reader(userId, "server");
  const sender = await findSender(reader);
  if (!sender) throw new Refused({ type: "noAccount", login });
  const sending = sender.sending ?? {};
  const goodDays = await goodDaysOf(reader, now);
  const limits = isLimited ? limitsOf({ ...sender, sending, goodDays, now }) : ownLimitsOf(sending);
  const hour = Math.floor(now.getTime() / hourMs) * hourMs;
  const since = async (moment: number) => {
    const { busiest: _, ...counts } = await sentSince(reader, new Date(moment));
    return counts;
  };
  return {
    login,
    createdAt: sender.createdAt,
    hold: said(sending.hold),
    waiting: await countHeldMail(reader),
    liftedAt: sending.liftedAt ?? null,
    limits: finite(limits),
    isOwnLimit: sending.hourly !== undefined || sending.daily !== undefined,
    goodDays,
    sent: {
      hour: await since(hour),
      day: await since(hour - 23 * hourMs),
      week: await since(now.getTime() - returnsForMs),
    },
  };
}

function finite({ hourly, daily }: Limits): StandingShown["limits"] {
  const orNull = (count: number) => (Number.isFinite(count) ? count : null);
  return { hourly: orNull(hourly), daily: orNull(daily) };
}

interface Ordered {
  login: string;
  /** Deliveries that are held, or go. */
  deliveries: number;
}

/** Holds all mail of the account: what waits, and what it submits from now on. A dry run only counts. */
export async function holdSender(
  admin: Admin,
  text: string,
  { reason, isDryRun }: { reason: string; isDryRun: boolean },
): Promise<Ordered> {
  const { login, userId } = await loginOf(admin, text);
  const reader = admin.store.reader(userId, "server");
  if ((await findSender(reader))?.sending?.hold) throw new Refused({ type: "heldAlready", login });
  if (isDryRun) {
    const waiting = (await countDeliveries(reader)).filter(({ state, isHeld }) => state === "queued" && !isHeld);
    return { login, deliveries: waiting.reduce((sum, { count }) => sum + count, 0) };
  }
  const deliveries = await changeAccount(admin, { userId }, { act: "standing.hold", reason }, async (tx) => {
    if (tx.sending.hold) throw new Refused({ type: "heldAlready", login });
    return holdFor(tx, { reason: "operator", text: reason });
  });
  return { login, deliveries };
}

/** Lets all mail go that was held for the account's standing, and begins to count anew. A dry run only counts. */
export async function liftSender(admin: Admin, text: string, { isDryRun }: { isDryRun: boolean }): Promise<Ordered> {
  const { store, bus } = admin;
  const { login, userId } = await loginOf(admin, text);
  const reader = store.reader(userId, "server");
  if (!(await findSender(reader))?.sending?.hold) throw new Refused({ type: "notHeld", login });
  if (isDryRun) return { login, deliveries: await countHeldMail(reader) };
  const deliveries = await changeAccount(admin, { userId }, { act: "standing.lift" }, async (tx) => {
    if (!tx.sending.hold) throw new Refused({ type: "notHeld", login });
    forgiveSent(tx);
    return releaseMail(tx);
  });
  await hintQueued(store.database, userId, store.clock.now());
  bus.publish({ queued: "submissions" });
  return { login, deliveries };
}

/** Sets limits of the account, in recipients; null takes one away, so that age and good behaviour count again. */
export async function setSendingLimits(
  admin: Admin,
  text: string,
  change: { hourly?: number | null; daily?: number | null },
): Promise<StandingRow> {
  const { login, userId } = await loginOf(admin, text);
  const before = (await findSender(admin.store.reader(userId, "server")))?.sending ?? {};
  const { hourly = before.hourly ?? null, daily = before.daily ?? null } = change;
  await changeAccount(admin, { userId }, { act: "standing.limits", hourly, daily }, async (tx) => {
    const { hourly: _, daily: __, ...rest } = tx.sending;
    tx.changeSending({ ...rest, ...(hourly !== null && { hourly }), ...(daily !== null && { daily }) });
  });
  return { login, hold: said(before.hold), waiting: 0, hourly, daily };
}
