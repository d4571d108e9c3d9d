import type { Log } from "../../base/log.ts";
import { releaseBlobs } from "../blobs/blob-refs.ts";
import { Kind } from "../core/change.ts";
import type { Database } from "../core/database.ts";
import { across, type Row, read, write } from "../core/declare.ts";
import { everywhere, readEverywhere } from "../core/everywhere.ts";
import type { Reader, Tx } from "../core/store.ts";

const columns = [
  "id",
  "state",
  "createdAt",
  "done",
  "total",
  "attempts",
  "sha256",
  "size",
  "expiresAt",
  "hidden",
] as const;

/** An export that a user has asked for. */
export type DataExportRow = Row<"dataExport", (typeof columns)[number]>;

type Account = { accountId: number };

/** How an export may end without an archive: after so many attempts, or for want of room on the disk. */
const failures = ["failed", "noRoom"] as const;
type Failure = (typeof failures)[number];
export const hasFailed = ({ state }: { state: string }): boolean => failures.some((failure) => failure === state);

/** Who works on an export: the number of the attempt is its lease's. */
export interface Lease {
  id: number;
  attempts: number;
}

const all = read("exports.all", (db, $: Account) =>
  db.selectFrom("dataExport").select(columns).where("userId", "=", $.accountId).orderBy("id"),
);
const insert = write("exports.add", (db, $: Account & { id: number; now: Date; none: Buffer }) =>
  db.insertInto("dataExport").values({
    userId: $.accountId,
    id: $.id,
    state: "waiting",
    createdAt: $.now,
    done: 0,
    total: 0,
    attempts: 0,
    leasedUntil: null,
    sha256: $.none,
    size: 0,
    expiresAt: null,
    hidden: false,
  }),
);
const lease = write("exports.lease", (db, $: Account & { id: number; now: Date; until: Date }) =>
  db
    .updateTable("dataExport")
    .set((eb) => ({ state: "running", attempts: eb("attempts", "+", 1), leasedUntil: $.until }))
    .where("userId", "=", $.accountId)
    .where("id", "=", $.id)
    .where("state", "in", ["waiting", "running"])
    .where((eb) => eb.or([eb("leasedUntil", "is", null), eb("leasedUntil", "<=", $.now)])),
);
const progress = write("exports.progress", (db, $: Account & Lease & { done: number; total: number; until: Date }) =>
  db
    .updateTable("dataExport")
    .set({ done: $.done, total: $.total, leasedUntil: $.until })
    .where("userId", "=", $.accountId)
    .where("id", "=", $.id)
    .where("state", "=", "running")
    .where("attempts", "=", $.attempts),
);
const giveBack = write("exports.giveBack", (db, $: Account & Lease) =>
  db
    .updateTable("dataExport")
    .set((eb) => ({ state: "waiting", attempts: eb("attempts", "-", 1), leasedUntil: null }))
    .where("userId", "=", $.accountId)
    .where("id", "=", $.id)
    .where("state", "=", "running")
    .where("attempts", "=", $.attempts),
);
type End = { id: number; state: string; sha256: Buffer; size: number; expiresAt: Date | null };
const finish = write("exports.finish", (db, $: Account & Lease & End) =>
  db
    .updateTable("dataExport")
    .set({ state: $.state, sha256: $.sha256, size: $.size, expiresAt: $.expiresAt, leasedUntil: null })
    .where("userId", "=", $.accountId)
    .where("id", "=", $.id)
    .where("state", "=", "running")
    .where("attempts", "=", $.attempts),
);
const end = write("exports.end", (db, $: Account & End) =>
  db
    .updateTable("dataExport")
    .set({ state: $.state, sha256: $.sha256, size: $.size, expiresAt: $.expiresAt, leasedUntil: null })
    .where("userId", "=", $.accountId)
    .where("id", "=", $.id)
    .where("state", "in", ["waiting", "running", "done"]),
);
const hide = write("exports.hide", (db, $: Account & { ids: readonly number[] }) =>
  db.updateTable("dataExport").set({ hidden: true }).where("userId", "=", $.accountId).where("id", "in", $.ids),
);
const drop = write("exports.drop", (db, $: Account & { until: Date }) =>
  db
    .deleteFrom("dataExport")
    .where("userId", "=", $.accountId)
    .where("createdAt", "<=", $.until)
    .where("state", "in", ["expired", ...failures]),
);

const open = everywhere(
  "dataExport",
  ["userId", "id"],
  read(
    "exports.open",
    (db, $: { now: Date; limit: number }) =>
      db
        .selectFrom("dataExport")
        .select(["userId", "id"])
        .where("state", "in", ["waiting", "running"])
        .where((eb) => eb.or([eb("leasedUntil", "is", null), eb("leasedUntil", "<=", $.now)]))
        .limit($.limit),
    across("a worker takes up exports, whoever asked for them"),
  ),
);
const expired = everywhere(
  "dataExport",
  ["userId", "id"],
  read(
    "exports.expired",
    (db, $: { now: Date; limit: number }) =>
      db
        .selectFrom("dataExport")
        .select(["userId", "id"])
        .where("expiresAt", "is not", null)
        .where("expiresAt", "<=", $.now)
        .limit($.limit),
    across("sweeps archives that have expired in all accounts"),
  ),
);

