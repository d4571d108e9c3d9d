import { Kind } from "../core/change.ts";
import { type Row, read, write } from "../core/declare.ts";
import type { Reader, Tx } from "../core/store.ts";

const columns = ["isEnabled", "fromDate", "toDate", "subject", "textBody", "htmlBody"] as const;

/** The VacationResponse of RFC 8621 §8. */
export type VacationRow = Row<"vacation", (typeof columns)[number]>;

const find = read("vacation.find", (db, $: { accountId: number }) =>
  db.selectFrom("vacation").select(columns).where("userId", "=", $.accountId),
);
const active = read("vacation.active", (db, $: { accountId: number; at: Date }) =>
  db
    .selectFrom("vacation")
    .select(columns)
    .where("userId", "=", $.accountId)
    .where("isEnabled", "=", true)
    .where((eb) => eb.or([eb("fromDate", "is", null), eb("fromDate", "<=", $.at)]))
    .where((eb) => eb.or([eb("toDate", "is", null), eb("toDate", ">", $.at)])),
);
const upsert = write("vacation.write", (db, $: { accountId: number } & VacationRow) =>
  db
    .insertInto("vacation")
    .values({
      userId: $.accountId,
      isEnabled: $.isEnabled,
      fromDate: $.fromDate,
      toDate: $.toDate,
      subject: $.subject,
      textBody: $.textBody,
      htmlBody: $.htmlBody,
    })
    .onConflict((conflict) =>
      conflict.column("userId").doUpdateSet((eb) => ({
        isEnabled: eb.ref("excluded.isEnabled"),
        fromDate: eb.ref("excluded.fromDate"),
        toDate: eb.ref("excluded.toDate"),
        subject: eb.ref("excluded.subject"),
        textBody: eb.ref("excluded.textBody"),
        htmlBody: eb.ref("excluded.htmlBody"),
      })),
    ),
);

export async function findVacation(reader: Reader): Promise<VacationRow | undefined> {
  const [row] = await reader.run(find, { accountId: reader.accountId });
  return row;
}

/** Undefined unless mail that arrives at this time is to be answered. */
export async function findActiveVacation(reader: Reader, at: Date): Promise<VacationRow | undefined> {
  const [row] = await reader.run(active, { accountId: reader.accountId, at });
  return row;
}

export async function writeVacation(tx: Tx, row: VacationRow): Promise<void> {
  await tx.run(upsert, { accountId: tx.accountId, ...row });
  tx.changed({ type: "VacationResponse", id: 0, kind: Kind.properties });
}

const answer = read("vacation.answer", (db, $: { accountId: number; sender: string; since: Date }) =>
  db
    .selectFrom("vacationAnswer")
    .select("sender")
    .where("userId", "=", $.accountId)
    .where("sender", "=", $.sender)
    .where("answeredAt", ">", $.since),
);
const forget = write("vacation.forgetAnswers", (db, $: { accountId: number; until: Date }) =>
  db.deleteFrom("vacationAnswer").where("userId", "=", $.accountId).where("answeredAt", "<=", $.until),
);
const claim = write("vacation.claimAnswer", (db, $: { accountId: number; sender: string; now: Date }) =>
  db
    .insertInto("vacationAnswer")
    .values({ userId: $.accountId, sender: $.sender, answeredAt: $.now })
    .onConflict((conflict) => conflict.columns(["userId", "sender"]).doNothing()),
);

export async function wasAnswered(reader: Reader, sender: string, since: Date): Promise<boolean> {
  return (await reader.run(answer, { accountId: reader.accountId, sender, since })).length > 0;
}

/** False where the sender has had an answer since then; else it counts as had now. Older answers are forgotten. */
export async function claimAnswer(tx: Tx, sender: string, since: Date): Promise<boolean> {
  await forgetAnswers(tx, since);
  return (await tx.count(claim, { accountId: tx.accountId, sender, now: tx.now })) > 0;
}

/** Whoever had an answer until then may have another one. */
export async function forgetAnswers(tx: Tx, until: Date): Promise<void> {
  await tx.run(forget, { accountId: tx.accountId, until });
}
