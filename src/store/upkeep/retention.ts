import { sql } from "kysely";
import { read } from "../core/declare.ts";
import type { Reader, Store } from "../core/store.ts";
import { destroyEmails, findEmails } from "../mail/emails.ts";

/** Emails that came before a time: in the mailbox of a role or name and nowhere else, or anywhere. */
export interface OldMail {
  accountId: number;
  mailbox: string | null;
  before: Date;
}

const find = read(
  "retention.old",
  (_, $: OldMail & { limit: number }) => sql<{ id: number }>`
  SELECT e.id FROM email e
  WHERE e.user_id = ${$.accountId} AND e.received_at < ${$.before}
    AND (${$.mailbox}::text IS NULL OR e.mailbox_ids <@ (SELECT coalesce(array_agg(m.id), '{}') FROM mailbox m
      WHERE m.user_id = ${$.accountId} AND (m.role = lower(${$.mailbox}) OR lower(m.name) = lower(${$.mailbox}))))
  ORDER BY e.received_at, e.id LIMIT ${$.limit}`,
);
const count = read(
  "retention.count",
  (_, $: OldMail) => sql<{ count: number }>`
  SELECT count(*) AS count FROM email e
  WHERE e.user_id = ${$.accountId} AND e.received_at < ${$.before}
    AND (${$.mailbox}::text IS NULL OR e.mailbox_ids <@ (SELECT coalesce(array_agg(m.id), '{}') FROM mailbox m
      WHERE m.user_id = ${$.accountId} AND (m.role = lower(${$.mailbox}) OR lower(m.name) = lower(${$.mailbox}))))`,
);
const keepFor = read("retention.keepFor", (db, $: { accountId: number }) =>
  db.selectFrom("account").select("keepFor").where("userId", "=", $.accountId),
);

const atATime = 500;
const dayMs = 24 * 3_600_000;

/** Destroys old mail for good, in portions, or counts it; resolves with how many emails. */
export async function destroyOld(
  store: Store,
  old: OldMail,
  { isDry, tell = () => {} }: { isDry: boolean; tell?: (emails: number) => void },
): Promise<number> {
  const reader = store.reader(old.accountId, "server");
  const wanted = { ...old, before: await notKept(reader, old.before, store.clock.now()) };
  if (isDry) return (await reader.run(count, wanted))[0]!.count;
  for (let done = 0; ; ) {
    const destroyed = await store.write(old.accountId, "server", async (tx) => {
      const rows = await tx.run(find, { ...wanted, limit: atATime });
      const emails = await findEmails(
        tx,
        rows.map(({ id }) => id),
      );
      await destroyEmails(tx, emails, { isKept: false });
      return emails.length;
    });
    done += destroyed;
    tell(done);
    if (destroyed < atATime) return done;
  }
}

/** A rule that keeps mail goes before one that destroys it. */
async function notKept(reader: Reader, before: Date, now: Date): Promise<Date> {
  const [row] = await reader.run(keepFor, { accountId: reader.accountId });
  if (row?.keepFor == null) return before;
  return new Date(Math.min(before.getTime(), now.getTime() - row.keepFor * dayMs));
}
