import { sql } from "kysely";
import { Kind } from "../core/change.ts";
import type { MaskedState } from "../core/db.ts";
import { type Row, read, write } from "../core/declare.ts";
import { insertLists, type Lists, lists, unnest } from "../core/lists.ts";
import type { Executor } from "../core/sql.ts";
import type { Reader, Tx } from "../core/store.ts";

const columns = ["id", "email", "label", "state", "createdAt", "messages", "lastMessageAt", "senders"] as const;

/** An address that an account gives away, with what came to it. */
export type MaskedAddress = Row<"maskedAddress", (typeof columns)[number]>;

type Account = { accountId: number };

const find = read("maskedAddresses.find", (db, $: Account & { ids: readonly number[] | null; limit: number }) =>
  db
    .selectFrom("maskedAddress")
    .select(columns)
    .where("userId", "=", $.accountId)
    .where(sql<boolean>`(${$.ids}::bigint[] IS NULL OR id = ANY(${$.ids}))`)
    .orderBy("id")
    .limit($.limit),
);
const count = read("maskedAddresses.count", (db, $: Account) =>
  db
    .selectFrom("maskedAddress")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("userId", "=", $.accountId),
);
const byEmail = read("maskedAddresses.byEmail", (db, $: { email: string }) =>
  db.selectFrom("address").select(["userId", "maskedId"]).where("address", "=", $.email),
);

const inserted = ["id", "email", "label", "state", "createdAt", "senders"] as const;
const insert = write("maskedAddresses.add", (db, $: Account & Lists<"maskedAddress", (typeof inserted)[number]>) =>
  insertLists(db, "maskedAddress", inserted, $),
);
const listed = ["address", "userId", "createdAt", "maskedId", "isPaused"] as const;
/** Without a table of its own in FROM, Citus would bring the rows to the coordinator before it sends them to all nodes. */
const insertAddresses = write(
  "maskedAddresses.addAddresses",
  (db, $: Account & Lists<"address", (typeof listed)[number]>) => {
    const account = db.selectFrom("login").select("userId").where("userId", "=", $.accountId).limit(1);
    const rows = unnest("address", listed, $);
    return db
      .insertInto("address")
      .columns(listed)
      .expression(db.selectFrom([account.as("a"), rows]).select(listed.map((column) => `x.${column}` as const)))
      .onConflict((conflict) => conflict.column("address").doNothing())
      .returning("address");
  },
);
const changed = ["id", "label", "state"] as const;
const update = write("maskedAddresses.update", (db, $: Account & Lists<"maskedAddress", (typeof changed)[number]>) =>
  db
    .updateTable("maskedAddress as a")
    .from(unnest("maskedAddress", changed, $))
    .set((eb) => ({ label: eb.ref("x.label"), state: eb.ref("x.state") }))
    .where("a.userId", "=", $.accountId)
    .whereRef("a.id", "=", "x.id"),
);
const pause = write("maskedAddresses.pause", (db, $: Account & { ids: readonly number[]; isPaused: boolean }) =>
  db
    .updateTable("address")
    .set({ isPaused: $.isPaused })
    .where("userId", "=", $.accountId)
    .where("maskedId", "in", $.ids),
);
const remove = write("maskedAddresses.remove", (db, $: Account & { ids: readonly number[] }) =>
  db.deleteFrom("maskedAddress").where("userId", "=", $.accountId).where("id", "in", $.ids),
);
const removeAddresses = write("maskedAddresses.removeAddresses", (db, $: Account & { ids: readonly number[] }) =>
  db.deleteFrom("address").where("userId", "=", $.accountId).where("maskedId", "in", $.ids),
);
const noted = ["id", "senders"] as const;
const note = write(
  "maskedAddresses.note",
  (db, $: Account & { at: Date } & Lists<"maskedAddress", (typeof noted)[number]>) =>
    db
      .updateTable("maskedAddress as a")
      .from(unnest("maskedAddress", noted, $))
      .set((eb) => ({
        messages: eb("a.messages", "+", 1),
        lastMessageAt: $.at,
        senders: sql<string>`${eb.ref("x.senders")}`,
      }))
      .where("a.userId", "=", $.accountId)
      .whereRef("a.id", "=", "x.id"),
);

/** Those with these ids, or all for null, in the order in which they were made. */
export function findMaskedAddresses(
  reader: Reader,
  ids: readonly number[] | null,
  limit: number,
): Promise<MaskedAddress[]> {
  return reader.run(find, { accountId: reader.accountId, ids, limit });
}

export async function countMaskedAddresses(reader: Reader): Promise<number> {
  const [row] = await reader.run(count, { accountId: reader.accountId });
  return row!.count;
}

