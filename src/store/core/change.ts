import type { TransactionExecutor } from "./connection.ts";
import { statement } from "./sql.ts";

/** Data types that have a state. The numbers stand in the change log: append only. */
export const typeCodes = {
  Mailbox: 1,
  Thread: 2,
  Email: 3,
  Identity: 4,
  EmailSubmission: 5,
  VacationResponse: 6,
  EmailDelivery: 7,
  Quota: 8,
  PushSubscription: 9,
} as const;
export type TypeName = keyof typeof typeCodes;
export const typeNames = Object.keys(typeCodes) as TypeName[];

/** What happened to an object; several may hold of one row. */
export const Kind = {
  created: 1,
  mailboxes: 2,
  keywords: 4,
  properties: 8,
  /** A Mailbox whose counts moved. */
  counts: 16,
  destroyed: 32,
} as const;

export interface Change {
  type: TypeName;
  id: number;
  kind: number;
  /** The thread of an Email, for /queryChanges with collapseThreads. */
  threadId?: number;
  /** Of a destroyed Email, for /queryChanges with upToId. */
  receivedAt?: Date | null;
  /** Set where several writes are folded into one transaction; the transaction's last modseq otherwise. */
  modseq?: number;
}

const appendChanges = statement(`
  INSERT INTO change (user_id, type, modseq, id, kind, thread_id, received_at, changed_at)
  SELECT a.user_id, c.type, c.modseq, c.id, c.kind, c.thread_id, c.received_at, $8
  FROM account a, unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::smallint[], $6::bigint[], $7::timestamptz[])
    AS c (type, modseq, id, kind, thread_id, received_at)
  WHERE a.user_id = $1`);

/** Collects what a transaction changed: one row per (type, modseq, id), kinds joined. */
export class ChangeSet {
  #rows = new Map<string, Required<Change>>();

  add(change: Change, modseq: number): void {
    const { threadId = 0, receivedAt = null } = change;
    const row = { ...change, modseq: change.modseq ?? modseq, threadId, receivedAt };
    const key = `${row.type} ${row.modseq} ${row.id}`;
    const known = this.#rows.get(key);
    if (known) {
      known.kind |= row.kind;
      known.receivedAt ??= row.receivedAt;
    } else this.#rows.set(key, row);
  }

  /** What has been added so far; `restore` goes back to it when a savepoint is rolled back. */
  mark(): Map<string, Required<Change>> {
    return new Map([...this.#rows].map(([key, row]) => [key, { ...row }]));
  }

  restore(mark: Map<string, Required<Change>>): void {
    this.#rows = mark;
  }

  get rows(): Required<Change>[] {
    return [...this.#rows.values()];
  }

  /** Type → its newest modseq in this transaction. */
  newest(): Map<TypeName, number> {
    const newest = new Map<TypeName, number>();
    for (const { type, modseq } of this.#rows.values()) newest.set(type, Math.max(modseq, newest.get(type) ?? 0));
    return newest;
  }
}

/** Without waiting for the answer. */
export function writeChanges(
  executor: TransactionExecutor,
  accountId: number,
  rows: readonly Required<Change>[],
  now: Date,
): void {
  if (rows.length === 0) return;
  executor.send(appendChanges, [
    accountId,
    rows.map((row) => typeCodes[row.type]),
    rows.map((row) => row.modseq),
    rows.map((row) => row.id),
    rows.map((row) => row.kind),
    rows.map((row) => row.threadId || null),
    rows.map((row) => row.receivedAt),
    now,
  ]);
}
