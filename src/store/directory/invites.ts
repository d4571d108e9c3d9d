import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";

const columns = ["id", "domain", "address", "who", "createdAt", "expiresAt"] as const;

/** An invitation to make one account of a domain, with an address of the guest's choice unless it names one. */
export type InviteRow = Row<"invite", (typeof columns)[number]>;

const insert = write("invites.add", (db, $: InviteRow & { hash: Buffer }) =>
  db.insertInto("invite").values({
    id: $.id,
    hash: $.hash,
    domain: $.domain,
    address: $.address,
    who: $.who,
    createdAt: $.createdAt,
    expiresAt: $.expiresAt,
  }),
);
const open = read("invites.open", (db, $: { now: Date }) =>
  db.selectFrom("invite").select(columns).where("expiresAt", ">", $.now).orderBy("createdAt"),
);
const byHash = read("invites.byHash", (db, $: { hash: Buffer; now: Date }) =>
  db.selectFrom("invite").select(columns).where("hash", "=", $.hash).where("expiresAt", ">", $.now),
);
const take = write("invites.take", (db, $: { id: string; now: Date }) =>
  db.deleteFrom("invite").where("id", "=", $.id).where("expiresAt", ">", $.now),
);
const dropExpired = write("invites.dropExpired", (db, $: { now: Date }) =>
  db.deleteFrom("invite").where("expiresAt", "<=", $.now),
);

/** Adds an invitation, and drops those that have expired. */
export async function addInvite(executor: Executor, invite: InviteRow & { hash: Buffer }): Promise<void> {
  await executor.run(dropExpired, { now: invite.createdAt });
  await executor.run(insert, invite);
}

/** Those that can still be used, oldest first. */
export function openInvites(database: Database, now: Date): Promise<InviteRow[]> {
  return database.run(open, { now });
}

/** Undefined if it never was one, was used or revoked, or has expired. */
export async function findInvite(database: Database, hash: Buffer, now: Date): Promise<InviteRow | undefined> {
  return (await database.run(byHash, { hash, now }))[0];
}

/** Uses it up, or revokes it. False when there is none any more: of two at once, one gets it. */
export async function takeInvite(executor: Executor, id: string, now: Date): Promise<boolean> {
  return (await executor.count(take, { id, now })) > 0;
}
