import { sql } from "kysely";
import { type Row, read, write } from "../core/declare.ts";
import type { Reader, Tx } from "../core/store.ts";

/** Under this token, how many mails the account was taught of each kind. */
export const mailsToken = 0;
/** A row and its index entry take some 90 octets: an account's rows stay within 1 MB. */
export const maxTokens = 10_000;
/** How many rows go at once when there are too many, so that this happens rarely. */
const dropped = 1_000;

type Known = Row<"spamToken", "token" | "ham" | "spam">;

const counts = read("spamTokens.counts", (db, $: { accountId: number; tokens: readonly number[] }) =>
  db
    .selectFrom("spamToken")
    .select(["token", "ham", "spam"])
    .where("userId", "=", $.accountId)
    .where("token", "in", $.tokens),
);
const teach = write(
  "spamTokens.teach",
  (_, $: { accountId: number; tokens: readonly number[]; ham: number; spam: number; day: string }) => sql<never>`
  INSERT INTO spam_token AS t (user_id, token, ham, spam, seen_on)
  SELECT a.user_id, x.token, greatest(${$.ham}::int, 0), greatest(${$.spam}::int, 0), ${$.day}::date
  FROM account a, unnest(${$.tokens}::int[]) AS x (token) WHERE a.user_id = ${$.accountId}
  ON CONFLICT (user_id, token) DO UPDATE SET ham = greatest(t.ham + ${$.ham}::int, 0),
    spam = greatest(t.spam + ${$.spam}::int, 0), seen_on = excluded.seen_on`,
);
const rows = read(
  "spamTokens.rows",
  (_, $: { accountId: number }) => sql<{ rows: number }>`
  SELECT count(*)::int AS rows FROM spam_token WHERE user_id = ${$.accountId}`,
);
/** First those that were in one mail alone, the longest unseen before others. */
const age = write(
  "spamTokens.age",
  (_, $: { accountId: number; excess: number }) => sql<never>`
  DELETE FROM spam_token WHERE user_id = ${$.accountId} AND token = ANY (ARRAY(
    SELECT t.token FROM spam_token t WHERE t.user_id = ${$.accountId} AND t.token <> ${mailsToken}::int
    ORDER BY t.ham + t.spam > 1, t.seen_on, t.ham + t.spam, t.token LIMIT ${$.excess}))`,
);
const forget = write("spamTokens.forget", (db, $: { accountId: number }) =>
  db.deleteFrom("spamToken").where("userId", "=", $.accountId),
);

/** What the account was taught about these tokens. */
export function tokenCounts(reader: Reader, tokens: readonly number[]): Promise<Known[]> {
  return reader.run(counts, { accountId: reader.accountId, tokens });
}

/** Counts a mail with these tokens; `ham` and `spam` are 1, 0, or -1 to take back what was taught before. */
export function teachTokens(tx: Tx, tokens: readonly number[], { ham, spam }: { ham: number; spam: number }): void {
  const day = tx.now.toISOString().slice(0, 10);
  tx.send(teach, { accountId: tx.accountId, tokens: [mailsToken, ...tokens], ham, spam, day });
}

/** Keeps the account within its number of rows. */
export async function ageTokens(tx: Tx): Promise<void> {
  const { accountId } = tx;
  const [found] = await tx.run(rows, { accountId });
  const excess = found!.rows - maxTokens;
  if (excess > 0) tx.send(age, { accountId, excess: excess + dropped });
}

/** Forgets all that the account was taught. */
export async function forgetTokens(tx: Tx): Promise<number> {
  return tx.count(forget, { accountId: tx.accountId });
}

export async function countTokens(reader: Reader): Promise<number> {
  return (await reader.run(rows, { accountId: reader.accountId }))[0]!.rows;
}

const taught = write(
  "emails.taught",
  (_, $: { accountId: number; ids: readonly number[]; spam: readonly boolean[] }) => sql<
    Row<"email", "id"> & { before: boolean | null; sha256: Buffer; day: string; size: number }
  >`
  UPDATE email e SET taught_spam = x.spam
  FROM unnest(${$.ids}::bigint[], ${$.spam}::boolean[]) AS x (id, spam), email o, message m, blob_ref b
  WHERE e.user_id = ${$.accountId} AND o.user_id = ${$.accountId} AND m.user_id = ${$.accountId}
    AND b.user_id = ${$.accountId} AND e.id = x.id AND o.id = x.id AND m.no = o.no AND b.sha256 = m.sha256
    AND o.taught_spam IS DISTINCT FROM x.spam
  RETURNING e.id, o.taught_spam AS before, m.sha256, b.day, m.size`,
);
export type Taught = NonNullable<(typeof taught)["row"]>;

/** Notes what the user says of emails; returns those of which they said something else before, with what that was. */
export function noteTaught(tx: Tx, said: ReadonlyMap<number, boolean>): Promise<Taught[]> {
  return tx.run(taught, { accountId: tx.accountId, ids: [...said.keys()], spam: [...said.values()] });
}

const untaught = write("emails.untaught", (db, $: { accountId: number }) =>
  db
    .updateTable("email")
    .set({ taughtSpam: null })
    .where("userId", "=", $.accountId)
    .where("taughtSpam", "is not", null),
);

export function noteUntaught(tx: Tx): void {
  tx.send(untaught, { accountId: tx.accountId });
}
