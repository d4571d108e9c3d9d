import type { ReceivedRow } from "../../store/queues/received-reports.ts";
import type { ReportKind } from "../../store/queues/report-counts.ts";

/** Who reports, and of what. */
export interface ReportHead {
  /** The domain that gets the report. */
  domain: string;
  /** YYYY-MM-DD, UTC */
  day: string;
  organization: string;
  /** An address of the reporter. */
  contact: string;
  /** The same whenever the report is made again. */
  reportId: string;
}

/** A report that came from another server. */
export interface ParsedReport {
  kind: ReportKind;
  domain: string;
  organization: string;
  reportId: string;
  begins: Date;
  ends: Date;
  policy: Record<string, unknown>;
  rows: ReceivedRow[];
}

/** A report has no more rows than these. */
export const maxRows = 20_000;

/** The first and the last second of a day. */
export function secondsOf(day: string): { begin: number; end: number } {
  const begin = Date.parse(`${day}T00:00:00Z`) / 1_000;
  return { begin, end: begin + 86_399 };
}
