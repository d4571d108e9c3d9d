import { queueDepths } from "../store/queues/queue-sweeps.ts";
import { type Traffic, trafficSince } from "../store/queues/traffic.ts";
import { countWaiting, type WaitingCounts } from "../store/queues/waiting.ts";
import type { Admin } from "./admin.ts";
import { pageOfQueue } from "./waiting-mails.ts";

type Reading = Pick<Admin, "store">;

/** What went through in a minute. */
export interface Minute {
  at: Date;
  in: { accepted: number; refused: number; failed: number };
  out: { sent: number; deferred: number; failed: number };
}

export interface Destination {
  /** "*" for all that were not counted by name. */
  domain: string;
  sent: number;
  deferred: number;
  failed: number;
}

/** How long something took: so many, and the time within which half of them, and 19 of 20, were done; null without any. */
export interface Latency {
  count: number;
  halfMs: number | null;
  mostMs: number | null;
}

/** The last hour of the whole installation. */
export interface LastHour {
  /** 60 of them, oldest first; the last is not over. */
  minutes: Minute[];
  filed: { inbox: number; junk: number; virus: number };
  feedback: { delivery: number; complaint: number; challenge: number };
  /** Those with the most tries first. */
  destinations: Destination[];
  api: Latency;
  push: Latency;
}

export interface QueueSums extends WaitingCounts {
  /** Taken, and not yet in every account. */
  incoming: number;
  incomingAgeSeconds: number;
  setAside: number;
  /** For how long the oldest has been due. */
  dueAgeSeconds: number;
}

const minuteMs = 60_000;
const minutes = 60;
/** 60 minutes of all kinds, with 50 destinations of each of several processes, are fewer. */
const maxRows = 50_000;
const maxDestinations = 30;

/** The counts of the last hour: their cost depends on that hour, not on the installation. */
export async function lastHour({ store }: Reading): Promise<LastHour> {
  const now = Math.floor(store.clock.now().getTime() / minuteMs) * minuteMs;
  const begin = now - (minutes - 1) * minuteMs;
  const rows = await trafficSince(store.database, new Date(begin), maxRows);
  const sum = (kind: string, what: string) => total(rows.filter((row) => row.kind === kind && row.what === what));
  const byMinute = Map.groupBy(rows, ({ minute }) => minute.getTime());
  return {
    minutes: Array.from({ length: minutes }, (_, at) => {
      const time = begin + at * minuteMs;
      return minuteOf(new Date(time), byMinute.get(time) ?? []);
    }),
    filed: { inbox: sum("filed", "inbox"), junk: sum("filed", "junk"), virus: sum("filed", "virus") },
    feedback: {
      delivery: sum("feedback", "delivery"),
      complaint: sum("feedback", "complaint"),
      challenge: sum("feedback", "challenge"),
    },
    destinations: destinationsOf(rows),
    api: latencyOf(rows, "api"),
    push: latencyOf(rows, "push"),
  };
}

const total = (rows: readonly Traffic[]) => rows.reduce((sum, { count }) => sum + count, 0);

function minuteOf(at: Date, rows: readonly Traffic[]): Minute {
  const taken = (what: string) => total(rows.filter((row) => row.kind === "in" && row.what === what));
  const gone = (what: string) => total(rows.filter((row) => row.kind === "out" && row.what.startsWith(`${what} `)));
  return {
    at,
    in: { accepted: taken("accepted"), refused: taken("refused"), failed: taken("failed") },
    out: { sent: gone("sent"), deferred: gone("deferred"), failed: gone("failed") },
  };
}

function destinationsOf(rows: readonly Traffic[]): Destination[] {
  const found = new Map<string, Destination>();
  for (const { kind, what, count } of rows) {
    if (kind !== "out") continue;
    const [outcome = "", domain = ""] = what.split(" ");
    const one = found.get(domain) ?? { domain, sent: 0, deferred: 0, failed: 0 };
    found.set(domain, one);
    if (outcome === "sent" || outcome === "deferred" || outcome === "failed") one[outcome] += count;
  }
  const size = ({ sent, deferred, failed }: Destination) => sent + deferred + failed;
  return [...found.values()].sort((one, other) => size(other) - size(one)).slice(0, maxDestinations);
}

/** `what` is the upper bound in milliseconds of those that it counts, or "slow". */
export function latencyOf(rows: readonly Omit<Traffic, "minute">[], kind: string): Latency {
  const counts = new Map<number, number>();
  for (const { kind: one, what, count } of rows) {
    if (one !== kind) continue;
    const bound = what === "slow" ? Number.POSITIVE_INFINITY : Number(what);
    counts.set(bound, (counts.get(bound) ?? 0) + count);
  }
  const sorted = [...counts].sort(([one], [other]) => one - other);
  const count = sorted.reduce((sum, [, more]) => sum + more, 0);
  const within = (share: number) => {
    let seen = 0;
    for (const [bound, more] of sorted) {
      seen += more;
      if (seen >= share * count) return Number.isFinite(bound) ? bound : null;
    }
    return null;
  };
  return { count, halfMs: within(0.5), mostMs: within(0.95) };
}

/** From tables of the coordinator alone, at most 10,000 rows of each. */
export async function queueSums({ store }: Reading): Promise<QueueSums> {
  const now = store.clock.now();
  const [counts, depths] = await Promise.all([countWaiting(store.database, now), queueDepths(store.database, now)]);
  const { incoming, incomingAgeSeconds, setAside, dueAgeSeconds } = depths;
  return { ...counts, incoming, incomingAgeSeconds, setAside, dueAgeSeconds };
}

/** What the servers of a domain said last to a mail that waits for them; undefined if none of the first waiting mails is for it. */
export async function lastReplyOf(admin: Reading, domain: string): Promise<string | undefined> {
  const first = { userId: 0, submissionId: 0 };
  const { mails } = await pageOfQueue(admin, { account: null, domain }, { after: first, limit: 1 });
  const waits = mails[0]?.deliveries.filter(({ rcptTo, attempts }) => attempts > 0 && rcptTo.endsWith(`@${domain}`));
  return waits?.[0]?.smtpReply;
}
