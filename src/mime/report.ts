import { rawBody } from "./decode.ts";
import { parseHeader } from "./field.ts";
import { asMessageIds } from "./forms.ts";
import { leaves, type Part } from "./structure.ts";
import type { MessageSummary } from "./summary.ts";
import { decodeTransfer } from "./transfer.ts";

/** What a delivery report (RFC 3464) or a receipt (RFC 8098) is about. */
export interface Report {
  messageIds: string[];
  /** The addresses of the reported recipients, as written. */
  recipients: string[];
}

const fieldsType = /^message\/(global-)?(delivery-status|disposition-notification)$/;
const originalType = /^(message\/(rfc822|global|rfc822-headers|global-headers)|text\/rfc822-headers)$/;
/** How much of a part is read. */
const maxBytes = 262_144;
const maxIds = 10;
const maxRecipients = 1000;

/** Some servers write multipart/mixed around the same parts. */
const isReport = ({ type, parts }: Part): boolean =>
  type === "multipart/report" || (type === "multipart/mixed" && parts!.some((part) => fieldsType.test(part.type)));

/** The part with the report, possibly inside a multipart that a gateway added. */
function reportPart(root: Part): Part | undefined {
  let part: Part | undefined = root;
  while (part && !isReport(part)) part = part.parts?.[0];
  return part;
}

/** RFC 3464 §2.3.2, §2.3.1, RFC 8098 §3.2.3, §3.2.4: an address-type, then the address. RFC 6533 §3, RFC 3461 §4: escapes. */
export function addressForms(value: string): string[] {
  const text = value
    .replace(/\r?\n/g, "")
    .replace(/^[^;@]*;/, "")
    .trim();
  const written = text.replace(/^<(.*)>$/, "$1");
  const unicode = written.replace(/\\x\{([0-9A-F]{1,6})\}/gi, (whole, hex: string) => {
    const code = Number.parseInt(hex, 16);
    return code > 0x10ffff ? whole : String.fromCodePoint(code);
  });
  const xtext = written.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return [...new Set([written, unicode, xtext])];
}

const recipientField = /^(?:final|original)-recipient[ \t]*:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)/gim;
const originalId = /^original-message-id[ \t]*:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)/im;

/** A Message-ID, sometimes without its brackets. */
const idsOf = (value: string): string[] => asMessageIds(value) ?? /^\s*(\S+@\S+)\s*$/.exec(value)?.slice(1) ?? [];

/** Undefined for a message that is not a report of a delivery or a reading. */
export function readReport(message: Uint8Array, summary: MessageSummary): Report | undefined {
  const report = reportPart(summary.structure);
  if (!report) return undefined;
  const parts = leaves(report);
  const bytesOf = (part: Part) => decodeTransfer(rawBody(message, part).subarray(0, maxBytes), part.encoding);
  const status = parts.find(({ type }) => fieldsType.test(type));
  if (!status) return undefined;
  const text = bytesOf(status).toString("utf8").replaceAll("\0", "");
  const original = parts.find(({ type }) => originalType.test(type));
  const header = original ? parseHeader(bytesOf(original), (name) => name.toLowerCase() === "message-id") : [];
  const ids = [
    ...idsOf(originalId.exec(text)?.[1] ?? ""),
    ...header.flatMap(({ value }) => idsOf(value)),
    ...summary.all.inReplyTo,
    ...summary.all.references.slice(-maxIds),
  ];
  const recipients = [...text.matchAll(recipientField)]
    .slice(0, maxRecipients)
    .flatMap(([, value]) => addressForms(value!));
  return { messageIds: [...new Set(ids)].slice(0, maxIds), recipients: [...new Set(recipients)] };
}
