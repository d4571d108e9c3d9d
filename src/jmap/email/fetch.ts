import { encodeId } from "../../base/ids.ts";
import type { Part } from "../../mime/structure.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import {
  blobOf,
  type EmailColumns,
  type FetchedEmail,
  fetchEmails,
  newestEmailIds,
} from "../../store/mail/email-fetch.ts";
import { utcDateText } from "../dates.ts";
import { idPrefix } from "../ids.ts";
import type { ReadCall } from "../method.ts";
import { type Octets, weigh } from "../octets.ts";
import type { JmapObject, Want } from "../standard/type.ts";
import { type MessageContent, piecesOf } from "./content.ts";
import type { BodyArgs } from "./parts.ts";
import { type ContentPlan, planContent, showContent } from "./show.ts";

const fromList = new Set(
  "blobId messageId inReplyTo references sender from to cc bcc replyTo subject sentAt preview".split(" "),
);
const addressLists = new Set(["sender", "from", "to", "cc", "bcc", "replyTo"]);
/** As long as their sender likes. */
const freeForm = new Set(["messageId", "inReplyTo", "references", "subject"]);

/** How many messages are read from the blob store at once. */
const concurrency = 8;
/** How many are fetched at once with their part trees, which may have five million octets each. */
const withStructure = 16;

interface Plan extends ContentPlan {
  columns: EmailColumns;
}

/** RFC 8621 §4.2: Emails as /get shows them, at the least cost that the properties allow. */
export async function fetchEmailObjects(ids: number[] | null, want: Want, call: ReadCall): Promise<JmapObject[]> {
  const plan = planFetch(want);
  const { reader } = call;
  const chosen = ids ?? (await newestEmailIds(reader, want.limit));
  if (!plan.columns.blob) {
    const emails = await fetchEmails(reader, chosen, plan.columns);
    return Promise.all(emails.map((email) => show(email, plan, call)));
  }
  const shown: JmapObject[] = [];
  for (const some of slices(chosen, withStructure)) {
    for (const few of slices(await fetchEmails(reader, some, plan.columns), concurrency)) {
      shown.push(...(await Promise.all(few.map((email) => show(email, plan, call)))));
    }
  }
  return shown;
}

function* slices<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

function planFetch(want: Want): Plan {
  const plan = planContent(want.properties, want.args as BodyArgs);
  const columns = {
    list: plan.plain.some((name) => fromList.has(name)),
    header: plan.needsHeader,
    structure: plan.needsContent,
    // A header over 64 KB is not beside the row, so header properties may need the bytes too.
    blob: plan.needsContent,
  };
  return { ...plan, columns };
}

async function show(email: FetchedEmail, plan: Plan, call: ReadCall): Promise<JmapObject> {
  const shown: JmapObject = { id: encodeId(idPrefix.email, email.id) };
  for (const name of plan.plain) {
    const value = plainProperty(email, name, call.octets);
    if (value !== undefined) shown[name] = value;
  }
  if (plan.needsContent) await showContent(shown, storedContent(email, call), plan, call.octets);
  return shown;
}

function storedContent(email: FetchedEmail, call: ReadCall): MessageContent {
  const { blobs } = call.services;
  return {
    sha256: email.sha256,
    steps: [],
    structure: JSON.parse(email.structure) as Part,
    header: email.header ?? null,
    bytes: piecesOf((start, end) => blobs.readObject(blobOf(email), start, end), email.size),
  };
}

function plainProperty(email: FetchedEmail, name: string, octets: Octets): unknown {
  if (addressLists.has(name)) {
    const json = email[name as "from"];
    octets.take(json?.length ?? 0);
    return json === null ? null : (JSON.parse(json) as unknown);
  }
  if (freeForm.has(name)) octets.take(weigh(email[name as "references"]));
  switch (name) {
    case "blobId":
      return encodeBlobId(email.sha256);
    case "threadId":
      return encodeId(idPrefix.thread, email.threadId);
    case "mailboxIds":
      return Object.fromEntries(email.mailboxIds.map((id) => [encodeId(idPrefix.mailbox, id), true]));
    case "keywords":
      return Object.fromEntries(email.keywords.map((keyword) => [keyword, true]));
    case "receivedAt":
      return utcDateText(email.receivedAt);
    default:
      return email[name as keyof FetchedEmail];
  }
}
