import { isAscii } from "node:buffer";
import type { Random } from "../../base/clock.ts";
import { headerEnd } from "../../mime/walk.ts";
import { mailDate } from "./mail-date.ts";

/** RFC 3464 §2.3.3, in the order of what a reader must know first. */
const actions = ["failed", "delayed", "delivered", "relayed"] as const;
type Action = (typeof actions)[number];

export interface ReportedRecipient {
  address: string;
  action: Action;
  /** ORCPT, if the client gave one. */
  original?: string | undefined;
  /** The last reply, such as "550 5.1.1 no such user". */
  smtpReply: string;
  /** The server that sent the reply. */
  remote?: string | undefined;
  /** Until when a delayed one is tried. */
  retriedUntil?: Date | undefined;
}

export interface DeliveryReport {
  hostname: string;
  /** Where the report goes: the return path of the message. */
  to: string;
  envelopeId?: string | undefined;
  arrivedAt: Date;
  now: Date;
  original: Buffer;
  /** Returns the whole message, and not only its header. */
  isFull?: boolean;
  recipients: readonly ReportedRecipient[];
}

const maxHeader = 20_000;
const subjects = { failed: "Undelivered", delayed: "Delayed", delivered: "Delivered", relayed: "Relayed" };

/** RFC 3464, RFC 6533: tells the sender what became of the message for these recipients. */
export function deliveryReport(report: DeliveryReport, random: Random): Buffer {
  const { hostname, to, now, recipients, original, isFull = false } = report;
  const boundary = `=_${random(12).toString("hex")}`;
  const header = original.subarray(0, Math.min(headerEnd(original), maxHeader)).toString("latin1");
  const [subject, messageId] = ["subject", "message-id"].map((name) => fieldOf(header, name));
  const worst = actions.find((action) => recipients.some((one) => one.action === action))!;
  const parts = [
    part("text/plain; charset=utf-8", humanText(hostname, recipients)),
    part("message/delivery-status", statusFields(report), "message/global-delivery-status"),
    isFull
      ? part(
          "message/rfc822",
          original.toString("latin1"),
          /[\x80-\xff]/.test(header) ? "message/global" : "message/rfc822",
        )
      : part("text/rfc822-headers", header.trimEnd(), "message/global-headers"),
  ];
  const fields = [
    "Return-Path: <>",
    `From: Mail Delivery System <MAILER-DAEMON@${hostname}>`,
    `To: <${latin(to)}>`,
    `Subject: ${subjects[worst]}: ${(subject ?? "mail").replace(/\s*\r?\n\s*/g, " ").slice(0, 200)}`,
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

const told: Record<Action, [before: string, after: string]> = {
  failed: ["Your message could not be delivered to:", "It will not be tried again."],
  delayed: ["Your message could not be delivered yet to:", "You need not send it again."],
  delivered: ["Your message was delivered to:", ""],
  relayed: ["Your message was handed over to a server that does not report what becomes of it, for:", ""],
};

function humanText(hostname: string, recipients: readonly ReportedRecipient[]): string {
  const texts = actions.flatMap((action) => {
    const some = recipients.filter((one) => one.action === action);
    if (some.length === 0) return [];
    const [before, after] = told[action];
    const list = some.map(({ address, smtpReply }) => `  ${latin(address)}\r\n    ${latin(smtpReply)}`).join("\r\n");
    const until = some.find(({ retriedUntil }) => retriedUntil)?.retriedUntil;
    const retried = until ? `It will be tried until ${mailDate(until)}. ` : "";
    return [`${before}\r\n\r\n${list}\r\n\r\n${retried}${after}`.trimEnd()];
  });
  return `${texts.join("\r\n\r\n")} This report was made by ${hostname}.`;
}

function statusFields({ hostname, envelopeId, arrivedAt, recipients }: DeliveryReport): string {
  const message = [
    ...(envelopeId ? [`Original-Envelope-Id: ${envelopeId}`] : []),
    `Reporting-MTA: dns; ${hostname}`,
    `Arrival-Date: ${mailDate(arrivedAt)}`,
  ];
  const each = recipients.map(({ address, action, original, smtpReply, remote, retriedUntil }) => [
    "",
    ...(original ? [`Original-Recipient: ${latin(original)}`] : []),
    `Final-Recipient: ${isAscii(Buffer.from(address)) ? "rfc822" : "utf-8"}; ${latin(address)}`,
    `Action: ${action}`,
    `Status: ${statusOf(smtpReply)}`,
    ...(remote ? [`Remote-MTA: dns; ${latin(remote)}`] : []),
    `Diagnostic-Code: smtp; ${latin(smtpReply)}`,
    ...(retriedUntil ? [`Will-Retry-Until: ${mailDate(retriedUntil)}`] : []),
  ]);
  return [message, ...each].flat().join("\r\n");
}

/** RFC 3463: the status in the reply, or one derived from its code. */
function statusOf(smtpReply: string): string {
  return /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(smtpReply)?.[1] ?? `${/^[245]/.exec(smtpReply)?.[0] ?? "5"}.0.0`;
}

/** The report is written as latin1, so text beyond ASCII is passed as its UTF-8 bytes. */
function latin(text: string): string {
  return Buffer.from(text.replace(/[\r\n]+/g, " "), "utf8").toString("latin1");
}

function fieldOf(header: string, name: string): string | undefined {
  return new RegExp(`^${name}[ \\t]*:[ \\t]*([^\\r\\n]*(?:\\r?\\n[ \\t][^\\r\\n]*)*)`, "im").exec(header)?.[1]?.trim();
}
