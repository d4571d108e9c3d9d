import type { Kysely } from "kysely";
import type { StoredBlob } from "../blobs/objects/object-store.ts";
import type { DB } from "../core/db.ts";
import { read } from "../core/declare.ts";
import type { Reader } from "../core/store.ts";

type Ids = { accountId: number; ids: readonly number[] };

/** What a list of emails shows: addresses (as JSON text), subject, preview, blob id. */
const list = [
  "m.sha256",
  "m.messageId",
  "m.inReplyTo",
  "m.refs as references",
  "m.sender",
  "m.from",
  "m.to",
  "m.cc",
  "m.bcc",
  "m.replyTo",
  "m.subject",
  "m.sentAt",
  "m.preview",
] as const;
/** Where the message's bytes are stored. */
const place = ["b.day", "b.pack"] as const;
const blob = ["m.sha256", ...place] as const;
/** Also the part tree. */
const content = [...blob, "m.structure"] as const;

const emails = (db: Kysely<DB>, $: Ids) =>
  db
    .selectFrom("email as e")
    .select(["e.id", "e.threadId", "e.receivedAt", "e.size", "e.hasAttachment", "e.mailboxIds", "e.keywords"])
    .where("e.userId", "=", $.accountId)
    .where("e.id", "in", $.ids);
const messages = (db: Kysely<DB>, $: Ids) =>
  emails(db, $).innerJoin("message as m", (join) => join.on("m.userId", "=", $.accountId).onRef("m.no", "=", "e.no"));
const bodies = (db: Kysely<DB>, $: Ids) =>
  messages(db, $).leftJoin("blobRef as b", (join) =>
    join.on("b.userId", "=", $.accountId).onRef("b.sha256", "=", "m.sha256"),
  );

/** The sets of columns that a fetch may request: the email's own row, and more at a higher cost. */
const statements = {
  own: read("emails.own", emails),
  list: read("emails.list", (db, $: Ids) => messages(db, $).select(list)),
  blob: read("emails.blob", (db, $: Ids) => bodies(db, $).select(blob)),
  content: read("emails.content", (db, $: Ids) => bodies(db, $).select(content)),
  headerAndContent: read("emails.headerAndContent", (db, $: Ids) => bodies(db, $).select(content).select("m.header")),
  listAndContent: read("emails.listAndContent", (db, $: Ids) =>
    bodies(db, $)
      .select(list)
      .select([...place, "m.structure"]),
  ),
  everything: read("emails.everything", (db, $: Ids) =>
    bodies(db, $)
      .select(list)
      .select([...place, "m.structure", "m.header"]),
  ),
};

export type EmailColumns = keyof typeof statements;

/** An Email as stored, with the requested columns. For a union of sets, test which members it has. */
export type FetchedEmail<Asked extends EmailColumns = "own"> = NonNullable<(typeof statements)[Asked]["row"]>;

/** Fetches the emails that exist, in no particular order, in one statement. */
export async function fetchEmails<Asked extends EmailColumns>(
  reader: Reader,
  ids: readonly number[],
  columns: Asked,
): Promise<FetchedEmail<Asked>[]> {
  return ids.length === 0 ? [] : reader.run(statements[columns], { accountId: reader.accountId, ids });
}

const newest = read("emails.newest", (db, $: { accountId: number; limit: number }) =>
  db
    .selectFrom("email")
    .select("id")
    .where("userId", "=", $.accountId)
    .orderBy("receivedAt", "desc")
    .orderBy("id", "desc")
    .limit($.limit),
);

/** The newest emails of the account, which Email/get returns for `ids: null`. */
export async function newestEmailIds(reader: Reader, limit: number): Promise<number[]> {
  return (await reader.run(newest, { accountId: reader.accountId, limit })).map(({ id }) => id);
}

/** If the blob reference is missing, the day is "", where no object exists. */
export function blobOf({
  sha256,
  day,
  size,
  pack,
}: Pick<FetchedEmail<"blob">, "sha256" | "day" | "size" | "pack">): StoredBlob {
  return { sha256, day: day ?? "", size, pack };
}
