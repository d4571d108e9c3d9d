import { createHash } from "node:crypto";
import { splitAddress } from "../../base/address.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { partBytes } from "../../mime/decode.ts";
import { leaves, type Part } from "../../mime/structure.ts";
import type { MessageSummary } from "../../mime/summary.ts";
import type { Database } from "../../store/core/database.ts";
import { findDomain } from "../../store/directory/directory.ts";
import { keepReport } from "../../store/queues/received-reports.ts";
import { readReports } from "./read-report.ts";
import type { ParsedReport } from "./report.ts";
import { BadReport, maxPacked } from "./unpack.ts";

export interface ReportReaderOptions {
  database: Database;
  clock: Clock;
  log: Log;
}

/** Types, or else ends of names, of attachments that may be reports. */
const reportTypes =
  /^application\/(tlsrpt\+(gzip|json)|gzip|x-gzip|zip|x-zip(-compressed)?|octet-stream|json|xml)$|^text\/xml$/i;
const reportNames = /\.(xml|json|zip|gz)$/i;
const maxAttachments = 20;
const shortId = 16;

/** Where reports come to: the addresses that the DNS records of `posthorn domain` name. */
export function takesReports(address: string): boolean {
  const local = splitAddress(address)?.local.toLowerCase().split("+", 1)[0] ?? "";
  return ["postmaster", "dmarc-reports", "tls-reports"].includes(local);
}

/**
 * Keeps the DMARC and TLS reports in a message, as far as they are about domains of this server; a report that is there
 * already stays as it is. What can't be read is logged. Throws only when the database fails.
 */
export async function keepReports(
  message: Buffer,
  summary: MessageSummary,
  { database, clock, log }: ReportReaderOptions,
): Promise<void> {
  const sender = summary.from?.[0]?.email.toLowerCase() ?? "";
  const parts = leaves(summary.structure).filter(mayBeReport).slice(0, maxAttachments);
  for (const part of parts) {
    let reports: ParsedReport[];
    try {
      reports = await readReports(partBytes(message, part));
    } catch (error) {
      if (!(error instanceof BadReport)) throw error;
      log.info({ from: sender, name: part.name, reason: error.message }, "an attachment is no report that can be read");
      continue;
    }
    for (const { rows, ...report } of reports) {
      if ((await findDomain(database, report.domain)) === undefined) continue;
      const { kind, domain, organization, reportId } = report;
      const key = createHash("sha256").update([kind, domain, organization, reportId].join("\n"));
      const id = key.digest("hex").slice(0, shortId);
      const isNew = await keepReport(database, { ...report, id, sender, receivedAt: clock.now() }, rows);
      if (isNew) log.info({ report: id, kind, domain, organization, rows: rows.length }, "report received");
    }
  }
}

function mayBeReport({ type, name, size }: Part): boolean {
  return size <= maxPacked && (reportTypes.test(type) || reportNames.test(name ?? ""));
}
