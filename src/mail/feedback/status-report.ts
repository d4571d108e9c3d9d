import { addressForms } from "../../mime/report.ts";
import { leaves } from "../../mime/structure.ts";
import type { Action, Feedback, Judged, ReportedRecipient } from "./feedback.ts";
import { bytesOf, fieldBlocks, readableText } from "./readable.ts";
import { codesIn, severityOf } from "./severity.ts";

const actions = new Set(["failed", "delayed", "delivered", "relayed", "expanded"]);

/** RFC 3464 §2, RFC 6533 §4: a message with a message/delivery-status, whatever multipart is around it. */
export function statusReportIn(judged: Judged): Feedback | undefined {
  const parts = leaves(judged.summary.structure);
  const part = parts.find(({ type }) => /^message\/(?:global-)?delivery-status$/.test(type));
  if (!part) return undefined;
  const blocks = fieldBlocks(bytesOf(judged, part).toString("utf8").replaceAll("\0", ""));
  const told = blocks.filter((fields) => fields.has("final-recipient") || fields.has("original-recipient"));
  // Some servers write only the fields of the message; the recipient is in the words then.
  const words = told.length <= 1 ? readableText(judged) : "";
  const recipients = told.flatMap((fields) => recipientOf(fields, words) ?? []);
  return recipients.length > 0 ? { kind: "delivery", isStandard: true, recipients } : undefined;
}

function recipientOf(fields: ReadonlyMap<string, string>, words: string): ReportedRecipient | undefined {
  const named = ["original-recipient", "final-recipient", "x-actual-recipient"].flatMap(
    (name) => fields.get(name) ?? [],
  );
  const status = /[245]\.\d{1,3}\.\d{1,3}/.exec(fields.get("status") ?? "")?.[0];
  const action = actionOf(fields.get("action"), status);
  if (action === undefined) return undefined;
  const diagnostic = (fields.get("diagnostic-code") ?? "").replace(/^[\w.-]+[ \t]*;[ \t]*/, "");
  const base = {
    addresses: [...new Set(named.flatMap(addressForms))],
    action,
    smtpReply: smtpReplyOf(diagnostic, status, action),
  };
  if (action === "delayed") return { ...base, severity: "soft" };
  if (action !== "failed") return base;
  // Words about several causes would blur the server's own.
  return { ...base, severity: severityOf({ status, text: diagnostic || words }) };
}

function actionOf(value: string | undefined, status: string | undefined): Action | undefined {
  const word = value?.toLowerCase().match(/[a-z]+/)?.[0];
  if (word !== undefined && actions.has(word)) return word as Action;
  return status?.startsWith("5") ? "failed" : status?.startsWith("4") ? "delayed" : undefined;
}

/** RFC 8621 §7, smtpReply: the reply in Diagnostic-Code, or a synthetic one: code, status, words. */
export function smtpReplyOf(diagnostic: string, status: string | undefined, action: Action): string {
  const text = diagnostic
    .replace(/[\x00-\x1f\x7f]+/g, " ")
    .trim()
    .slice(0, 1000);
  if (/^[245]\d\d /.test(text)) return text;
  if (/^[245]\d\d-/.test(text)) return text.replace("-", " ");
  const found = codesIn(text);
  const klass = action === "failed" ? "5" : action === "delayed" ? "4" : "2";
  const enhanced = status?.startsWith(klass) ? status : found.status?.startsWith(klass) ? found.status : `${klass}.0.0`;
  const code = { "2": "250", "4": "450", "5": "550" }[klass];
  return `${code} ${enhanced} ${text || `reported as ${action}`}`;
}
