import { encodeId } from "../../base/ids.ts";
import { bodyParts } from "../../mime/body.ts";
import { parseHeader, parseHeaderProperty, readHeaderProperty } from "../../mime/headers.ts";
import type { Part } from "../../mime/structure.ts";
import { encodeBlobId } from "../../store/blob-id.ts";
import { blobOf, type EmailColumns, type FetchedEmail, fetchEmails, newestEmailIds } from "../../store/email-fetch.ts";
import { idPrefix } from "../ids.ts";
import type { ReadCall } from "../method.ts";
import type { JmapObject, Want } from "../standard/type.ts";
import type { MessageContent } from "./content.ts";
import { type BodyArgs, bodyPart, bodyValues, type NamedHeader, type PartWant, partWant } from "./parts.ts";

const fromList = new Set(
  "blobId messageId inReplyTo references sender from to cc bcc replyTo subject sentAt preview".split(" "),
);
const fromStructure = new Set(["bodyStructure", "textBody", "htmlBody", "attachments", "bodyValues"]);
const addressLists = new Set(["sender", "from", "to", "cc", "bcc", "replyTo"]);

/** How many messages are read from the blob store at once. */
const concurrency = 8;

interface Plan {
  properties: string[];
  headers: NamedHeader[];
  parts: PartWant;
  args: BodyArgs;
  columns: EmailColumns;
}

/** RFC 8621 §4.2: Emails as /get shows them, at the least cost that the properties allow. */
export async function fetchEmailObjects(ids: number[] | null, want: Want, call: ReadCall): Promise<JmapObject[]> {
  const plan = planFetch(want);
  const { reader } = call;
  const chosen = ids ?? (await newestEmailIds(reader, want.limit));
  const emails = await fetchEmails(reader, chosen, plan.columns);
  if (!plan.columns.blob) return Promise.all(emails.map((email) => show(email, plan, call)));
  const shown: JmapObject[] = [];
  for (let at = 0; at < emails.length; at += concurrency) {
    shown.push(...(await Promise.all(emails.slice(at, at + concurrency).map((email) => show(email, plan, call)))));
  }
  return shown;
}

function planFetch(want: Want): Plan {
  const args = want.args as BodyArgs;
  const properties = [...want.properties].filter((name) => name !== "id");
  const headers = properties.flatMap((property) => {
    const header = parseHeaderProperty(property);
    return header === undefined || header === "forbidden" ? [] : [{ property, header }];
  });
  const parts = partWant(args.bodyProperties);
  const structure = properties.some((name) => fromStructure.has(name));
  const values = args.fetchTextBodyValues || args.fetchHTMLBodyValues || args.fetchAllBodyValues;
  const showsParts = properties.some((name) => fromStructure.has(name) && name !== "bodyValues");
  const header = headers.length > 0 || properties.includes("headers");
  const columns = {
    list: properties.some((name) => fromList.has(name)),
    header: header || (showsParts && parts.needsHeader),
    structure: structure || header,
    // A header over 64 KB is not beside the row, so header properties may need the bytes too.
    blob: structure || header,
  };
  return { properties, headers, parts, args: values ? args : {}, columns };
}

async function show(email: FetchedEmail, plan: Plan, call: ReadCall): Promise<JmapObject> {
  const shown: JmapObject = { id: encodeId(idPrefix.email, email.id) };
  for (const name of plan.properties) {
    if (fromStructure.has(name)) continue;
    const value = plainProperty(email, name);
    if (value !== undefined) shown[name] = value;
  }
  if (!plan.columns.structure) return shown;
  const content = storedContent(email, call);
  if (plan.columns.header) {
    const fields = parseHeader(content.header ?? (await content.bytes(content.structure.header)));
    if (plan.properties.includes("headers")) shown.headers = fields;
    for (const { property, header } of plan.headers) shown[property] = readHeaderProperty(fields, header);
  }
  await showBody(shown, content, plan);
  return shown;
}

/** The body properties that the plan asks for; used by Email/parse as well. */
async function showBody(shown: JmapObject, content: MessageContent, { properties, parts, args }: Plan): Promise<void> {
  const asks = (name: string) => properties.includes(name);
  if (asks("bodyStructure")) shown.bodyStructure = await bodyPart(content.structure, parts, content, true);
  if (asks("textBody") || asks("htmlBody") || asks("attachments")) {
    const lists = bodyParts(content.structure);
    for (const name of ["textBody", "htmlBody", "attachments"] as const) {
      if (asks(name)) shown[name] = await Promise.all(lists[name].map((part) => bodyPart(part, parts, content, false)));
    }
  }
  if (asks("bodyValues")) shown.bodyValues = await bodyValues(content, args);
}

function storedContent(email: FetchedEmail, call: ReadCall): MessageContent {
  const { blobs } = call.services;
  return {
    sha256: email.sha256,
    steps: [],
    structure: JSON.parse(email.structure) as Part,
    header: email.header ?? null,
    bytes: ({ start, end }) => blobs.readObject(blobOf(email), start, end),
  };
}

function plainProperty(email: FetchedEmail, name: string): unknown {
  if (addressLists.has(name)) {
    const json = email[name as "from"];
    return json === null ? null : (JSON.parse(json) as unknown);
  }
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

/** RFC 8620 §1.4: no fraction that is all zeros. */
export function utcDateText(at: Date): string {
  const text = at.toISOString();
  return text.endsWith(".000Z") ? `${text.slice(0, -5)}Z` : text.replace(/0+Z$/, "Z");
}