const none = Buffer.alloc(0);

/** Those of the account, hidden ones too, oldest first. */
export function findDataExports(reader: Reader): Promise<DataExportRow[]> {
  return reader.run(all, { accountId: reader.accountId });
}

export async function addDataExport(tx: Tx, id: number): Promise<void> {
  await tx.run(insert, { accountId: tx.accountId, id, now: tx.now, none });
  tx.changed({ type: "DataExport", id, kind: Kind.created });
}

/** Takes an export until then; undefined if another process has it, or it has ended. */
export async function leaseDataExport(tx: Tx, id: number, until: Date): Promise<Lease | undefined> {
  const isOurs = (await tx.count(lease, { accountId: tx.accountId, id, now: tx.now, until })) > 0;
  if (!tellIfOurs(tx, id, isOurs)) return undefined;
  const row = (await findDataExports(tx)).find((one) => one.id === id);
  return row && { id, attempts: row.attempts };
}

/** Keeps the lease, and notes how far it is; false when it was ended, or another process took it meanwhile. */
export async function noteProgress(
  tx: Tx,
  leased: Lease,
  { isNew, ...progressed }: { done: number; total: number; until: Date; isNew: boolean },
): Promise<boolean> {
  const isOurs = (await tx.count(progress, { accountId: tx.accountId, ...leased, ...progressed })) > 0;
  if (isNew) tellIfOurs(tx, leased.id, isOurs);
  return isOurs;
}

/** Lets another process begin it anew; the attempt does not count. */
export async function giveBackDataExport(tx: Tx, leased: Lease): Promise<void> {
  const isOurs = (await tx.count(giveBack, { accountId: tx.accountId, ...leased })) > 0;
  tellIfOurs(tx, leased.id, isOurs);
}

/** False when it was ended, or another process took it meanwhile. Its archive must be referenced in the same transaction. */
export async function finishDataExport(
  tx: Tx,
  leased: Lease,
  archive: { sha256: Buffer; size: number; expiresAt: Date },
): Promise<boolean> {
  const isOurs = (await tx.count(finish, { accountId: tx.accountId, ...leased, state: "done", ...archive })) > 0;
  return tellIfOurs(tx, leased.id, isOurs);
}

/** Ends an export that can't be made, unless it was ended, or another process took it meanwhile. */
export async function failDataExport(tx: Tx, leased: Lease, state: Failure): Promise<void> {
  const nothing = { sha256: none, size: 0, expiresAt: null };
  const isOurs = (await tx.count(finish, { accountId: tx.accountId, ...leased, state, ...nothing })) > 0;
  tellIfOurs(tx, leased.id, isOurs);
}

function tellIfOurs(tx: Tx, id: number, isOurs: boolean): boolean {
  if (isOurs) tx.changed({ type: "DataExport", id, kind: Kind.properties });
  return isOurs;
}

/** Ends exports, whoever works on them, and lets go of their archives. */
export async function expireDataExports(tx: Tx, ids: readonly number[]): Promise<void> {
  const rows = (await findDataExports(tx)).filter(({ id }) => ids.includes(id));
  for (const { id } of rows) {
    await tx.run(end, { accountId: tx.accountId, id, state: "expired", sha256: none, size: 0, expiresAt: null });
    tx.changed({ type: "DataExport", id, kind: Kind.properties });
  }
  const held = rows.map(({ sha256 }) => sha256).filter(({ length }) => length > 0);
  await releaseBlobs(tx, held);
}

/** Removes exports as their user sees it: their archives are gone at once, the rows stay for the limit of a day. */
export async function destroyDataExports(tx: Tx, ids: readonly number[]): Promise<void> {
  await expireDataExports(tx, ids);
  await tx.run(hide, { accountId: tx.accountId, ids });
  for (const id of ids) tx.changed({ type: "DataExport", id, kind: Kind.destroyed });
}

/** Forgets those that were asked for before and have nothing to show any more. */
export async function dropDataExports(tx: Tx, until: Date): Promise<void> {
  const gone = (await findDataExports(tx)).filter(
    (row) => row.createdAt <= until && !row.hidden && (row.state === "expired" || hasFailed(row)),
  );
  await tx.run(drop, { accountId: tx.accountId, until });
  for (const { id } of gone) tx.changed({ type: "DataExport", id, kind: Kind.destroyed });
}

/** Exports that nobody works on. */
export async function openDataExports(database: Database, log: Log, page: { now: Date; limit: number }) {
  return (await readEverywhere(database, log, open, page)).rows;
}

/** Exports whose archives have expired. */
export async function expiredDataExports(database: Database, log: Log, page: { now: Date; limit: number }) {
  return (await readEverywhere(database, log, expired, page)).rows;
}
