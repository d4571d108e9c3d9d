import { downloadPath } from "../../shared/jmap/blobs.ts";
import type { Email, EmailBodyPart, Id, Identity, Session } from "../../shared/jmap/types.ts";
import { prefs } from "../../shared/prefs.ts";
import type { Account } from "../../shared/store/account.ts";
import type { ComposeIntent } from "../seams.ts";
import { type AnswerKind, envelopeOf, keywordOf } from "./answer.ts";
import type { Attached } from "./files.ts";
import type { Start } from "./message.ts";
import { type Pictures, shownPicture } from "./pictures.ts";
import { quoteOf, textsOf } from "./quote.ts";
import { bodyOf } from "./signature.ts";

const properties = [
  "id",
  "messageId",
  "references",
  "inReplyTo",
  "from",
  "to",
  "cc",
  "bcc",
  "replyTo",
  "subject",
  "sentAt",
  "receivedAt",
  "textBody",
  "htmlBody",
  "attachments",
  "bodyValues",
  "header:Received:asRaw:all",
];
const bodyProperties = ["partId", "blobId", "size", "name", "type", "disposition", "cid"];

export interface StartOptions {
  session: Session;
  account: Account;
  identities: readonly Identity[];
  pictures: Pictures;
  isRemoteShown: boolean;
}

/** What a composer begins with. Rejects as the calls do, or when the mail is gone. */
export async function startOf(intent: ComposeIntent, options: StartOptions): Promise<Start> {
  const { identities, pictures } = options;
  switch (intent.kind) {
    case "new": {
      const isRich = !prefs.peek().plainText;
      const { to, subject, body: own } = intent;
      const body = bodyOf(identities[0], undefined, isRich, pictures, own);
      return { to: to ?? [], subject: subject ?? "", body, identityId: identities[0]?.id };
    }
    case "again":
      await showPictures(intent.start.files ?? [], options);
      return intent.start;
    case "draft":
      return draftOf(await load(intent.emailId, options), options);
    default:
      return answerOf(intent.kind, await load(intent.emailId, options), options);
  }
}

async function load(emailId: Id, { account }: StartOptions): Promise<Email> {
  const { list } = await account.jmap.call("Email/get", {
    accountId: account.id,
    ids: [emailId],
    properties,
    bodyProperties,
    fetchTextBodyValues: true,
    fetchHTMLBodyValues: true,
  });
  const [email] = list;
  if (!email) throw new Error("gone");
  return email as Email;
}

async function answerOf(kind: AnswerKind, email: Email, options: StartOptions): Promise<Start> {
  const { identities, pictures, isRemoteShown } = options;
  const { identity, ...envelope } = envelopeOf(kind, email, identities, receivedFor(email));
  const isForward = kind === "forward";
  const files = email.attachments.map(fileOf);
  await showPictures(files, options);
  const isRich = !prefs.peek().plainText;
  const quote = quoteOf(isForward ? "forward" : "reply", email, { isRich, pictures, isRemoteShown });
  const body = bodyOf(identity, quote, isRich, pictures);
  const html = mailHtml(body.html, pictures);
  // Of an answer, the pictures of the quote alone; what is passed on is passed on whole.
  const isInText = ({ cid }: Omit<Attached, "key">) => cid !== undefined && html?.includes(`cid:${cid}`) === true;
  const kept = files.flatMap((file) => (isInText(file) ? [file] : isForward ? [{ ...file, cid: undefined }] : []));
  return {
    ...envelope,
    identityId: identity?.id,
    body: { text: body.text, html },
    files: kept,
    source: { emailId: email.id, keyword: keywordOf(kind) },
  };
}

async function draftOf(email: Email, options: StartOptions): Promise<Start> {
  const { text, html } = textsOf(email);
  const inside = html === undefined ? undefined : (/<body[^>]*>([\s\S]*)<\/body>/i.exec(html)?.[1] ?? html);
  const files = email.attachments.map(fileOf);
  await showPictures(files, options);
  const isInText = (cid: string | undefined) => cid !== undefined && inside?.includes(`cid:${cid}`) === true;
  const from = email.from?.[0];
  const fitting = options.identities.filter((one) => one.email.toLowerCase() === from?.email.toLowerCase());
  return {
    to: email.to ?? [],
    cc: email.cc ?? [],
    bcc: email.bcc ?? [],
    subject: email.subject ?? "",
    inReplyTo: email.inReplyTo,
    references: email.references,
    identityId: (fitting.find(({ name }) => name === (from?.name ?? "")) ?? fitting[0])?.id,
    body: { text, html: inside },
    files: files.map((file) => (isInText(file.cid) ? file : { ...file, cid: undefined })),
    emailId: email.id,
  };
}

function fileOf({ blobId, name, type, size, cid }: EmailBodyPart): Omit<Attached, "key"> {
  return {
    name: name ?? (type === "message/rfc822" ? "message.eml" : "file"),
    type,
    size,
    blobId: blobId ?? undefined,
    cid: cid ?? undefined,
  };
}

/** Fetches the pictures of the text, so that the editor can show them. One that cannot be had is left out. */
async function showPictures(
  files: readonly Omit<Attached, "key">[],
  { session, account, pictures }: StartOptions,
): Promise<void> {
  const shown = files.filter(
    ({ cid, type, blobId }) => cid !== undefined && blobId !== undefined && shownPicture.test(type),
  );
  await Promise.all(
    shown.map(async ({ cid, name, type, blobId }) => {
      const response = await fetch(downloadPath(session, account.id, { blobId: blobId!, name, type })).catch(
        () => undefined,
      );
      if (response?.ok) pictures.add(cid!, new Blob([await response.blob()], { type }));
    }),
  );
}

function mailHtml(html: string | undefined, pictures: Pictures): string | undefined {
  return html?.replace(/\bsrc="(blob:[^"]*)"/g, (_, url: string) => `src="cid:${pictures.cidOf(url) ?? ""}"`);
}

/** The recipient that the last server took it for: an alias may stand in no field that people see. */
function receivedFor(email: Email): string | undefined {
  const fields = (email as unknown as Record<string, string[] | null>)["header:Received:asRaw:all"] ?? [];
  return fields.map((field) => /\bfor\s+<([^<>\s]+)>/.exec(field)?.[1]).find((found) => found !== undefined);
}
