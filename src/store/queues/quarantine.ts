import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";
import type { IncomingMessage } from "./incoming.ts";

const columns = [
  "id",
  "createdAt",
  "sha256",
  "day",
  "pack",
  "size",
  "mailFrom",
  "recipients",
  "junkReason",
  "virus",
] as const;

/** An infected message that is kept from its recipients. */
export type Quarantined = Row<"quarantine", (typeof columns)[number]>;

const insert = write(
  "quarantine.add",
  (
    db,
    $: Omit<Quarantined, "recipients"> & {
      recipients: string;
    },
  ) =>
    db
      .insertInto("quarantine")
      .values({
        id: $.id,
        createdAt: $.createdAt,
        sha256: $.sha256,
        day: $.day,
        pack: $.pack,
        size: $.size,
        mailFrom: $.mailFrom,
        recipients: $.recipients,
        junkReason: $.junkReason,
        virus: $.virus,
      })
      .onConflict((conflict) => conflict.column("id").doNothing()),
);
const newest = read("quarantine.newest", (db, $: { limit: number }) =>
  db.selectFrom("quarantine").select(columns).orderBy("id", "desc").limit($.limit),
);
const page = read("quarantine.page", (db, $: { before: number; limit: number }) =>
  db.selectFrom("quarantine").select(columns).where("id", "<", $.before).orderBy("id", "desc").limit($.limit),
);
const byIds = read("quarantine.byIds", (db, $: { ids: readonly number[] }) =>
  db.selectFrom("quarantine").select(columns).where("id", "in", $.ids),
);
const byId = read("quarantine.byId", (db, $: { id: number }) =>
  db.selectFrom("quarantine").select(columns).where("id", "=", $.id),
);
const remove = write("quarantine.remove", (db, $: { id: number }) =>
  db.deleteFrom("quarantine").where("id", "=", $.id),
);
/** Delivered by whoever sweeps next. */
const release = write(
  "quarantine.release",
  (_, $: { id: number; now: Date; recipients: string }) => sql<never>`
  INSERT INTO incoming (id, created_at, sha256, day, pack, size, mail_from, recipients, leased_by, leased_until, junk_reason)
  SELECT q.id, q.created_at, q.sha256, q.day, q.pack, q.size, q.mail_from, ${$.recipients}::jsonb, '', ${$.now}, q.junk_reason
  FROM quarantine q WHERE q.id = ${$.id} ON CONFLICT (id) DO NOTHING`,
);
const expired = read("quarantine.expired", (db, $: { until: Date; limit: number }) =>
  db.selectFrom("quarantine").select(columns).where("createdAt", "<=", $.until).limit($.limit),
);

export async function addToQuarantine(database: Database, message: IncomingMessage, virus: string): Promise<void> {
  const { id, createdAt, mailFrom, junkReason, blob } = message;
  const recipients = JSON.stringify(
    message.recipients.filter(({ done }) => !done).map(({ done: _, reasons: _reasons, ...recipient }) => recipient),
  );
  const pack = blob.pack ?? null;
  await database.run(insert, { id, createdAt, mailFrom, junkReason, virus, recipients, ...blob, pack });
}

/** The newest messages first. */
export function listQuarantine(database: Database, limit: number): Promise<Quarantined[]> {
  return database.run(newest, { limit });
}

/** Those that came before one, the newest first. */
export function pageOfQuarantine(database: Database, before: number, limit: number): Promise<Quarantined[]> {
  return database.run(page, { before, limit });
}

export function quarantinedOf(database: Database, ids: readonly number[]): Promise<Quarantined[]> {
  return ids.length === 0 ? Promise.resolve([]) : database.run(byIds, { ids });
}

export async function findQuarantined(database: Database, id: number): Promise<Quarantined | undefined> {
  return (await database.run(byId, { id }))[0];
}

export async function expiredQuarantined(database: Database, until: Date, limit: number): Promise<Quarantined[]> {
  return database.run(expired, { until, limit });
}

export async function removeQuarantined(executor: Executor, id: number): Promise<void> {
  await executor.run(remove, { id });
}

/** Moves the message back into the queue of incoming mail, from which it is delivered without being scanned again. */
export async function releaseQuarantined(
  executor: Executor,
  { id, recipients }: Quarantined,
  now: Date,
): Promise<void> {
  const waiting = recipients.map((recipient) => ({ ...recipient, done: false }));
  await executor.run(release, { id, now, recipients: JSON.stringify(waiting) });
  await executor.run(remove, { id });
}
