import { mailIdOf } from "../base/mail-log.ts";
import { receivedAmong } from "../store/queues/accounting.ts";
import { erroneousAttempts } from "../store/queues/attempts.ts";
import { waitingMessages } from "../store/queues/incoming.ts";
import { acceptedBetween } from "../store/queues/mail-log.ts";
import { countDeliveries } from "../store/queues/queue-orders.ts";
import { accountIds } from "../store/upkeep/accounts.ts";
import type { Admin } from "./admin.ts";
import { type QueueRow, type Selection, selectQueued } from "./queue-selection.ts";

/** Where all accepted mail is, counted by recipient. */
export interface Accounts {
  incoming: {
    accepted: number;
    delivered: number;
    waiting: number;
    setAside: number;
    /** Its account was removed meanwhile. */
    accountGone: number;
    /** Accepted, and nowhere to be found. */
    missing: { mail: string; account: number }[];
  };
  outgoing: {
    delivered: number;
    waiting: number;
    held: number;
    /** Failed, and returned to the sender unless nobody wants to know. */
    bounced: number;
    canceled: number;
    /** Of those that failed or wait, what the error queue has. */
    error: number;
  };
}

const pageSize = 1_000;
/** What was accepted just now may not be delivered yet, nor its row removed from the log's last write. */
const settledMs = 60_000;
/** What an account has received is remembered for 30 days (src/store/upkeep/sweeps.ts). */
const maxAgeMs = 29 * 24 * 3600_000;
const maxErrors = 100_000;

/**
 * Accounts for every mail that the log says was accepted since `since`: it is in each recipient's account, or still in the
 * queue, going back 29 days at most. And for every delivery of the submissions that are there.
 */
export async function auditQueues(
  admin: Admin,
  since: Date,
  tell: (text: string) => void = () => {},
): Promise<Accounts> {
  return { incoming: await auditIncoming(admin, since, tell), outgoing: await auditOutgoing(admin, tell) };
}

async function auditIncoming({ store }: Admin, wanted: Date, tell: (text: string) => void) {
  const { database, clock } = store;
  const since = new Date(Math.max(wanted.getTime(), clock.now().getTime() - maxAgeMs));
  const until = new Date(clock.now().getTime() - settledMs);
  const done: Accounts["incoming"] = {
    accepted: 0,
    delivered: 0,
    waiting: 0,
    setAside: 0,
    accountGone: 0,
    missing: [],
  };
  for (let after = 0; ; ) {
    const page = await acceptedBetween(database, { since, until, after, limit: pageSize });
    const promised = page.flatMap(({ mailId, fields }) =>
      (fields.accounts as number[]).map((account) => ({ account, mailId: mailId! })),
    );
    done.accepted += promised.length;
    const left: typeof promised = [];
    for (const [account, own] of Map.groupBy(promised, (one) => one.account)) {
      const received = await receivedAmong(
        database,
        account,
        own.map(({ mailId }) => mailId),
      );
      if (received === undefined) done.accountGone += own.length;
      else left.push(...own.filter(({ mailId }) => !received.has(mailId)));
    }
    done.delivered = done.accepted - done.accountGone;
    const rows = await waitingMessages(database, [...new Set(left.map(({ mailId }) => mailId))]);
    const queued = new Map(rows.map((row) => [row.id, row]));
    for (const { mailId, account } of left) {
      const row = queued.get(mailId);
      if (!row) done.missing.push({ mail: mailIdOf(mailId), account });
      else if (row.setAsideAt) done.setAside++;
      else done.waiting++;
    }
    tell(`incoming: ${done.accepted} accounted for`);
    if (page.length < pageSize) break;
    after = page.at(-1)!.mailId!;
  }
  done.delivered -= done.waiting + done.setAside + done.missing.length;
  return done;
}

async function auditOutgoing({ store, log }: Admin, tell: (text: string) => void) {
  const { database, clock } = store;
  const before = new Date(clock.now().getTime() + settledMs);
  const error = (await erroneousAttempts(database, log, { before, limit: maxErrors })).length;
  const done = { delivered: 0, waiting: 0, held: 0, bounced: 0, canceled: 0, error };
  const names = { sent: "delivered", queued: "waiting", failed: "bounced", canceled: "canceled" } as const;
  let accounts = 0;
  for (const userId of await accountIds(database)) {
    for (const { state, isHeld, count } of await countDeliveries(store.reader(userId, "server"))) {
      done[state === "queued" && isHeld ? "held" : names[state]] += count;
    }
    tell(`outgoing: ${++accounts} accounts`);
  }
  return done;
}

export interface Heap {
  /** What its mails have in common. */
  of: string;
  waiting: number;
  held: number;
  oldest: Date;
  /** Of the mail that is tried next. */
  lastReply: string;
}

export const heaps = {
  domain: (row: QueueRow) => row.rcptTo.slice(row.rcptTo.lastIndexOf("@") + 1).toLowerCase(),
  sender: (row: QueueRow) => row.mailFrom || "<>",
  reply: (row: QueueRow) => row.smtpReply,
};

/** The largest heaps of waiting mail. */
export async function topOfQueue(admin: Admin, by: keyof typeof heaps, selection: Selection, limit: number) {
  const found = new Map<string, Heap & { next: Date }>();
  for await (const page of selectQueued(admin, selection)) {
    for (const row of page) {
      const of = heaps[by](row);
      const heap = found.get(of) ?? {
        of,
        waiting: 0,
        held: 0,
        oldest: row.createdAt,
        lastReply: "",
        next: new Date(8e15),
      };
      found.set(of, heap);
      heap[row.standing === "held" ? "held" : "waiting"]++;
      if (row.createdAt < heap.oldest) heap.oldest = row.createdAt;
      if (row.nextAttemptAt < heap.next) Object.assign(heap, { next: row.nextAttemptAt, lastReply: row.smtpReply });
    }
  }
  const size = ({ waiting, held }: Heap) => waiting + held;
  return [...found.values()]
    .sort((one, other) => size(other) - size(one))
    .slice(0, limit)
    .map(({ next: _, ...heap }): Heap => heap);
}
