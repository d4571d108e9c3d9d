import type { StoredBlob } from "../blobs/objects/object-store.ts";
import { read, write } from "../core/declare.ts";
import { insertLists, type Lists, lists, unnest } from "../core/lists.ts";
import type { Reader, Tx } from "../core/store.ts";

/** The version of the rules by which terms are made. After an increase, `posthorn reindex` rebuilds older terms. */
export const termsVersion = 1;

const rowColumns = ["no", "receivedAt", "terms", "version"] as const;
const partColumns = ["no", "part", "terms"] as const;

const insertRows = write(
  "terms.insert",
  (db, $: { accountId: number } & Lists<"search", (typeof rowColumns)[number]>) =>
    insertLists(db, "search", rowColumns, $),
);
const insertParts = write(
  "terms.insertParts",
  (db, $: { accountId: number } & Lists<"searchPart", (typeof partColumns)[number]>) =>
    insertLists(db, "searchPart", partColumns, $),
);
const replace = write("terms.replace", (db, $: { accountId: number } & Lists<"search", "no" | "terms">) =>
  db
    .updateTable("search as s")
    .from(unnest("search", ["no", "terms"], $))
    .set((eb) => ({ terms: eb.ref("x.terms"), version: termsVersion }))
    .where("s.userId", "=", $.accountId)
    .whereRef("s.no", "=", "x.no")
    .where("s.version", "<", termsVersion)
    .returning("s.no"),
);
const removeParts = write("terms.removeParts", (db, $: { accountId: number; nos: readonly number[] }) =>
  db.deleteFrom("searchPart").where("userId", "=", $.accountId).where("no", "in", $.nos),
);
const remove = write("terms.remove", (db, $: { accountId: number; nos: readonly number[] }) =>
  db
    .with("whole", (inner) => inner.deleteFrom("search").where("userId", "=", $.accountId).where("no", "in", $.nos))
    .deleteFrom("searchPart")
    .where("userId", "=", $.accountId)
    .where("no", "in", $.nos),
);

const noteReindexed = write("terms.noteReindexed", (db, $: { accountId: number; modseq: number }) =>
  db.updateTable("account").set({ reindexedModseq: $.modseq }).where("userId", "=", $.accountId),
);
const countOld = read("terms.countOld", (db, $: { accountId: number }) =>
  db
    .selectFrom("search")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("userId", "=", $.accountId)
    .where("version", "<", termsVersion),
);
const old = read("terms.old", (db, $: { accountId: number; below: number; limit: number }) =>
  db
    .selectFrom("search as s")
    .innerJoin("message as m", (join) => join.on("m.userId", "=", $.accountId).onRef("m.no", "=", "s.no"))
    .innerJoin("blobRef as b", (join) => join.on("b.userId", "=", $.accountId).onRef("b.sha256", "=", "m.sha256"))
    .select(["s.no", "m.sha256", "m.size", "b.day", "b.pack"])
    .where("s.userId", "=", $.accountId)
    .where("s.no", "<", $.below)
    .where("s.version", "<", termsVersion)
    .orderBy("s.no", "desc")
    .limit($.limit),
);

/** The terms of a message: tsvectors as text, with terms prefixed for its account. */
export interface MessageTerms {
  no: number;
  terms: string[];
}

/** The terms for the row in `search`; empty for a long message, so that no single row of it passes for the whole. */
const ownRow = ({ terms }: MessageTerms): string => (terms.length === 1 ? terms[0]! : "");

export async function insertTerms(tx: Tx, messages: readonly (MessageTerms & { receivedAt: Date })[]): Promise<void> {
  const rows = messages.map((message) => ({ ...message, terms: ownRow(message), version: termsVersion }));
  tx.send(insertRows, { accountId: tx.accountId, ...lists(rows, rowColumns) });
  await insertFurther(tx, messages);
}

/** One statement sends about this many characters of terms. */
const maxCharacters = 4_000_000;

async function insertFurther(tx: Tx, messages: readonly MessageTerms[]): Promise<void> {
  const parts = messages
    .filter(({ terms }) => terms.length > 1)
    .flatMap(({ no, terms }) => terms.map((text, part) => ({ no, part, terms: text })));
  for (let start = 0; start < parts.length; ) {
    let end = start;
    for (let size = 0; end < parts.length && size < maxCharacters; end++) size += parts[end]!.terms.length;
    tx.send(insertParts, { accountId: tx.accountId, ...lists(parts.slice(start, end), partColumns) });
    start = end;
  }
}

export async function deleteTerms(tx: Tx, nos: readonly number[]): Promise<void> {
  tx.send(remove, { accountId: tx.accountId, nos });
}

/** How many messages have terms of an older version. */
export async function countOldTerms(reader: Reader): Promise<number> {
  const [row] = await reader.run(countOld, { accountId: reader.accountId });
  return row!.count;
}

/** Messages numbered below `below` whose terms are of an older version, newest first, with their blobs. */
export async function findOldTerms(
  reader: Reader,
  below: number,
  limit: number,
): Promise<(StoredBlob & { no: number })[]> {
  return reader.run(old, { accountId: reader.accountId, below, limit });
}

/**
 * Replaces terms of an older version; skips messages that are gone or have been updated meanwhile. No email changes, so
 * only the queryState of searches does.
 */
export async function replaceTerms(tx: Tx, messages: readonly MessageTerms[]): Promise<void> {
  const { accountId } = tx;
  const rows = messages.map((message) => ({ no: message.no, terms: ownRow(message) }));
  const replaced = await tx.run(replace, { accountId, ...lists(rows, ["no", "terms"]) });
  if (replaced.length === 0) return;
  const known = new Set(replaced.map(({ no }) => no));
  tx.send(removeParts, { accountId, nos: [...known] });
  await insertFurther(
    tx,
    messages.filter(({ no }) => known.has(no)),
  );
  tx.send(noteReindexed, { accountId, modseq: tx.modseq });
}
