import type { EmailAddress, Id, Identity } from "../../shared/jmap/types.ts";
import { unique } from "./addresses.ts";
import type { Source } from "./answer.ts";
import type { Attached } from "./files.ts";

/** The text of a mail; `html` only if it is written as rich text. */
export interface Body {
  text: string;
  html: string | undefined;
}

/** What somebody has written, all of it at the server or in the page. */
export interface Written {
  identity: Identity | undefined;
  to: EmailAddress[];
  cc: EmailAddress[];
  bcc: EmailAddress[];
  subject: string;
  body: Body;
  files: readonly Attached[];
  inReplyTo: string[] | null;
  references: string[] | null;
}

/** What is known of a mail that is being written when the composer opens. */
export interface Start {
  to?: EmailAddress[];
  cc?: EmailAddress[];
  bcc?: EmailAddress[];
  subject?: string;
  inReplyTo?: string[] | null;
  references?: string[] | null;
  identityId?: Id | undefined;
  body?: Body;
  files?: readonly Omit<Attached, "key">[];
  /** The mail that is answered or passed on. */
  source?: Source | undefined;
  /** The draft at the server that holds it. */
  emailId?: Id | undefined;
  /** The Message-ID of a draft that may be at the server although its answer never came. */
  uncertain?: string;
}

type Part = Record<string, unknown>;

/** The argument of a create in Email/set (RFC 8621 §4.6). */
export function emailOf(written: Written, place: { mailboxId: Id; messageId: string; now: Date }): object {
  const { identity, to, cc, bcc, subject, body, files, inReplyTo, references } = written;
  const values: Record<string, { value: string }> = { text: { value: body.text } };
  if (body.html !== undefined) values.html = { value: wrapped(body.html) };
  const listed = (list: EmailAddress[]) => (list.length > 0 ? unique(list) : null);
  return {
    mailboxIds: { [place.mailboxId]: true },
    keywords: { $draft: true, $seen: true },
    messageId: [place.messageId],
    sentAt: place.now.toISOString().replace(/\.\d+Z$/, "Z"),
    from: identity ? [{ name: identity.name || null, email: identity.email }] : null,
    replyTo: identity?.replyTo?.length ? identity.replyTo : null,
    to: listed(to),
    cc: listed(cc),
    bcc: listed(bcc),
    subject,
    inReplyTo,
    references,
    bodyStructure: structureOf(body, files),
    bodyValues: values,
  };
}

function structureOf({ html }: Body, files: readonly Attached[]): Part {
  const there = files.filter(({ blobId }) => blobId !== undefined);
  const isUsed = ({ cid }: Attached) => cid !== undefined && html?.includes(`cid:${cid}`) === true;
  const pictures = there.filter(isUsed);
  // A picture that was taken out of the text is no longer part of the mail.
  const attached = there.filter(({ cid }) => cid === undefined);
  const text: Part = { partId: "text", type: "text/plain" };
  const rich: Part = { partId: "html", type: "text/html" };
  const related =
    pictures.length > 0 ? { type: "multipart/related", subParts: [rich, ...pictures.map(filePart)] } : rich;
  const main = html === undefined ? text : { type: "multipart/alternative", subParts: [text, related] };
  return attached.length > 0 ? { type: "multipart/mixed", subParts: [main, ...attached.map(filePart)] } : main;
}

function filePart({ blobId, name, type, cid }: Attached): Part {
  return {
    blobId,
    name,
    type,
    disposition: cid === undefined ? "attachment" : "inline",
    ...(cid !== undefined && { cid }),
  };
}

/** Whole, so that readers know the mail's look is its own. */
function wrapped(html: string): string {
  return `<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>${html}</body></html>`;
}

/** The files of an answer to Email/get, in the order in which `structureOf` puts them: by key → the blob's id there. */
export function blobsOf(
  files: readonly Attached[],
  parts: readonly { blobId: Id | null; cid: string | null; name: string | null }[],
): Map<string, Id> {
  const left = [...parts];
  const found = new Map<string, Id>();
  for (const { key, cid, name } of files) {
    const at = left.findIndex((part) => (cid === undefined ? part.name === name && !part.cid : part.cid === cid));
    const [part] = at < 0 ? [] : left.splice(at, 1);
    if (part?.blobId) found.set(key, part.blobId);
  }
  return found;
}

/** A new Message-ID, from the author's domain. */
export function newMessageId(identity: Identity | undefined): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  const text = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${text}@${identity?.email.split("@").at(-1) ?? location.hostname}`;
}
