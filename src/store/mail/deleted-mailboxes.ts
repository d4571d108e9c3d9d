import { type Row, read } from "../core/declare.ts";
import type { Tx } from "../core/store.ts";
import { insertMailboxes, loadMailboxes, type MailboxFields } from "./mailboxes.ts";

const fields = ["id", "name", "parentId", "role", "sortOrder", "isSubscribed"] as const;
type DeletedMailbox = Row<"deletedMailbox", (typeof fields)[number]>;

const byIds = read("deletedMailboxes.byIds", (db, $: { accountId: number; ids: readonly number[] }) =>
  db.selectFrom("deletedMailbox").select(fields).where("userId", "=", $.accountId).where("id", "in", $.ids),
);

/**
 * The mailboxes that take what comes back, by the ids of those it was in. One that was destroyed is found by its path or
 * role, else made anew. One of which nothing is known any more is left out.
 */
export async function mailboxesFor(tx: Tx, ids: readonly number[]): Promise<Map<number, number>> {
  const living: MailboxFields[] = await loadMailboxes(tx);
  const isLiving = new Set(living.map(({ id }) => id));
  const gone = await findGone(
    tx,
    ids.filter((id) => !isLiving.has(id)),
    isLiving,
  );
  const places = new Map<number, number>();
  const made: MailboxFields[] = [];
  const placeOf = async (id: number): Promise<number | undefined> => {
    if (isLiving.has(id)) return id;
    const known = places.get(id);
    const row = gone.get(id);
    if (known !== undefined || !row) return known;
    const parentId = row.parentId === null ? null : ((await placeOf(row.parentId)) ?? null);
    const same =
      living.find((one) => one.parentId === parentId && one.name === row.name) ??
      living.find((one) => row.role !== null && one.role === row.role);
    const place = same?.id ?? (await tx.newIds(1))[0]!;
    if (!same) {
      const mailbox = { ...row, id: place, parentId };
      living.push(mailbox);
      made.push(mailbox);
    }
    places.set(id, place);
    return place;
  };
  for (const id of ids) {
    const place = await placeOf(id);
    if (place !== undefined) places.set(id, place);
  }
  if (made.length > 0) await insertMailboxes(tx, made);
  return places;
}

/** The rows of destroyed mailboxes, with those that they were inside. */
async function findGone(
  tx: Tx,
  ids: readonly number[],
  isLiving: ReadonlySet<number>,
): Promise<Map<number, DeletedMailbox>> {
  const found = new Map<number, DeletedMailbox>();
  for (let wanted = [...new Set(ids)]; wanted.length > 0; ) {
    const rows = await tx.run(byIds, { accountId: tx.accountId, ids: wanted });
    for (const row of rows) found.set(row.id, row);
    const parents = rows.flatMap(({ parentId }) => (parentId === null ? [] : [parentId]));
    wanted = [...new Set(parents)].filter((id) => !isLiving.has(id) && !found.has(id));
  }
  return found;
}
