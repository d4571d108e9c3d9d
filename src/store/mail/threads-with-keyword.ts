import { sql } from "kysely";
import { read } from "../core/declare.ts";
import type { Reader } from "../core/store.ts";
import type { ThreadKey } from "./threads.ts";

/** Asked for each mail that arrives, so by the keys: most mails continue nothing. */
const threadsWith = read(
  "threads.withKeyword",
  (_, $: { accountId: number; keyword: string; ids: readonly number[]; subjects: readonly number[] }) => sql<ThreadKey>`
  SELECT t.id_hash AS "idHash", t.subject_hash AS "subjectHash" FROM thread_ref t
  WHERE t.user_id = ${$.accountId} AND t.id_hash = ANY(${$.ids}::bigint[]) AND t.subject_hash = ANY(${$.subjects}::bigint[])
    AND EXISTS (SELECT FROM email e
      WHERE e.user_id = ${$.accountId} AND e.thread_id = t.thread_id AND ${$.keyword} = ANY(e.keywords))`,
);

/** Whether an email that has one of these keys belongs to a thread of which an email has the keyword. */
export async function hasThreadKeyword(reader: Reader, keys: readonly ThreadKey[], keyword: string): Promise<boolean> {
  if (keys.length === 0) return false;
  const ids = [...new Set(keys.map(({ idHash }) => idHash))];
  const subjects = [...new Set(keys.map(({ subjectHash }) => subjectHash))];
  const rows = await reader.run(threadsWith, { accountId: reader.accountId, keyword, ids, subjects });
  // The statement finds every combination of ids and subjects.
  const wanted = new Set(keys.map(({ idHash, subjectHash }) => `${idHash} ${subjectHash}`));
  return rows.some(({ idHash, subjectHash }) => wanted.has(`${idHash} ${subjectHash}`));
}
