import type { Random } from "../../base/clock.ts";
import { type BuildPart, buildMessage, encodeHeader } from "../../mime/build.ts";
import type { ReportKind } from "../../store/queues/report-counts.ts";
import { mailDate } from "../submit/mail-date.ts";
import type { ReportHead } from "./report.ts";

export interface ReportMail {
  kind: ReportKind;
  head: ReportHead;
  /** Who sends it: the address in From. */
  from: string;
  to: string;
  /** The name of the server that reports. */
  submitter: string;
  /** Gzip. */
  file: { name: string; bytes: Buffer };
  now: Date;
}

const types = { tls: "application/tlsrpt+gzip", dmarc: "application/gzip" };

/** RFC 8460 §5.3, RFC 9990 §4.1: the mail that carries a report. */
export function reportMail({ kind, head, from, to, submitter, file, now }: ReportMail, random: Random): Buffer {
  const headers = [
    { name: "Date", value: ` ${mailDate(now)}` },
    { name: "Message-ID", value: ` <${random(16).toString("hex")}@${from.slice(from.lastIndexOf("@") + 1)}>` },
    { name: "From", value: encodeHeader("Addresses", [{ name: null, email: from }]) },
    { name: "To", value: encodeHeader("Addresses", [{ name: null, email: to }]) },
    {
      name: "Subject",
      value: encodeHeader(
        "Text",
        `Report Domain: ${head.domain} Submitter: ${submitter} Report-ID: <${head.reportId}>`,
      ),
    },
    { name: "Auto-Submitted", value: " auto-generated" },
    ...(kind === "tls"
      ? [
          { name: "TLS-Report-Domain", value: ` ${head.domain}` },
          { name: "TLS-Report-Submitter", value: ` ${submitter}` },
          // RFC 8689 §5: that TLS fails must not keep the report from those who want to know.
          { name: "TLS-Required", value: " No" },
        ]
      : []),
  ];
  const words = kind === "tls" ? "TLS of connections to" : "mail in the name of";
  const text: BuildPart = {
    ...{ type: "text/plain", headers: [] },
    content: {
      text: `This is a report on the ${words} ${head.domain}, of ${head.day} (UTC), by ${head.organization}.\n`,
    },
  };
  const attached: BuildPart = {
    ...{ type: types[kind], name: file.name, disposition: "attachment", headers: [] },
    content: { bytes: file.bytes },
  };
  const multipart = kind === "tls" ? "multipart/report" : "multipart/mixed";
  const body: BuildPart = {
    ...{ type: multipart, headers: [], content: { parts: [text, attached] } },
    ...(kind === "tls" && { params: [["report-type", "tlsrpt"]] as [string, string][] }),
  };
  return buildMessage({ headers, body }, random);
}
