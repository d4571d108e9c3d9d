import { sql } from "kysely";
import { retry } from "../../base/retry.ts";
import type { StoredBlob } from "../blobs/blobs.ts";
import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import { type Lists, lists, unnest } from "../core/lists.ts";
import { databasePatience } from "../core/loss.ts";
import type { Executor } from "../core/sql.ts";
import { batched } from "./batched.ts";
import { withoutWaiting } from "./without-waiting.ts";

/** `reasons`: why the message is not simply filed in the inbox; set once decided. */
export type IncomingRecipient = Row<"incoming", "recipients">["recipients"][number];

type Kept =
  | "id"
  | "createdAt"
  | "mailFrom"
  | "recipients"
  | "attempts"
  | "junkReason"
  | "failures"
  | "unscanned"
  | "spam"
  | "authentication";
/**
 * A message that was accepted and is not yet in every recipient's account. `mailFrom` is "" for the null sender.
 * `junkReason` says why it goes to Junk; null for the inbox. `failures` counts the attempts that failed by the message itself.
 * `unscanned`: it waits for the virus scanner. `spam`: the JSON of what the spam filter outside found, if there is one.
 */
export interface IncomingMessage extends Row<"incoming", Kept> {
  blob: StoredBlob;
}

export interface Lease {
  holder: string;
  until: Date;
}

/** A peer may write NUL, which Postgres cannot store. */
const jsonText = (value: object) => JSON.stringify(value).replaceAll("\\u0000", "\\ufffd");

const idsPerBlock = 100;
const nextBlock = write("incoming.nextIds", () => sql<{ first: number }>`SELECT nextval('incoming_number') AS first`);

const inserted = [
  "id",
  "createdAt",
  "sha256",
  "day",
  "size",
  "pack",
  "mailFrom",
  "recipients",
  "leasedBy",
  "leasedUntil",
  "junkReason",
  "unscanned",
  "spam",
  "authentication",
] as const;
const insert = write("incoming.add", (db, $: Lists<"incoming", (typeof inserted)[number]>) =>
  db
    .insertInto("incoming")
    .columns(inserted)
    .expression(db.selectFrom(unnest("incoming", inserted, $)).select(inserted))
    .onConflict((conflict) => conflict.column("id").doNothing())
    .returning("id"),
);
const recipientsOf = read("incoming.recipients", (db, $: { id: number }) =>
  db.selectFrom("incoming").select("recipients").where("id", "=", $.id),
);
const remove = write("incoming.remove", (db, $: { ids: readonly number[] }) =>
  db.deleteFrom("incoming").where("id", "in", $.ids),
);
/** Holds the lease of a message that is put off, so that any process may take it once its time has come. */
const nobody = "";
const postpone = write(
  "incoming.postpone",
  (db, $: Lease & { id: number; recipients: string; reason: string; failures: number; setAsideAt: Date | null }) =>
    db
      .updateTable("incoming")
      .set((eb) => ({
        recipients: $.recipients,
        leasedBy: nobody,
        leasedUntil: $.until,
        attempts: eb("attempts", "+", 1),
        lastError: $.reason,
        failures: $.failures,
        setAsideAt: $.setAsideAt,
      }))
      .where("id", "=", $.id)
      .where("leasedBy", "=", $.holder),
);
/** No sweep looks for a message before this time. */
const never = new Date("9999-12-31T00:00:00Z");
const retrySetAside = write("incoming.retrySetAside", (db, $: { id: number; now: Date }) =>
  db
    .updateTable("incoming")
    .set({ leasedUntil: $.now, setAsideAt: null, failures: 0 })
    .where("id", "=", $.id)
    .where("setAsideAt", "is not", null),
);
const waiting = read("incoming.waiting", (db, $: { ids: readonly number[] | null; limit: number }) =>
  db
    .selectFrom("incoming")
    .select(["id", "createdAt", "size", "mailFrom", "recipients", "attempts", "leasedUntil", "lastError", "setAsideAt"])
    .where(sql<boolean>`(${$.ids}::bigint[] IS NULL OR id = ANY(${$.ids}))`)
    .orderBy("id")
    .limit($.limit),
);
const countUpTo = read(
  "incoming.countUpTo",
  (_, $: { limit: number }) =>
    sql<{ count: number }>`SELECT count(*) AS count FROM (SELECT FROM incoming LIMIT ${$.limit}) AS found`,
);
const claim = write("incoming.claim", (db, $: Lease & { ids: readonly number[]; now: Date; gone: readonly string[] }) =>
  db
    .updateTable("incoming")
    .set({
      leasedBy: $.holder,
      leasedUntil: $.until,
      // A holder that is gone may have died of the message.
      failures: sql<number>`failures + (leased_by = ANY(${$.gone}))::integer`,
    })
    .where("id", "in", $.ids)
    .where((eb) => eb.or([eb("leasedUntil", "<=", $.now), eb("leasedBy", "in", $.gone)]))
    .returning(["id", "createdAt", "sha256", "day", "size", "pack", "mailFrom", "recipients", "attempts", "junkReason"])
    .returning(["failures", "unscanned", "spam", "authentication"]),
);

