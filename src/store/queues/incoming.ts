import { sql } from "kysely";
import { retry } from "../../base/retry.ts";
import type { StoredBlob } from "../blobs/blobs.ts";
import { type Database, databasePatience } from "../core/database.ts";
import { type Row, write } from "../core/declare.ts";
import { type Lists, lists, unnest } from "../core/lists.ts";
import { batched } from "./batched.ts";
import { withoutWaiting } from "./without-waiting.ts";

/** `reasons`: why it is not simply kept in the inbox, once that has been decided. */
export type IncomingRecipient = Row<"incoming", "recipients">["recipients"][number];

type Kept = "id" | "createdAt" | "mailFrom" | "recipients" | "attempts" | "junkReason";
/**
 * A message that was taken and is not yet in every recipient's account. `mailFrom` is "" for the null sender, `junkReason`
 * why it goes to Junk; null for the inbox.
 */
export interface IncomingMessage extends Row<"incoming", Kept> {
  blob: StoredBlob;
}

export interface Lease {
  holder: string;
  until: Date;
}

const numbersInBlock = 100;
const nextBlock = write("incoming.nextIds", () => sql<{ first: number }>`SELECT nextval('incoming_number') AS first`);

const inserted = [
  "id",
  "createdAt",
  "sha256",
  "day",
  "size",
  "mailFrom",
  "recipients",
  "leasedBy",
  "leasedUntil",
  "junkReason",
] as const;
const insert = write("incoming.add", (db, $: Lists<"incoming", (typeof inserted)[number]>) =>
  db
    .insertInto("incoming")
    .columns(inserted)
    .expression(db.selectFrom(unnest("incoming", inserted, $)).select(inserted))
    .onConflict((conflict) => conflict.column("id").doNothing()),
);
const remove = write("incoming.remove", (db, $: { ids: readonly number[] }) =>
  db.deleteFrom("incoming").where("id", "in", $.ids),
);
const postpone = write("incoming.postpone", (db, $: Lease & { id: number; recipients: string; reason: string }) =>
  db
    .updateTable("incoming")
    .set((eb) => ({
      recipients: $.recipients,
      leasedUntil: $.until,
      attempts: eb("attempts", "+", 1),
      lastError: $.reason,
    }))
    .where("id", "=", $.id)
    .where("leasedBy", "=", $.holder),
);
const claim = write("incoming.claim", (db, $: Lease & { ids: readonly number[]; now: Date; gone: readonly string[] }) =>
  db
    .updateTable("incoming")
    .set({ leasedBy: $.holder, leasedUntil: $.until })
    .where("id", "in", $.ids)
    .where((eb) => eb.or([eb("leasedUntil", "<=", $.now), eb("leasedBy", "in", $.gone)]))
    .returning(["id", "createdAt", "sha256", "day", "size", "mailFrom", "recipients", "attempts", "junkReason"]),
);

/** The rows of mail that came in, by their own ids. Inserts and removals that come together share a commit. */
export class IncomingRows {
  readonly #database: Database;
  readonly #insert: (row: { message: IncomingMessage; lease: Lease }) => Promise<void>;
  readonly #remove: (id: number) => Promise<void>;
  #numbers: number[] = [];
  #fetching: Promise<void> | undefined;

  constructor(database: Database) {
    this.#database = database;
    // Rows that are there already stay as they are, so this may well be done twice.
    this.#insert = batched((rows) => retry(() => this.#insertAll(rows), databasePatience));
    // A removal that is lost in a crash only brings a delivery that finds itself done.
    this.#remove = batched((ids) =>
      database.transaction("BEGIN", async (executor) => {
        executor.send(withoutWaiting);
        executor.send(remove, { ids });
      }),
    );
  }

  /** Never given before. */
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
    this.#numbers.push(...Array.from({ length: numbersInBlock }, (_, index) => row!.first + index));
  }

  /** Durable on return. A row that is there already stays as it is. */
  insert(message: IncomingMessage, lease: Lease): Promise<void> {
    return this.#insert({ message, lease });
  }

  async #insertAll(rows: { message: IncomingMessage; lease: Lease }[]): Promise<void> {
    const values = rows.map(({ message, lease }) => ({
      ...message,
      ...message.blob,
      recipients: JSON.stringify(message.recipients),
      leasedBy: lease.holder,
      leasedUntil: lease.until,
    }));
    await this.#database.run(insert, lists(values, inserted));
  }

  remove(id: number): Promise<void> {
    return this.#remove(id);
  }

  /** Notes who has it and lets the lease run out at `lease.until`, when the next attempt is made. */
  async postpone(message: IncomingMessage, lease: Lease, reason: string): Promise<void> {
    const { id, recipients } = message;
    await this.#database.run(postpone, { ...lease, id, recipients: JSON.stringify(recipients), reason });
  }

  /** Takes over those of the rows whose lease has run out or belongs to one of the holders who are gone. */
  async claim(ids: number[], lease: Lease, now: Date, gone: string[]): Promise<IncomingMessage[]> {
    if (ids.length === 0) return [];
    const rows = await this.#database.run(claim, { ...lease, ids, now, gone });
    return rows.map(({ sha256, day, size, ...row }) => ({ ...row, blob: { sha256, day, size } }));
  }
}
