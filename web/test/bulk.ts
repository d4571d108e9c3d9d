import { unprepared } from "../../src/store/core/sql.ts";
import type { Store } from "../../src/store/core/store.ts";
import type { User } from "./world.ts";

/**
 * Fills an inbox straight in the database: importing so many would take minutes. Mail number n, from 0, the newest, has the subject "Bulk n"
 * and came n minutes before the last full hour.
 */
export async function fillInbox(store: Store, user: User, count: number): Promise<void> {
  await user.put({ subject: "Bulk 0", keywords: ["$seen"], receivedAt: new Date(Date.now() - 1e10) });
  const login = user.address;
  const run = (text: string) => store.database.run(unprepared(`/* test */ ${text}`));
  const [{ user_id: userId, id, no } = { user_id: 0, id: 0, no: 0 }] = await store.database.run(
    unprepared<{ user_id: number; id: number; no: number }>(
      `/* test */ SELECT user_id, id, no FROM email WHERE user_id = (SELECT user_id FROM account WHERE name = '${login}') LIMIT 1`,
    ),
  );
  const columns = (
    await store.database.run(
      unprepared<{ column_name: string }>(
        "/* test */ SELECT column_name FROM information_schema.columns WHERE table_name = 'message' ORDER BY ordinal_position",
      ),
    )
  ).map(({ column_name: name }) => name);
  const [{ last_id: lastId } = { last_id: 0 }] = await store.database.run(
    unprepared<{ last_id: number }>(`/* test */ SELECT last_id FROM account WHERE user_id = ${userId}`),
  );
  const base = Number(lastId);
  const replaced: Record<string, string> = { no: `${base} + n`, subject: "'Bulk ' || (n - 1)" };
  const names = columns.map((name) => `"${name}"`).join(", ");
  const values = columns.map((name) => replaced[name] ?? `m."${name}"`).join(", ");
  const ids = base + count;
  await run(
    `INSERT INTO message (${names}) SELECT ${values} FROM message m, generate_series(1, ${count}) n WHERE m.user_id = ${userId} AND m.no = ${no}`,
  );
  const at = "date_trunc('hour', now()) - make_interval(mins => n)";
  await run(
    `INSERT INTO email (user_id, id, no, thread_id, received_at, sent_at, size, has_attachment, mailbox_ids, keywords)
     SELECT user_id, ${ids} + n + 1, ${base} + 1 + n, ${ids + count} + n + 1, ${at}, sent_at, size, false, mailbox_ids, keywords
     FROM email, generate_series(0, ${count - 1}) n WHERE user_id = ${userId} AND id = ${id}`,
  );
  await run(
    `INSERT INTO email_mailbox (user_id, mailbox_id, email_id, thread_id, received_at, seen, draft, head)
     SELECT user_id, mailbox_ids[1], id, thread_id, received_at, true, false, true FROM email WHERE user_id = ${userId} AND id > ${ids}`,
  );
  await run(
    `UPDATE mailbox SET total_emails = total_emails + ${count}, total_threads = total_threads + ${count} WHERE user_id = ${userId} AND role = 'inbox'`,
  );
  await run(`UPDATE account SET last_id = ${ids + 2 * count + 1} WHERE user_id = ${userId}`);
  await run("ANALYZE");
}
