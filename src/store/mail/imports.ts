import { sql } from "kysely";
import { type Row, read, write } from "../core/declare.ts";
import { insertLists, type Lists } from "../core/lists.ts";
import type { Reader, Tx } from "../core/store.ts";
import type { EmailRow } from "./emails.ts";

/** What a mail of a source became, and where the source has it. */
export type ImportItem = Row<"importItem", "key" | "no" | "mailboxIds" | "keywords" | "isMade" | "isSpare">;
export type ImportSource = Row<"importSource", "id" | "state">;

const itemColumns = ["key", "no", "mailboxIds", "keywords", "isMade", "isSpare"] as const;

const findSource = read("imports.source", (db, $: { accountId: number; name: string }) =>
  db.selectFrom("importSource").select(["id", "state"]).where("userId", "=", $.accountId).where("name", "=", $.name),
);
const sourceColumns = ["id", "name", "state", "begunAt"] as const;
const addSource = write(
  "imports.addSource",
  (db, $: { accountId: number } & Lists<"importSource", (typeof sourceColumns)[number]>) =>
    insertLists(db, "importSource", sourceColumns, $),
);
const writeState = write(
  "imports.state",
  (db, $: { accountId: number; id: number; state: string; endedAt: Date | null }) =>
    db
      .updateTable("importSource")
      .set({ state: $.state, endedAt: $.endedAt })
      .where("userId", "=", $.accountId)
      .where("id", "=", $.id),
);

type OfSource = { accountId: number; sourceId: number };
const byKey = read("imports.items", (db, $: OfSource & { keys: readonly string[] }) =>
  db
    .selectFrom("importItem")
    .select(itemColumns)
    .where("userId", "=", $.accountId)
    .where("sourceId", "=", $.sourceId)
    .where("key", "in", $.keys),
);
const byNo = read("imports.itemsOf", (db, $: OfSource & { nos: readonly number[] }) =>
  db
    .selectFrom("importItem")
    .select(itemColumns)
    .where("userId", "=", $.accountId)
    .where("sourceId", "=", $.sourceId)
    .where("no", "in", $.nos),
);
const keysBetween = read("imports.keys", (db, $: OfSource & { after: string; until: string; limit: number }) =>
  db
    .selectFrom("importItem")
    .select("key")
    .where("userId", "=", $.accountId)
    .where("sourceId", "=", $.sourceId)
    .where("key", ">", $.after)
    .where("key", "<", $.until)
    .orderBy("key")
    .limit($.limit),
);
/** JSON, since unnest would flatten lists of lists. */
const writeItems = write(
  "imports.writeItems",
  (_, $: OfSource & { items: string }) => sql<never>`
  INSERT INTO import_item (user_id, source_id, key, no, mailbox_ids, keywords, is_made, is_spare)
  SELECT a.user_id, ${$.sourceId}::bigint, x.key, x.no, x."mailboxIds", x.keywords, x."isMade", x."isSpare"
  FROM account a, json_to_recordset(${$.items}::json) AS x (key text, no bigint, "mailboxIds" bigint[], keywords text[],
    "isMade" boolean, "isSpare" boolean)
  WHERE a.user_id = ${$.accountId}
  ON CONFLICT (user_id, source_id, key) DO UPDATE SET no = excluded.no, mailbox_ids = excluded.mailbox_ids,
    keywords = excluded.keywords, is_made = excluded.is_made, is_spare = excluded.is_spare`,
);
const removeItems = write("imports.removeItems", (db, $: OfSource & { keys: readonly string[] }) =>
  db
    .deleteFrom("importItem")
    .where("userId", "=", $.accountId)
    .where("sourceId", "=", $.sourceId)
    .where("key", "in", $.keys),
);

