import type { StoredBlob } from "../blobs/blobs.ts";
import type { Database } from "../core/database.ts";
import { patiently } from "../core/patiently.ts";
import { statement, unprepared } from "../core/sql.ts";
import { batched } from "./batched.ts";

export interface IncomingRecipient {
  address: string;
  userId: number;
  done: boolean;
  /** Why it is not simply kept in the inbox, once that has been decided. */
  reasons?: string[];
}

/** A message that was taken and is not yet in every recipient's account. */
export interface IncomingMessage {
  id: number;
  createdAt: Date;
  blob: StoredBlob;
  /** "" for the null sender. */
  mailFrom: string;
  recipients: IncomingRecipient[];
  attempts: number;
  /** Why it goes to Junk; null for the inbox. */
  junkReason: string | null;
}

export interface Lease {
  holder: string;
  until: Date;
}

const numbersInBlock = 100;
const nextBlock = statement<{ first: number }>("SELECT nextval('incoming_number') AS first");

const insert = statement(`
  INSERT INTO incoming (id, created_at, sha256, day, size, mail_from, recipients, leased_by, leased_until,
    junk_reason)
  SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::bytea[], $4::date[], $5::integer[], $6::text[],
    $7::jsonb[], $8::text[], $9::timestamptz[], $10::text[])
  ON CONFLICT (id) DO NOTHING`);
const withoutWaiting = unprepared("SET LOCAL synchronous_commit = off");
const remove = statement("DELETE FROM incoming WHERE id = ANY($1::bigint[])");
const postpone = statement(`
  UPDATE incoming SET recipients = $3, leased_until = $4, attempts = attempts + 1, last_error = $5
  WHERE id = $1 AND leased_by = $2`);

type Row = {
  id: number;
  created_at: Date;
  sha256: Buffer;
  day: string;
  size: number;
  mail_from: string;
  recipients: IncomingRecipient[];
  attempts: number;
  junk_reason: string | null;
};
const columns = `id, created_at, sha256, day, size, mail_from, recipients, attempts,
  junk_reason`;
const claim = statement<Row>(`
  UPDATE incoming SET leased_by = $2, leased_until = $3
  WHERE id = ANY($1::bigint[]) AND (leased_until <= $4 OR leased_by = ANY($5::text[]))
  RETURNING ${columns}`);

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
    this.#insert = batched((rows) => patiently(() => this.#insertAll(rows)));
    // A removal that is lost in a crash only brings a delivery that finds itself done.
    this.#remove = batched((ids) =>
      database.transaction("BEGIN", async (executor) => {
        await executor.run(withoutWaiting);
        await executor.run(remove, [ids]);
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
    const [row] = await patiently(() => this.#database.run(nextBlock));
    this.#numbers.push(...Array.from({ length: numbersInBlock }, (_, index) => row!.first + index));
  }

  /** Durable on return. A row that is there already stays as it is. */
  insert(message: IncomingMessage, lease: Lease): Promise<void> {
    return this.#insert({ message, lease });
  }

  async #insertAll(rows: { message: IncomingMessage; lease: Lease }[]): Promise<void> {
    await this.#database.run(insert, [
      rows.map(({ message }) => message.id),
      rows.map(({ message }) => message.createdAt),
      rows.map(({ message }) => message.blob.sha256),
      rows.map(({ message }) => message.blob.day),
      rows.map(({ message }) => message.blob.size),
      rows.map(({ message }) => message.mailFrom),
      rows.map(({ message }) => JSON.stringify(message.recipients)),
      rows.map(({ lease }) => lease.holder),
      rows.map(({ lease }) => lease.until),
      rows.map(({ message }) => message.junkReason),
    ]);
  }

  remove(id: number): Promise<void> {
    return this.#remove(id);
  }

  /** Notes who has it and lets the lease run out at `lease.until`, when the next attempt is made. */
  async postpone(message: IncomingMessage, lease: Lease, reason: string): Promise<void> {
    const { id, recipients } = message;
    await this.#database.run(postpone, [id, lease.holder, JSON.stringify(recipients), lease.until, reason]);
  }

  /** Takes over those of the rows whose lease has run out or belongs to one of the holders who are gone. */
  async claim(ids: number[], lease: Lease, now: Date, gone: string[]): Promise<IncomingMessage[]> {
    if (ids.length === 0) return [];
    const rows = await this.#database.run(claim, [ids, lease.holder, lease.until, now, gone]);
    return rows.map((row) => ({
      id: row.id,
      createdAt: row.created_at,
      blob: { sha256: row.sha256, day: row.day, size: row.size },
      mailFrom: row.mail_from,
      recipients: row.recipients,
      attempts: row.attempts,
      junkReason: row.junk_reason,
    }));
  }
}
