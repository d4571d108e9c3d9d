import type { EmailAddress } from "./addresses.ts";
import { type BuildPart, buildMessage, encodeHeader } from "./build.ts";
import { decodeText, partBytes } from "./decode.ts";
import { type HeaderField, lastField, parseHeader, unfold } from "./field.ts";
import { asText } from "./forms.ts";
import { leaves } from "./structure.ts";
import { withoutComments } from "./tokens.ts";
import { walk } from "./walk.ts";

/** RFC 9007 §1.4, in lower case as it requires. */
export const actionModes = ["manual-action", "automatic-action"] as const;
export const sendingModes = ["mdn-sent-manually", "mdn-sent-automatically"] as const;
export const dispositionTypes = ["deleted", "dispatched", "displayed", "processed"] as const;

export interface Disposition {
  actionMode: (typeof actionModes)[number];
  sendingMode: (typeof sendingModes)[number];
  type: (typeof dispositionTypes)[number];
}

/** RFC 8098 §3.1: the fields of the notification's own part. */
export interface Notification {
  reportingUA: string | null;
  disposition: Disposition;
  mdnGateway: string | null;
  originalRecipient: string | null;
  finalRecipient: string | null;
  originalMessageId: string | null;
  error: string[] | null;
  extensionFields: Record<string, string> | null;
}

export interface ParsedMdn extends Notification {
  subject: string | null;
  textBody: string | null;
  includeOriginalMessage: boolean;
}

const known = new Set(
  "reporting-ua mdn-gateway original-recipient final-recipient original-message-id disposition error".split(" "),
);

/** RFC 8098 §3.3 */
export function isExtensionName(name: string): boolean {
  return /^[\x21-\x39\x3b-\x7e]{1,70}$/.test(name) && !known.has(name.toLowerCase());
}

const oneOf = <T extends string>(values: readonly T[], text: string | undefined): T | undefined =>
  values.find((value) => value === text?.trim().toLowerCase());

/** RFC 8098 §3.2.6; undefined for a disposition that RFC 9007 cannot express. */
function parseDisposition(raw: string): Disposition | undefined {
  const [modes = "", type = ""] = withoutComments(unfold(raw)).split(";");
  const [action, sending] = modes.split("/");
  const actionMode = oneOf(actionModes, action);
  const sendingMode = oneOf(sendingModes, sending);
  const kind = oneOf(dispositionTypes, type.split("/")[0]);
  return actionMode && sendingMode && kind && { actionMode, sendingMode, type: kind };
}

/** RFC 8098 §3.1: undefined if the fields are not a notification. */
function readNotification(fields: HeaderField[]): Notification | undefined {
  const raw = (name: string) => lastField(fields, name)?.value;
  const text = (name: string) => {
    const value = raw(name);
    return value === undefined ? null : asText(value).trim();
  };
  const disposition = parseDisposition(raw("Disposition") ?? "");
  const finalRecipient = text("Final-Recipient");
  if (!disposition || !finalRecipient) return undefined;
  const named = (wanted: (name: string) => boolean) => fields.filter(({ name }) => wanted(name.toLowerCase()));
  const errors = named((name) => name === "error").map(({ value }) => asText(value).trim());
  const extensions = named((name) => !known.has(name)).map(({ name, value }) => [name, asText(value).trim()]);
  return {
    reportingUA: text("Reporting-UA"),
    disposition,
    mdnGateway: text("MDN-Gateway"),
    originalRecipient: text("Original-Recipient"),
    finalRecipient,
    originalMessageId: text("Original-Message-ID"),
    error: errors.length > 0 ? errors : null,
    extensionFields: extensions.length > 0 ? Object.fromEntries(extensions) : null,
  };
}

/** RFC 9007 §2.2: undefined if the bytes are not a message with a disposition notification. */
export function parseMdn(message: Buffer): ParsedMdn | undefined {
  const root = walk(message);
  const parts = leaves(root);
  const report = parts.find(({ type }) => /^message\/(global-)?disposition-notification$/.test(type));
  const notification = report && readNotification(parseHeader(partBytes(message, report)));
  if (!notification) return undefined;
  const subject = lastField(parseHeader(message.subarray(root.header.start, root.header.end)), "Subject");
  const text = parts.find(({ type }) => type === "text/plain");
  return {
    ...notification,
    subject: subject ? asText(subject.value) : null,
    textBody: text ? decodeText(partBytes(message, text), text.charset).text : null,
    includeOriginalMessage: parts.some(({ type }) => /^message\/(rfc822|global)$/.test(type)),
  };
}

export interface NewMdn extends Omit<ParsedMdn, "includeOriginalMessage"> {
  from: EmailAddress;
  to: EmailAddress[];
  /** The original message, sent as the third part. */
  original: Buffer | null;
  /** The ids of the message that the notification is about. */
  references: string[];
  sentAt: Date;
}

/** RFC 8098 §3: builds the notification as a message. */
export function buildMdn(mdn: NewMdn, random: (bytes: number) => Buffer): Buffer {
  const field = (form: Parameters<typeof encodeHeader>[0], name: string, value: unknown): HeaderField => ({
    name,
    value: encodeHeader(form, value),
  });
  const isAutomatic = mdn.disposition.sendingMode === "mdn-sent-automatically";
  const headers = [
    field("Date", "Date", mdn.sentAt.toISOString().replace(/\.\d+Z$/, "Z")),
    field("MessageIds", "Message-ID", [`${random(18).toString("base64url")}@${mdn.from.email.split("@").at(-1)}`]),
    field("Addresses", "From", [mdn.from]),
    field("Addresses", "To", mdn.to),
    field("Text", "Subject", mdn.subject ?? ""),
    ...["In-Reply-To", "References"].flatMap((name) =>
      mdn.references.length > 0 ? [field("MessageIds", name, mdn.references)] : [],
    ),
    ...(isAutomatic ? [{ name: "Auto-Submitted", value: " auto-replied" }] : []),
  ];
  const leaf = (type: string, content: BuildPart["content"]): BuildPart => ({ type, headers: [], content });
  const parts = [
    leaf("text/plain", { text: mdn.textBody ?? "" }),
    leaf("message/disposition-notification", { bytes: Buffer.from(notificationText(mdn)) }),
    ...(mdn.original ? [leaf("message/rfc822", { bytes: mdn.original })] : []),
  ];
  const params: [string, string][] = [["report-type", "disposition-notification"]];
  return buildMessage({ headers, body: { type: "multipart/report", params, headers: [], content: { parts } } }, random);
}

function notificationText(mdn: Notification): string {
  const { actionMode, sendingMode, type } = mdn.disposition;
  const fields: [string, string | null][] = [
    ["Reporting-UA", mdn.reportingUA],
    ["Original-Recipient", mdn.originalRecipient],
    ["Final-Recipient", mdn.finalRecipient],
    ["Original-Message-ID", mdn.originalMessageId],
    ["Disposition", `${actionMode}/${sendingMode.replace("mdn-", "MDN-")}; ${type}`],
    ...Object.entries(mdn.extensionFields ?? {}),
  ];
  const given = fields.filter(([, value]) => value !== null);
  return given.map(([name, value]) => `${name}:${encodeHeader("Text", value)}\r\n`).join("");
}