const emailColumns = ["e.id", "e.no", "e.threadId", "e.receivedAt", "e.mailboxIds", "e.keywords"] as const;
const emailsOfHashes = read("imports.emailsOfHashes", (db, $: { accountId: number; sha256s: readonly Buffer[] }) =>
  db
    .selectFrom("message as m")
    .innerJoin("email as e", (join) => join.on("e.userId", "=", $.accountId).onRef("e.no", "=", "m.no"))
    .select([...emailColumns, "m.sha256"])
    .where("m.userId", "=", $.accountId)
    .where("m.sha256", "in", $.sha256s)
    .orderBy("e.id"),
);
const emailsOfNos = read("imports.emailsOfNos", (db, $: { accountId: number; nos: readonly number[] }) =>
  db.selectFrom("email as e").select(emailColumns).where("e.userId", "=", $.accountId).where("e.no", "in", $.nos),
);

/** The source of that name in the account, if mail was brought from it before. */
export async function findImportSource(reader: Reader, name: string): Promise<ImportSource | undefined> {
  const [source] = await reader.run(findSource, { accountId: reader.accountId, name });
  return source;
}

export async function beginImport(tx: Tx, name: string): Promise<ImportSource> {
  const found = await findImportSource(tx, name);
  if (found) return found;
  const [id] = await tx.newIds(1);
  const { accountId, now } = tx;
  await tx.run(addSource, { accountId, id: [id!], name: [name], state: ["{}"], begunAt: [now] });
  return { id: id!, state: "{}" };
}

/** `isEnd`: the source was read to its end. */
export async function writeImportState(tx: Tx, id: number, state: string, isEnd: boolean): Promise<void> {
  await tx.run(writeState, { accountId: tx.accountId, id, state, endedAt: isEnd ? tx.now : null });
}

/** The items with these keys, in no particular order. */
export async function findImportItems(
  reader: Reader,
  sourceId: number,
  keys: readonly string[],
): Promise<ImportItem[]> {
  return keys.length === 0 ? [] : reader.run(byKey, { accountId: reader.accountId, sourceId, keys });
}

/** All items that became these messages. */
export async function findItemsOfMessages(tx: Tx, sourceId: number, nos: readonly number[]): Promise<ImportItem[]> {
  return nos.length === 0 ? [] : tx.run(byNo, { accountId: tx.accountId, sourceId, nos });
}

/** The keys after `after` that begin with `prefix`, in order, at most `limit`. */
export async function importKeys(
  reader: Reader,
  sourceId: number,
  { prefix, after = prefix, limit }: { prefix: string; after?: string; limit: number },
): Promise<string[]> {
  const { accountId } = reader;
  const rows = await reader.run(keysBetween, { accountId, sourceId, after, until: `${prefix}\u{10ffff}`, limit });
  return rows.map(({ key }) => key);
}

export async function writeImportItems(tx: Tx, sourceId: number, items: readonly ImportItem[]): Promise<void> {
  if (items.length === 0) return;
  await tx.run(writeItems, { accountId: tx.accountId, sourceId, items: JSON.stringify(items) });
}

export async function removeImportItems(tx: Tx, sourceId: number, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await tx.run(removeItems, { accountId: tx.accountId, sourceId, keys });
}

/** The account's emails whose messages have these hashes, by the hash in hex; of several the oldest. */
export async function findEmailsOfHashes(reader: Reader, sha256s: readonly Buffer[]): Promise<Map<string, EmailRow>> {
  const found = new Map<string, EmailRow>();
  if (sha256s.length === 0) return found;
  for (const { sha256, ...email } of await reader.run(emailsOfHashes, { accountId: reader.accountId, sha256s })) {
    const hash = sha256.toString("hex");
    if (!found.has(hash)) found.set(hash, email);
  }
  return found;
}

/** The emails of these messages that are still there. */
export async function findEmailsOfNos(reader: Reader, nos: readonly number[]): Promise<EmailRow[]> {
  return nos.length === 0 ? [] : reader.run(emailsOfNos, { accountId: reader.accountId, nos });
}
