import { normalizeDomain } from "../base/address.ts";
import { findReport, listReports as listAll, topOfReports } from "../store/queues/received-reports.ts";
import type { ReportKind } from "../store/queues/report-counts.ts";
import type { Admin } from "./admin.ts";
import { Refused } from "./refused.ts";

type Reading = Pick<Admin, "store">;

/** Which reports: of one kind and domain or all, of the last days. */
export interface ReportQuery {
  kind: ReportKind | undefined;
  domain: string | undefined;
  days: number;
  limit: number;
}

const dayMs = 86_400_000;

function filterOf({ store }: Reading, { kind, domain, days, limit }: ReportQuery) {
  const name = domain === undefined ? null : normalizeDomain(domain);
  if (name === undefined) throw new Refused({ type: "notADomain", text: domain! });
  const since = new Date(store.clock.now().getTime() - days * dayMs);
  return { kind: kind ?? null, domain: name, since, limit };
}

/** Reports that others sent of our domains, the newest first, with the mails or connections that passed and failed. */
export function listReports(admin: Reading, query: ReportQuery) {
  return listAll(admin.store.database, filterOf(admin, query));
}

/** The sums of the reports, by domain, source and result; the largest first. */
export function topReports(admin: Reading, query: ReportQuery) {
  return topOfReports(admin.store.database, filterOf(admin, query));
}

/** A report with its rows. */
export async function showReport({ store }: Reading, id: string) {
  const report = await findReport(store.database, id.toLowerCase());
  if (!report) throw new Refused({ type: "noReport", text: id });
  return report;
}