/** A message in the queue as operators see it; `lastError` says why it was put off or set aside. */
export type WaitingMessage = Row<
  "incoming",
  "id" | "createdAt" | "size" | "mailFrom" | "recipients" | "attempts" | "leasedUntil" | "lastError" | "setAsideAt"
>;

/** The messages with these ids, or the oldest for null. */
export function waitingMessages(database: Database, ids: readonly number[] | null, limit = 10_000) {
  return database.run(waiting, { ids, limit });
}

/** Makes a message that was set aside due. False when there is none. */
export async function retryMessage(database: Executor, id: number, now: Date): Promise<boolean> {
  return (await database.count(retrySetAside, { id, now })) > 0;
}

/** Under this id a message is still on its way to other recipients alone. */
export class OthersFirst extends Error {
  constructor() {
    super("the mail is still on its way to others");
  }
}

interface Insertion {
  message: IncomingMessage;
  lease: Lease;
  isNew: boolean;
}

/** The rows of accepted messages. Concurrent inserts share a commit, and so do concurrent removals. */
export class IncomingRows {
  readonly #database: Database;
  readonly #insert: (row: Insertion) => Promise<void>;
  readonly #remove: (id: number) => Promise<void>;
  #numbers: number[] = [];
  #fetching: Promise<void> | undefined;

  constructor(database: Database) {
    this.#database = database;
    // Safe to repeat: existing rows stay unchanged.
    this.#insert = batched((rows) => retry(() => this.#insertAll(rows), databasePatience));
    // If a crash loses a removal, the message is delivered again and recognized as a duplicate.
    this.#remove = batched((ids) =>
      database.transaction("BEGIN", async (executor) => {
        executor.send(withoutWaiting);
        executor.send(remove, { ids });
      }),
    );
  }

  /** Returns an id that was never used before. */
  async newId(): Promise<number> {
    for (;;) {
      const number = this.#numbers.shift();
      if (number !== undefined) return number;
      this.#fetching ??= this.#fetchBlock().finally(() => {
        this.#fetching = undefined;
      });
      await this.#fetching;
    }
  }

  async #fetchBlock(): Promise<void> {
    const [row] = await retry(() => this.#database.run(nextBlock), databasePatience);
    this.#numbers.push(...Array.from({ length: idsPerBlock }, (_, index) => row!.first + index));
  }

  /**
   * Durable on return. False if a row with the id was there: it stays unchanged, and its lease is not ours. Throws OthersFirst
   * when that row is not for all of these recipients.
   */
  async insert(message: IncomingMessage, lease: Lease): Promise<boolean> {
    for (;;) {
      const insertion = { message, lease, isNew: false };
      await this.#insert(insertion);
      if (insertion.isNew) return true;
      const [row] = await this.#database.run(recipientsOf, { id: message.id });
      // Delivered meanwhile, to whomever it was for.
      if (!row) continue;
      const there = new Set(row.recipients.map(({ userId }) => userId));
      if (message.recipients.every(({ userId }) => there.has(userId))) return false;
      throw new OthersFirst();
    }
  }

  async #insertAll(rows: Insertion[]): Promise<void> {
    const values = rows.map(({ message, lease }) => ({
      ...message,
      ...message.blob,
      pack: message.blob.pack ?? null,
      recipients: JSON.stringify(message.recipients),
      authentication: message.authentication && jsonText(message.authentication),
      leasedBy: lease.holder,
      leasedUntil: lease.until,
    }));
    const written = new Set((await this.#database.run(insert, lists(values, inserted))).map(({ id }) => id));
    for (const row of rows) row.isNew = written.has(row.message.id);
  }

  remove(id: number): Promise<void> {
    return this.#remove(id);
  }

  /** Records the remaining recipients. Whoever sweeps first after `lease.until` retries the message. */
  async postpone(message: IncomingMessage, lease: Lease, reason: string): Promise<void> {
    await this.#put(message, lease, reason, null);
  }

  /** Records the remaining recipients and the reason. Nobody tries again until an operator asks for it. */
  async setAside(message: IncomingMessage, holder: string, reason: string, now: Date): Promise<void> {
    await this.#put(message, { holder, until: never }, reason, now);
  }

  async #put(message: IncomingMessage, lease: Lease, reason: string, setAsideAt: Date | null): Promise<void> {
    const { id, recipients, failures } = message;
    const values = { ...lease, id, recipients: JSON.stringify(recipients), reason, failures, setAsideAt };
    await this.#database.run(postpone, values);
  }

  /** Whether there are at least so many messages. */
  async areAtLeast(limit: number): Promise<boolean> {
    const [row] = await this.#database.run(countUpTo, { limit });
    return row!.count >= limit;
  }

  /** Claims those of the rows whose lease has expired or belongs to a dead holder. */
  async claim(ids: number[], lease: Lease, now: Date, gone: string[]): Promise<IncomingMessage[]> {
    if (ids.length === 0) return [];
    const rows = await this.#database.run(claim, { ...lease, ids, now, gone });
    return rows.map(({ sha256, day, size, pack, ...row }) => ({ ...row, blob: { sha256, day, size, pack } }));
  }
}
