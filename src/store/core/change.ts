import { sql } from "kysely";
import type { TransactionExecutor } from "./connection.ts";
import { write } from "./declare.ts";

/** Data types that have a state. The change log stores the numbers: append only. */
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
  MaskedAddress: 10,
  DataExport: 11,
} as const;
export type TypeName = keyof typeof typeCodes;
export const typeNames = Object.keys(typeCodes) as TypeName[];

/** What happened to an object: bits, since one row may carry several. */
export const Kind = {
  created: 1,
  mailboxes: 2,
  keywords: 4,
  properties: 8,
  /** The counts of a Mailbox changed, or the use of a Quota. */
  counts: 16,
  destroyed: 32,
} as const;

export interface Change {
  type: TypeName;
  id: number;
  kind: number;
  /** The thread of an Email, for /queryChanges with collapseThreads. */
  threadId?: number;
  /** When a destroyed Email was received, for /queryChanges with upToId. */
  receivedAt?: Date | null;
  /** Set when several writes are folded into one transaction. (Default: the transaction's last modseq) */
  modseq?: number;
}

interface ChangeLists {
  accountId: number;
  types: readonly number[];
  modseqs: readonly number[];
  ids: readonly number[];
  kinds: readonly number[];
  threadIds: readonly (number | null)[];
  receivedAts: readonly (Date | null)[];
  now: Date;
}
const append = write(
  "changes.append",
  (_, $: ChangeLists) => sql`
  INSERT INTO change (user_id, type, modseq, id, kind, thread_id, received_at, changed_at)
  SELECT a.user_id, c.type, c.modseq, c.id, c.kind, c.thread_id, c.received_at, ${$.now}
  FROM account a, unnest(${$.types}::smallint[], ${$.modseqs}::bigint[], ${$.ids}::bigint[], ${$.kinds}::smallint[],
    ${$.threadIds}::bigint[], ${$.receivedAts}::timestamptz[]) AS c (type, modseq, id, kind, thread_id, received_at)
  WHERE a.user_id = ${$.accountId}`,
);

/** Collects what a transaction changed: one row per (type, modseq, id), with its kinds combined. */
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

  /** A copy of the rows so far; `restore` returns to it when a savepoint is rolled back. */
  mark(): Map<string, Required<Change>> {
    return new Map([...this.#rows].map(([key, row]) => [key, { ...row }]));
  }

  restore(mark: Map<string, Required<Change>>): void {
    this.#rows = mark;
  }

  get rows(): Required<Change>[] {
    return [...this.#rows.values()];
  }

  /** The newest modseq of each type in this transaction. */
  newest(): Map<TypeName, number> {
    const newest = new Map<TypeName, number>();
    for (const { type, modseq } of this.#rows.values()) newest.set(type, Math.max(modseq, newest.get(type) ?? 0));
    return newest;
  }
}

/** Sends the rows without waiting for the answer. */
export function writeChanges(
  executor: TransactionExecutor,
  accountId: number,
  rows: readonly Required<Change>[],
  now: Date,
): void {
  if (rows.length === 0) return;
  executor.send(append, {
    accountId,
    types: rows.map((row) => typeCodes[row.type]),
    modseqs: rows.map((row) => row.modseq),
    ids: rows.map((row) => row.id),
    kinds: rows.map((row) => row.kind),
    threadIds: rows.map((row) => row.threadId || null),
    receivedAts: rows.map((row) => row.receivedAt),
    now,
  });
}
