import { decodeId, encodeId, idPrefix } from "../../base/ids.ts";
import type { Part } from "../../mime/structure.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import type { Reader } from "../../store/core/store.ts";
import { findAuthentication } from "../../store/mail/authentication.ts";
import { blobOf, type FetchedEmail, fetchEmails, newestEmailIds } from "../../store/mail/email-fetch.ts";
import { findScans } from "../../store/mail/scans.ts";
import { utcDateText } from "../dates.ts";
import type { ReadCall } from "../method.ts";
import { type Octets, weigh } from "../octets.ts";
import type { JmapObject, Want } from "../standard/type.ts";
import { type MessageContent, piecesOf } from "./content.ts";
import type { BodyArgs } from "./parts.ts";
import { type ContentPlan, planContent, showContent } from "./show.ts";

const ownProperties: Record<string, (email: FetchedEmail) => unknown> = {
  threadId: (email) => encodeId(idPrefix.thread, email.threadId),
  mailboxIds: (email) => Object.fromEntries(email.mailboxIds.map((id) => [encodeId(idPrefix.mailbox, id), true])),
  keywords: (email) => Object.fromEntries(email.keywords.map((keyword) => [keyword, true])),
  receivedAt: (email) => utcDateText(email.receivedAt),
  size: (email) => email.size,
  hasAttachment: (email) => email.hasAttachment,
};

const listProperties: Record<string, (email: FetchedEmail<"list">, octets: Octets) => unknown> = {
  blobId: (email) => encodeBlobId(email.sha256),
  messageId: (email, octets) => weighed(email.messageId, octets),
  inReplyTo: (email, octets) => weighed(email.inReplyTo, octets),
  references: (email, octets) => weighed(email.references, octets),
  sender: (email, octets) => addresses(email.sender, octets),
  from: (email, octets) => addresses(email.from, octets),
  to: (email, octets) => addresses(email.to, octets),
  cc: (email, octets) => addresses(email.cc, octets),
  bcc: (email, octets) => addresses(email.bcc, octets),
  replyTo: (email, octets) => addresses(email.replyTo, octets),
  subject: (email, octets) => weighed(email.subject, octets),
  sentAt: (email) => email.sentAt,
  preview: (email) => email.preview,
};

/** Counts a value whose length is up to the sender. */
function weighed(value: string | string[] | null, octets: Octets): unknown {
  octets.take(weigh(value));
  return value;
}

function addresses(json: string | null, octets: Octets): unknown {
  octets.take(json?.length ?? 0);
  return json === null ? null : (JSON.parse(json) as unknown);
}

/** How many messages are read from the blob store at once. */
const concurrency = 8;
/** How many rows are fetched at once with their part trees, which may have five million octets each. */
const withStructure = 16;

/** RFC 8621 §4.2: Emails for /get, fetched as cheaply as the properties allow. */
export async function fetchEmailObjects(ids: number[] | null, want: Want, call: ReadCall): Promise<JmapObject[]> {
  const plan = planContent(want.properties, want.args as BodyArgs);
  const { reader } = call;
  const chosen = ids ?? (await newestEmailIds(reader, want.limit));
  const asked = Object.entries(findings).filter(([name]) => want.properties.has(name));
  if (asked.length === 0) return fetchShown(chosen, plan, call);
  const [shown, ...found] = await Promise.all([
    fetchShown(chosen, plan, call),
    ...asked.map(([, find]) => find(reader, chosen)),
  ]);
  for (const email of shown) {
    const id = decodeId(idPrefix.email, email.id as string)!;
    for (const [at, [name]] of asked.entries()) email[name] = found[at]!.get(id) ?? null;
  }
  return shown;
}

/** What was found of messages on their way in; each has a statement of its own, since few ask. */
const findings: Record<string, (reader: Reader, ids: readonly number[]) => Promise<Map<number, unknown>>> = {
  scan: findScans,
  authentication: findAuthentication,
};

async function fetchShown(chosen: number[], plan: ContentPlan, call: ReadCall): Promise<JmapObject[]> {
  const columns = columnsFor(plan);
  const { reader } = call;
  if (!plan.needsContent) {
    const emails = await fetchEmails(reader, chosen, columns);
    return Promise.all(emails.map((email) => show(email, plan, call)));
  }
  const shown: JmapObject[] = [];
  for (const some of slices(chosen, withStructure)) {
    for (const few of slices(await fetchEmails(reader, some, columns), concurrency)) {
      shown.push(...(await Promise.all(few.map((email) => show(email, plan, call)))));
    }
  }
  return shown;
}

function* slices<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

function columnsFor({ plain, needsContent, needsHeader }: ContentPlan) {
  const needsList = plain.some((name) => Object.hasOwn(listProperties, name));
  if (!needsContent) return needsList ? "list" : "own";
  // A header over 64 KB is not stored beside the row, so header properties may need the bytes too.
  if (needsHeader) return needsList ? "everything" : "headerAndContent";
  return needsList ? "listAndContent" : "content";
}

async function show(
  email: FetchedEmail<ReturnType<typeof columnsFor>>,
  plan: ContentPlan,
  call: ReadCall,
): Promise<JmapObject> {
  const shown: JmapObject = { id: encodeId(idPrefix.email, email.id) };
  for (const name of plan.plain) {
    if (Object.hasOwn(findings, name)) continue;
    const own = ownProperties[name];
    if (own) shown[name] = own(email);
    else if ("preview" in email) shown[name] = listProperties[name]!(email, call.octets);
  }
  if ("structure" in email) await showContent(shown, storedContent(email, call), plan, call.octets);
  return shown;
}

function storedContent(email: FetchedEmail<"content" | "headerAndContent">, call: ReadCall): MessageContent {
  const { blobs } = call.services;
  return {
    sha256: email.sha256,
    steps: [],
    structure: JSON.parse(email.structure) as Part,
    header: "header" in email ? email.header : null,
    bytes: piecesOf((start, end) => blobs.readObject(blobOf(email), start, end), email.size),
  };
}
