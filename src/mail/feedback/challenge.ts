import type { Feedback, Judged } from "./feedback.ts";
import { fieldValue, headerOf, readableText } from "./readable.ts";

/** What challenge-response filters (TMDA, BoxTrapper, Spam Arrest, UOL and others) ask of a sender. */
const asks =
  /\b(?:confirm|verify|validate|authenticate|approve)\w*\b[^.\n]{0,80}\b(?:(?:your|the|this) (?:e-?mail|message|address|identity)|yourself|you are (?:a |not a )?(?:human|person|real|spammer)|sender)\b|\bsender (?:verification|confirmation|authorization) required\b|\bchallenge[- ]response\b|\bconfirmação de (?:envio|remetente)|確認(?:の)?ため[^\n]{0,20}(?:返信|クリック)/i;
const holds =
  /\b(?:held|hold|holding|quarantin\w*|pending|waiting|queued?|delivered only|be delivered|not (?:yet )?been delivered|one[- ]time|only (?:need|have) to do this once|accept mail from|approved senders?|spam (?:protection|blocker|filter)\w*)\b|保留|antispam/i;
const byName =
  /\b(?:boxtrapper|spam ?arrest|spamblocker|choicemail|tmda|bluebottle|qconfirm|active spam killer|mailblocks|antispam uol|sendio|spamfighter|0spam|vanquish)\b/i;
const namesFields = [
  "x-boxtrapper",
  "x-tmda-fingerprint",
  "x-delivery-agent",
  "x-qconfirm",
  "x-spamarrest",
  "x-ask-auth",
  "x-sendio",
];

/** A request to the sender, made by the recipient's server, to confirm a mail that it holds. */
export function challengeIn(judged: Judged): Feedback | undefined {
  const fields = headerOf(judged);
  const subject = (judged.summary.subject ?? "").slice(0, 1000);
  const text = readableText(judged).slice(0, 4000);
  const sender = judged.summary.from?.[0];
  const who = `${sender?.name ?? ""} ${sender?.email ?? ""} ${subject} ${text}`;
  const isNamed =
    byName.test(who) || fields.some(({ name, value }) => namesFields.includes(name) && !/^procmail/i.test(value));
  const automatic = fieldValue(fields, "auto-submitted") ?? "no";
  const isAutomatic =
    judged.mailFrom === "" ||
    !/^no\b/i.test(automatic) ||
    /^(?:bulk|junk|list|auto_reply)$/i.test(fieldValue(fields, "precedence") ?? "");
  if (!isNamed && !isAutomatic) return undefined;
  if (fields.some(({ name }) => name === "list-id")) return undefined;
  return asks.test(`${subject}\n${text}`.replace(/\s+/g, " ")) && holds.test(text) ? { kind: "challenge" } : undefined;
}
