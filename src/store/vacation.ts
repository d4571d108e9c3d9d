import { statement } from "./sql.ts";
import type { Reader, Tx } from "./store.ts";

export interface VacationRow {
  isEnabled: boolean;
  fromDate: Date | null;
  toDate: Date | null;
  subject: string | null;
  textBody: string | null;
  htmlBody: string | null;
}

const select = statement<VacationRow>(`
  SELECT is_enabled AS "isEnabled", from_date AS "fromDate", to_date AS "toDate", subject, text_body AS "textBody",
    html_body AS "htmlBody"
  FROM vacation WHERE user_id = $1`);
const upsert = statement(`
  INSERT INTO vacation (user_id, is_enabled, from_date, to_date, subject, text_body, html_body)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (user_id) DO UPDATE SET is_enabled = excluded.is_enabled, from_date = excluded.from_date,
    to_date = excluded.to_date, subject = excluded.subject, text_body = excluded.text_body,
    html_body = excluded.html_body`);
const forget = statement("DELETE FROM vacation_answer WHERE user_id = $1");
const claim = statement(`
  INSERT INTO vacation_answer AS a (user_id, sender, answered_at) VALUES ($1, $2, $3)
  ON CONFLICT (user_id, sender) DO UPDATE SET answered_at = excluded.answered_at WHERE a.answered_at <= $4`);

export async function findVacation(reader: Reader): Promise<VacationRow | undefined> {
  const [row] = await reader.run(select, [reader.accountId]);
  return row;
}

/** A new text is news to everybody: who had the old one may have this one too. */
export async function writeVacation(tx: Tx, row: VacationRow): Promise<void> {
  const { isEnabled, fromDate, toDate, subject, textBody, htmlBody } = row;
  await tx.run(upsert, [tx.accountId, isEnabled, fromDate, toDate, subject, textBody, htmlBody]);
  await tx.run(forget, [tx.accountId]);
}

/** False where the sender has had an answer since then; else it counts as had now. */
export async function claimAnswer(tx: Tx, sender: string, since: Date): Promise<boolean> {
  return (await tx.count(claim, [tx.accountId, sender, tx.now, since])) > 0;
}
