import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { type Row, read, unnamed, write } from "../core/declare.ts";
import { type Lists, lists, unnest } from "../core/lists.ts";
import type { Executor } from "../core/sql.ts";

const columns = [
  ...(["id", "kind", "domain", "organization", "reportId", "sender"] as const),
  ...(["begins", "ends", "receivedAt", "policy"] as const),
] as const;
const rowColumns = ["report", "no", "source", "result", "number", "what"] as const;

/** A report that another server sent of one of our domains. */
export type ReceivedReport = Row<"receivedReport", (typeof columns)[number]>;
export type ReceivedRow = Omit<Row<"receivedReportRow", (typeof rowColumns)[number]>, "report" | "no">;

/** Which reports are asked for; null: all. */
export interface ReportFilter {
  kind: string | null;
  domain: string | null;
  since: Date;
  limit: number;
}

const insert = write("receivedReports.add", (db, $: Omit<ReceivedReport, "policy"> & { policy: string }) =>
  db
    .insertInto("receivedReport")
    .values({
      ...{ id: $.id, kind: $.kind, domain: $.domain, organization: $.organization, reportId: $.reportId },
      ...{ sender: $.sender, begins: $.begins, ends: $.ends, receivedAt: $.receivedAt, policy: $.policy },
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .returning("id"),
);
const insertRows = write("receivedReports.addRows", (db, $: Lists<"receivedReportRow", (typeof rowColumns)[number]>) =>
  db
    .insertInto("receivedReportRow")
    .columns(rowColumns)
    .expression(db.selectFrom(unnest("receivedReportRow", rowColumns, $)).select(rowColumns)),
);
const isGood = sql`r.result IN ('pass', 'success')`;
const list = read("receivedReports.list", (db, $: ReportFilter) =>
  db
    .selectFrom("receivedReport as p")
    .leftJoin("receivedReportRow as r", "r.report", "p.id")
    .select(["p.id", "p.kind", "p.domain", "p.organization", "p.reportId", "p.sender"])
    .select(["p.begins", "p.ends", "p.receivedAt", "p.policy"])
    .select([
      sql<number>`coalesce(sum(r.number) FILTER (WHERE ${isGood}), 0)::bigint`.as("passed"),
      sql<number>`coalesce(sum(r.number) FILTER (WHERE NOT ${isGood}), 0)::bigint`.as("failed"),
    ])
    .where("p.receivedAt", ">=", $.since)
    .where(sql<boolean>`(${$.kind}::text IS NULL OR p.kind = ${$.kind})`)
    .where(sql<boolean>`(${$.domain}::text IS NULL OR p.domain = ${$.domain})`)
    .groupBy("p.id")
    .orderBy("p.receivedAt", "desc")
    .orderBy("p.id")
    .limit($.limit),
);
const byId = read("receivedReports.byId", (db, $: { id: string }) =>
  db.selectFrom("receivedReport").select(columns).where("id", "=", $.id),
);
const rowsOf = read("receivedReports.rowsOf", (db, $: { id: string }) =>
  db
    .selectFrom("receivedReportRow")
    .select(["source", "result", "number", "what"])
    .where("report", "=", $.id)
    .orderBy("number", "desc")
    .orderBy("no"),
);
type ReportPage = { kind: string | null; domains: readonly string[] | null; at: Date; id: string; limit: number };
const page = read(
  "receivedReports.page",
  (db, $: ReportPage) =>
    db
      .selectFrom("receivedReport")
      .select(columns)
      .where(sql<boolean>`(received_at, id) < (${$.at}, ${$.id})`)
      .where(sql<boolean>`(${$.kind}::text IS NULL OR kind = ${$.kind})`)
      .where(sql<boolean>`(${$.domains}::text[] IS NULL OR domain = ANY(${$.domains}))`)
      .orderBy("receivedAt", "desc")
      .orderBy("id", "desc")
      .limit($.limit),
  unnamed("the best plan depends on which of its conditions are given"),
);
const byIds = read("receivedReports.byIds", (db, $: { ids: readonly string[] }) =>
  db.selectFrom("receivedReport").select(columns).where("id", "in", $.ids),
);
const sums = read("receivedReports.sums", (db, $: { ids: readonly string[] }) =>
  db
    .selectFrom("receivedReportRow as r")
    .select("r.report")
    .select([
      sql<number>`coalesce(sum(r.number) FILTER (WHERE ${isGood}), 0)::bigint`.as("passed"),
      sql<number>`coalesce(sum(r.number) FILTER (WHERE NOT ${isGood}), 0)::bigint`.as("failed"),
    ])
    .where("r.report", "in", $.ids)
    .groupBy("r.report"),
);
const top = read("receivedReports.top", (db, $: ReportFilter) =>
  db
    .selectFrom("receivedReport as p")
    .innerJoin("receivedReportRow as r", "r.report", "p.id")
    .select(["p.kind", "p.domain", "r.source", "r.result"])
    .select([sql<number>`sum(r.number)::bigint`.as("number"), sql<number>`count(DISTINCT p.id)`.as("reports")])
    .where("p.ends", ">=", $.since)
    .where(sql<boolean>`(${$.kind}::text IS NULL OR p.kind = ${$.kind})`)
    .where(sql<boolean>`(${$.domain}::text IS NULL OR p.domain = ${$.domain})`)
    .groupBy(["p.kind", "p.domain", "r.source", "r.result"])
    .orderBy(sql`sum(r.number)`, "desc")
    .orderBy("p.domain")
    .orderBy("r.source")
    .orderBy("r.result")
    .limit($.limit),
);
const drop = write("receivedReports.drop", (db, $: { until: Date }) =>
  db.deleteFrom("receivedReport").where("receivedAt", "<=", $.until),
);

/** Keeps a report with its rows. False when it is there already. */
export function keepReport(database: Database, report: ReceivedReport, rows: readonly ReceivedRow[]): Promise<boolean> {
  return database.transaction("BEGIN", async (executor) => {
    const added = await executor.run(insert, { ...report, policy: JSON.stringify(report.policy) });
    if (added.length === 0) return false;
    const all = rows.map((row, no) => ({ ...row, report: report.id, no, what: JSON.stringify(row.what) }));
    if (all.length > 0) await executor.run(insertRows, lists(all, rowColumns));
    return true;
  });
}

/** Reports that came since then, the newest first, with the mails or connections that passed and failed. */
export function listReports(executor: Executor, filter: ReportFilter) {
  return executor.run(list, filter);
}

/** A page of reports that came before one, the newest first; of some domains or all (null). */
export function pageOfReports(executor: Executor, wanted: ReportPage): Promise<ReceivedReport[]> {
  return executor.run(page, wanted);
}

/** These reports, with the mails or connections that passed and failed. */
export async function reportsOf(executor: Executor, ids: readonly string[]) {
  if (ids.length === 0) return [];
  const [reports, counts] = await Promise.all([executor.run(byIds, { ids }), executor.run(sums, { ids })]);
  const known = new Map(counts.map(({ report, ...count }) => [report, count]));
  return reports.map((report) => ({ ...report, ...(known.get(report.id) ?? { passed: 0, failed: 0 }) }));
}

/** One report with its rows, the largest first. */
export async function findReport(executor: Executor, id: string) {
  const [report] = await executor.run(byId, { id });
  return report && { ...report, rows: await executor.run(rowsOf, { id }) };
}

/** The sums over all reports that end after then, the largest first. */
export function topOfReports(executor: Executor, filter: ReportFilter) {
  return executor.run(top, filter);
}

/** Forgets reports that came before. */
export function dropReports(database: Database, until: Date): Promise<number> {
  return database.count(drop, { until });
}
