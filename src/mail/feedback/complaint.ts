import { asAddresses, asMessageIds, parseHeader } from "../../mime/headers.ts";
import { addressForms } from "../../mime/report.ts";
import { leaves, type Part } from "../../mime/structure.ts";
import { headerEnd } from "../../mime/walk.ts";
import type { Feedback, Judged, OriginalMail } from "./feedback.ts";
import { bytesOf, fieldBlocks, fieldValue, headerOf } from "./readable.ts";
import { returnPathsIn } from "./return-path.ts";

/** RFC 5965 §7.3, RFC 6430: the types by which a recipient complains. "not-spam" and "auth-failure" (RFC 6591) are none. */
const complaining = /^(?:abuse|fraud|virus|other|opt-out(?:-list)?|miscategorized|complaint)$/i;
const originalType = /^(?:message\/(?:rfc822|global)(?:-headers)?|text\/rfc822-headers)$/;

/** RFC 5965: a feedback report; and what Microsoft's JMRP and SpamCop send instead. */
export function complaintIn(judged: Judged): Feedback | undefined {
  const parts = leaves(judged.summary.structure);
  const report = parts.find(({ type }) => type === "message/feedback-report");
  const original = parts.find(({ type }) => originalType.test(type));
  if (report) {
    const text = bytesOf(judged, report).toString("utf8");
    const [fields] = fieldBlocks(text);
    // RFC 5965 §3.1: required, yet some leave it out.
    const type = fields?.get("feedback-type") ?? "abuse";
    if (!complaining.test(type)) return undefined;
    const named = ["original-rcpt-to", "redacted-address"].flatMap((name) => fields?.get(name) ?? []);
    return complaintOf(judged, original, { named, text });
  }
  if (!isOldComplaint(judged) || !original) return undefined;
  return complaintOf(judged, original, { named: [], text: "" });
}

/** `named` and `text`: the recipients that the report names, and its fields. */
function complaintOf(
  judged: Judged,
  original: Part | undefined,
  { named, text }: { named: string[]; text: string },
): Feedback {
  const bytes = original ? bytesOf(judged, original) : Buffer.alloc(0);
  const header = bytes.toString("latin1", 0, headerEnd(bytes));
  const addresses = recipientsOf(judged, named, original);
  const returnPaths = returnPathsIn(`${text}\n${header}`);
  return { kind: "complaint", addresses, returnPaths, original: mailIn(bytes) };
}

function mailIn(bytes: Buffer): OriginalMail {
  const fields = parseHeader(bytes.subarray(0, headerEnd(bytes)), (name) => /^(?:from|message-id)$/i.test(name));
  const valuesOf = (wanted: string) =>
    fields.flatMap(({ name, value }) => (name.toLowerCase() === wanted ? [value] : []));
  const [author, ...others] = valuesOf("from").flatMap(asAddresses);
  const messageId = asMessageIds(valuesOf("message-id")[0] ?? "")?.[0];
  return {
    ...(author && others.length === 0 && { author: author.email }),
    ...(messageId !== undefined && { messageId }),
  };
}

/** JMRP: the complained-of message as an attachment, from a fixed sender. */
function isOldComplaint(judged: Judged): boolean {
  const from = judged.summary.from?.[0]?.email.toLowerCase() ?? "";
  const subject = judged.summary.subject ?? "";
  if (/^(?:staff@hotmail\.com|feedback@arf\.mail\.yahoo\.com|.+@(?:reports|admin)\.spamcop\.net)$/.test(from))
    return true;
  if (fieldValue(headerOf(judged), "x-hmxmroriginalrecipient") !== undefined) return true;
  return /^complaint about message from \d+\.\d+\.\d+\.\d+$/i.test(subject);
}

function recipientsOf(judged: Judged, named: string[], original: Part | undefined): string[] {
  const header = original
    ? parseHeader(bytesOf(judged, original), (name) => /^(?:to|x-hmxmroriginalrecipient)$/i.test(name))
    : [];
  const outer = fieldValue(headerOf(judged), "x-hmxmroriginalrecipient");
  const all = [...named, ...(outer ? [outer] : []), ...header.map(({ value }) => value)];
  const addresses = all.flatMap((value) => [...addressForms(value), ...asAddresses(value).map(({ email }) => email)]);
  return [...new Set(addresses.filter((address) => /^[^\s@]+@[^\s@]+$/.test(address)))];
}