/** The account and the id of the masked address; undefined if the address is none. */
export async function findMaskedByEmail(
  executor: Executor,
  email: string,
): Promise<{ userId: number; id: number } | undefined> {
  const [row] = await executor.run(byEmail, { email });
  return row && row.maskedId !== null ? { userId: row.userId, id: row.maskedId } : undefined;
}

export type NewMaskedAddress = Pick<MaskedAddress, "id" | "email" | "label" | "state">;

/** Adds those whose addresses are free, and returns them. */
export async function addMaskedAddresses(tx: Tx, rows: readonly NewMaskedAddress[]): Promise<NewMaskedAddress[]> {
  const { accountId, now } = tx;
  const addresses = rows.map(({ id, email, state }) => ({
    ...{ address: email, userId: accountId, createdAt: now, maskedId: id },
    isPaused: state === "disabled",
  }));
  const free = new Set(
    (await tx.run(insertAddresses, { accountId, ...lists(addresses, listed) })).map(({ address }) => address),
  );
  const added = rows.filter(({ email }) => free.delete(email));
  const full = added.map((row) => ({ ...row, createdAt: now, senders: "[]" }));
  await tx.run(insert, { accountId, ...lists(full, inserted) });
  for (const { id } of added) tx.changed({ type: "MaskedAddress", id, kind: Kind.created });
  return added;
}

const kept = ["id", "createdAt", "messages", "lastMessageAt", "senders"] as const;
const restore = write("maskedAddresses.restore", (db, $: Account & Lists<"maskedAddress", (typeof kept)[number]>) =>
  db
    .updateTable("maskedAddress as a")
    .from(unnest("maskedAddress", kept, $))
    .set((eb) => ({
      createdAt: eb.ref("x.createdAt"),
      messages: eb.ref("x.messages"),
      lastMessageAt: eb.ref("x.lastMessageAt"),
      senders: sql<string>`${eb.ref("x.senders")}`,
    }))
    .where("a.userId", "=", $.accountId)
    .whereRef("a.id", "=", "x.id"),
);

/** Adds those whose addresses are free, with what came to them elsewhere, and returns them. */
export async function restoreMaskedAddresses(tx: Tx, rows: readonly MaskedAddress[]): Promise<NewMaskedAddress[]> {
  if (rows.length === 0) return [];
  const added = await addMaskedAddresses(tx, rows);
  const ids = new Set(added.map(({ id }) => id));
  const full = rows.filter(({ id }) => ids.has(id)).map((row) => ({ ...row, senders: JSON.stringify(row.senders) }));
  await tx.run(restore, { accountId: tx.accountId, ...lists(full, kept) });
  return added;
}

/** Sets labels and states. Mail for those that are disabled is refused. */
export async function updateMaskedAddresses(
  tx: Tx,
  rows: readonly Pick<MaskedAddress, "id" | "label" | "state">[],
): Promise<void> {
  const { accountId } = tx;
  await tx.run(update, { accountId, ...lists(rows, changed) });
  for (const state of ["enabled", "disabled"] satisfies MaskedState[]) {
    const ids = rows.filter((row) => row.state === state).map(({ id }) => id);
    if (ids.length > 0) await tx.run(pause, { accountId, ids, isPaused: state === "disabled" });
  }
  for (const { id } of rows) tx.changed({ type: "MaskedAddress", id, kind: Kind.properties });
}

export async function removeMaskedAddresses(tx: Tx, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  const { accountId } = tx;
  await tx.run(removeAddresses, { accountId, ids });
  await tx.run(remove, { accountId, ids });
  for (const id of ids) tx.changed({ type: "MaskedAddress", id, kind: Kind.destroyed });
}

/** As many domains are kept with an address; of others only the messages are counted. */
const maxSenders = 20;

/** Counts a message that has come to these addresses of the account, from this domain. */
export async function noteMaskedMessage(
  tx: Tx,
  ids: readonly number[],
  { domain, at, modseq }: { domain: string; at: Date; modseq: number },
): Promise<void> {
  const rows = (await findMaskedAddresses(tx, ids, ids.length)).map(({ id, senders }) => {
    const before = senders.find((sender) => sender.domain === domain)?.messages ?? 0;
    const newest = { domain, messages: before + 1, lastMessageAt: at.toISOString() };
    const others = senders.filter((sender) => sender.domain !== domain).slice(0, maxSenders - 1);
    return { id, senders: JSON.stringify([newest, ...others]) };
  });
  if (rows.length > 0) await tx.run(note, { accountId: tx.accountId, at, ...lists(rows, noted) });
  for (const { id } of rows) tx.changed({ type: "MaskedAddress", id, kind: Kind.properties, modseq });
}
