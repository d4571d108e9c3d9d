import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import { type Lists, lists, unnest } from "../core/lists.ts";

const columns = ["kind", "day", "domain", "key", "what", "number"] as const;

/** tls: RFC 8460. dmarc: RFC 9990. */
export type ReportKind = "tls" | "dmarc";

/** How often something was seen on a day (UTC) that a domain gets a report of. `key` stands for `what`. */
export type ReportCount = Row<"reportCount", (typeof columns)[number]>;

/** What a report is about. */
export interface ReportOf {
  kind: ReportKind;
  /** YYYY-MM-DD */
  day: string;
  domain: string;
}

const add = write("reportCounts.add", (db, $: Lists<"reportCount", (typeof columns)[number]>) =>
  db
    .insertInto("reportCount")
    .columns(columns)
    .expression(db.selectFrom(unnest("reportCount", columns, $)).select(columns))
    .onConflict((conflict) =>
      conflict.columns(["kind", "day", "domain", "key"]).doUpdateSet({
        number: sql<number>`report_count.number + excluded.number`,
      }),
    ),
);
const ofReport = read("reportCounts.ofReport", (db, $: ReportOf & { limit: number }) =>
  db
    .selectFrom("reportCount")
    .select(columns)
    .where("kind", "=", $.kind)
    .where("day", "=", $.day)
    .where("domain", "=", $.domain)
    .orderBy("number", "desc")
    .orderBy("key")
    .limit($.limit),
);
const unsent = read("reportCounts.unsent", (db, $: { before: string; now: Date; limit: number }) =>
  db
    .selectFrom("reportCount as c")
    .select(["c.kind", "c.day", "c.domain"])
    .distinct()
    .where("c.day", "<", $.before)
    .where(
      sql<boolean>`NOT EXISTS (SELECT FROM sent_report s WHERE s.kind = c.kind AND s.day = c.day AND s.domain = c.domain
        AND (s.taken_until > ${$.now} OR s.sent_at IS NOT NULL))`,
    )
    .orderBy("c.day")
    .orderBy("c.kind")
    .orderBy("c.domain")
    .limit($.limit),
);
const take = write("reportCounts.take", (db, $: ReportOf & { now: Date; until: Date }) =>
  db
    .insertInto("sentReport")
    .values({ kind: $.kind, day: $.day, domain: $.domain, takenUntil: $.until, sentAt: null })
    .onConflict((conflict) =>
      conflict
        .columns(["kind", "day", "domain"])
        .doUpdateSet({ takenUntil: $.until })
        .where("sentReport.sentAt", "is", null)
        .where("sentReport.takenUntil", "<=", $.now),
    )
    .returning("day"),
);
const finish = write("reportCounts.finish", (db, $: ReportOf & { now: Date }) =>
  db
    .updateTable("sentReport")
    .set({ sentAt: $.now })
    .where("kind", "=", $.kind)
    .where("day", "=", $.day)
    .where("domain", "=", $.domain),
);
const forget = write("reportCounts.forget", (db, $: ReportOf) =>
  db.deleteFrom("reportCount").where("kind", "=", $.kind).where("day", "=", $.day).where("domain", "=", $.domain),
);
const dropCounts = write("reportCounts.drop", (db, $: { before: string }) =>
  db.deleteFrom("reportCount").where("day", "<", $.before),
);
const dropSent = write("reportCounts.dropSent", (db, $: { before: string }) =>
  db.deleteFrom("sentReport").where("day", "<", $.before),
);

/** Adds to the counts. The keys are all different. */
export async function addReportCounts(database: Database, counts: readonly ReportCount[]): Promise<void> {
  if (counts.length === 0) return;
  // In one order everywhere, so that two processes never wait for each other.
  const sorted = counts.toSorted((one, other) => one.key.compare(other.key));
  const rows = sorted.map((row) => ({ ...row, what: JSON.stringify(row.what) }));
  await database.run(add, lists(rows, columns));
}

/** The counts of a report, the largest first. */
export function reportCounts(database: Database, report: ReportOf, limit: number): Promise<ReportCount[]> {
  return database.run(ofReport, { ...report, limit });
}

/** Reports of days before `before` that nobody sends now or has sent, the oldest first. */
export async function unsentReports(database: Database, before: string, now: Date, limit: number): Promise<ReportOf[]> {
  return (await database.run(unsent, { before, now, limit })) as ReportOf[];
}

/** Takes a report until then. False when another process has it, or sent it. */
export async function takeReport(database: Database, report: ReportOf, now: Date, until: Date): Promise<boolean> {
  return (await database.run(take, { ...report, now, until })).length > 0;
}

/** Notes that the report was sent, or that nobody wants it, and forgets its counts. */
export async function finishReport(database: Database, report: ReportOf, now: Date): Promise<void> {
  await database.run(finish, { ...report, now });
  await database.run(forget, report);
}

/** Forgets what is of days before. */
export async function dropReportCounts(database: Database, before: string): Promise<void> {
  await database.run(dropCounts, { before });
  await database.run(dropSent, { before });
}
