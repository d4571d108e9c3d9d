import { isAscii } from "node:buffer";
import type { Random } from "../../base/clock.ts";
import { headerEnd } from "../../mime/walk.ts";
import { mailDate } from "./mail-date.ts";

export interface FailedRecipient {
  address: string;
  /** ORCPT, if the client gave one. */
  original?: string | undefined;
  /** The final reply, such as "550 5.1.1 no such user". */
  smtpReply: string;
  /** The server that sent the reply. */
  remote?: string | undefined;
}

export interface FailureReport {
  hostname: string;
  /** Where the report goes: the return path of the failed message. */
  to: string;
  envelopeId?: string | undefined;
  arrivedAt: Date;
  now: Date;
  original: Buffer;
  failed: FailedRecipient[];
}

const maxHeader = 20_000;

/** RFC 3464, RFC 6533: tells the sender which recipients did not get the message, and why. */
export function failureReport(report: FailureReport, random: Random): Buffer {
  const { hostname, to, now, failed, original } = report;
  const boundary = `=_${random(12).toString("hex")}`;
  const header = original.subarray(0, Math.min(headerEnd(original), maxHeader)).toString("latin1");
  const [subject, messageId] = ["subject", "message-id"].map((name) => fieldOf(header, name));
  const parts = [
    part("text/plain; charset=utf-8", humanText(hostname, failed)),
    part("message/delivery-status", statusFields(report), "message/global-delivery-status"),
    part("text/rfc822-headers", header.trimEnd(), "message/global-headers"),
  ];
  const fields = [
    "Return-Path: <>",
    `From: Mail Delivery System <MAILER-DAEMON@${hostname}>`,
    `To: <${latin(to)}>`,
    `Subject: Undelivered: ${(subject ?? "mail").replace(/\s*\r?\n\s*/g, " ").slice(0, 200)}`,
    `Date: ${mailDate(now)}`,
    `Message-ID: <${random(16).toString("hex")}@${hostname}>`,
    ...(messageId ? [`In-Reply-To: ${messageId}`, `References: ${messageId}`] : []),
    "Auto-Submitted: auto-replied",
    "MIME-Version: 1.0",
    `Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"`,
  ];
  const body = parts.map((text) => `--${boundary}\r\n${text}\r\n`).join("");
  return Buffer.from(`${fields.join("\r\n")}\r\n\r\n${body}--${boundary}--\r\n`, "latin1");
}

/** `global`: the name of the type when its text is not ASCII (RFC 6533 §4.1). */
function part(type: string, body: string, global = type): string {
  const isPlain = !/[\x80-\xff]/.test(body);
  return `Content-Type: ${isPlain ? type : `${global}\r\nContent-Transfer-Encoding: 8bit`}\r\n\r\n${body}`;
}

function humanText(hostname: string, failed: FailedRecipient[]): string {
  const list = failed.map(({ address, smtpReply }) => `  ${latin(address)}\r\n    ${latin(smtpReply)}`).join("\r\n");
  return `Your message could not be delivered to:\r\n\r\n${list}\r\n\r\nIt will not be tried again. This report was made by ${hostname}.`;
}

function statusFields({ hostname, envelopeId, arrivedAt, failed }: FailureReport): string {
  const message = [
    ...(envelopeId ? [`Original-Envelope-Id: ${envelopeId}`] : []),
    `Reporting-MTA: dns; ${hostname}`,
    `Arrival-Date: ${mailDate(arrivedAt)}`,
  ];
  const recipients = failed.map(({ address, original, smtpReply, remote }) => [
    "",
    ...(original ? [`Original-Recipient: ${latin(original)}`] : []),
    `Final-Recipient: ${isAscii(Buffer.from(address)) ? "rfc822" : "utf-8"}; ${latin(address)}`,
    "Action: failed",
    `Status: ${statusOf(smtpReply)}`,
    ...(remote ? [`Remote-MTA: dns; ${latin(remote)}`] : []),
    `Diagnostic-Code: smtp; ${latin(smtpReply)}`,
  ]);
  return [message, ...recipients].flat().join("\r\n");
}

/** RFC 3463: the status in the reply, or one derived from its code. */
function statusOf(smtpReply: string): string {
  return /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(smtpReply)?.[1] ?? (smtpReply.startsWith("4") ? "4.0.0" : "5.0.0");
}

/** The report is written as latin1, so text beyond ASCII is passed as its UTF-8 bytes. */
function latin(text: string): string {
  return Buffer.from(text.replace(/[\r\n]+/g, " "), "utf8").toString("latin1");
}

function fieldOf(header: string, name: string): string | undefined {
  return new RegExp(`^${name}[ \\t]*:[ \\t]*([^\\r\\n]*(?:\\r?\\n[ \\t][^\\r\\n]*)*)`, "im").exec(header)?.[1]?.trim();
}
