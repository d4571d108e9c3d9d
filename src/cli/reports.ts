import { listReports, type ReportQuery, showReport, topReports } from "../admin/reports.ts";
import type { Context } from "./command.ts";
import { say, table } from "./prompt.ts";

type Given = Omit<ReportQuery, "kind" | "domain"> & Partial<Pick<ReportQuery, "kind" | "domain">> & { json?: true };

const queryOf = ({ kind, domain, days, limit }: Given): ReportQuery => ({ kind, domain, days, limit });

export async function list({ admin, options }: Context): Promise<void> {
  const given = options as unknown as Given;
  const rows = await listReports(admin, queryOf(given));
  if (given.json) return say(JSON.stringify(rows, null, 2));
  if (rows.length === 0) return say("No reports came in this time.");
  const cells = rows.map(({ id, kind, domain, organization, begins, passed, failed }) => {
    return [id, kind, domain, organization, begins.toISOString().slice(0, 10), String(passed), String(failed)];
  });
  say(table([["ID", "KIND", "DOMAIN", "FROM", "DAY", "PASSED", "FAILED"], ...cells]));
}

export async function top({ admin, options }: Context): Promise<void> {
  const given = options as unknown as Given;
  const rows = await topReports(admin, queryOf(given));
  if (given.json) return say(JSON.stringify(rows, null, 2));
  if (rows.length === 0) return say("No reports came in this time.");
  const cells = rows.map(({ number, kind, domain, source, result, reports }) => {
    return [String(number), kind, domain, source || "-", result, String(reports)];
  });
  say(table([["COUNT", "KIND", "DOMAIN", "SOURCE", "RESULT", "REPORTS"], ...cells]));
}

export async function show({ admin, options }: Context, id: string): Promise<void> {
  const { rows, ...report } = await showReport(admin, id);
  if (options.json) return say(JSON.stringify({ ...report, rows }, null, 2));
  const { kind, domain, organization, reportId, sender, begins, ends, receivedAt, policy } = report;
  const facts = [
    ["report", `${report.id} (${kind}) on ${domain}`],
    ["by", `${organization}, ${reportId}, from ${sender}`],
    ["time", `${begins.toISOString()} to ${ends.toISOString()}, received ${receivedAt.toISOString()}`],
    ["policy", JSON.stringify(policy)],
  ];
  say(table(facts));
  const cells = rows.map(({ number, source, result, what }) => [
    ...[String(number), source || "-", result],
    JSON.stringify(what),
  ]);
  say(`\n${table([["COUNT", "SOURCE", "RESULT", "MORE"], ...cells])}`);
}
