import { Kind } from "../core/change.ts";
import { statement } from "../core/sql.ts";
import type { Reader, Tx } from "../core/store.ts";

/** The VacationResponse of RFC 8621 §8. */
export interface VacationRow {
  isEnabled: boolean;
  fromDate: Date | null;
  toDate: Date | null;
  subject: string | null;
  textBody: string | null;
  htmlBody: string | null;
}

const columns = `v.is_enabled AS "isEnabled", v.from_date AS "fromDate", v.to_date AS "toDate", v.subject,
  v.text_body AS "textBody", v.html_body AS "htmlBody"`;
const select = statement<VacationRow & Record<string, unknown>>(
  `SELECT ${columns} FROM vacation v WHERE v.user_id = $1`,
);
const selectActive = statement<VacationRow & Record<string, unknown>>(`
  SELECT ${columns} FROM vacation v WHERE v.user_id = $1 AND v.is_enabled
    AND (v.from_date IS NULL OR v.from_date <= $2) AND (v.to_date IS NULL OR v.to_date > $2)`);
const upsert = statement(`
  INSERT INTO vacation (user_id, is_enabled, from_date, to_date, subject, text_body, html_body)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (user_id) DO UPDATE SET is_enabled = excluded.is_enabled, from_date = excluded.from_date,
    to_date = excluded.to_date, subject = excluded.subject, text_body = excluded.text_body,
    html_body = excluded.html_body`);

export async function findVacation(reader: Reader): Promise<VacationRow | undefined> {
  const [row] = await reader.run(select, [reader.accountId]);
  return row;
}

/** Undefined unless mail that arrives at this time is to be answered. */
export async function findActiveVacation(reader: Reader, at: Date): Promise<VacationRow | undefined> {
  const [row] = await reader.run(selectActive, [reader.accountId, at]);
  return row;
}

export async function writeVacation(tx: Tx, row: VacationRow): Promise<void> {
  const { isEnabled, fromDate, toDate, subject, textBody, htmlBody } = row;
  await tx.run(upsert, [tx.accountId, isEnabled, fromDate, toDate, subject, textBody, htmlBody]);
  tx.changed({ type: "VacationResponse", id: 0, kind: Kind.properties });
}

const selectAnswer = statement<{ sender: string }>(
  "SELECT sender FROM vacation_answer WHERE user_id = $1 AND sender = $2 AND answered_at > $3",
);
const forget = statement("DELETE FROM vacation_answer WHERE user_id = $1 AND answered_at <= $2");
const claim = statement(`
  INSERT INTO vacation_answer (user_id, sender, answered_at) VALUES ($1, $2, $3)
  ON CONFLICT (user_id, sender) DO NOTHING`);

export async function wasAnswered(reader: Reader, sender: string, since: Date): Promise<boolean> {
  return (await reader.run(selectAnswer, [reader.accountId, sender, since])).length > 0;
}

/** False where the sender has had an answer since then; else it counts as had now. Older answers are forgotten. */
export async function claimAnswer(tx: Tx, sender: string, since: Date): Promise<boolean> {
  await forgetAnswers(tx, since);
  return (await tx.count(claim, [tx.accountId, sender, tx.now])) > 0;
}

/** Whoever had an answer until then may have another one. */
export async function forgetAnswers(tx: Tx, until: Date): Promise<void> {
  await tx.run(forget, [tx.accountId, until]);
}
