import { decodeId, encodeId, idPrefix } from "../base/ids.ts";
import { decodeBlobId } from "../store/blobs/blob-id.ts";
import type { Reader } from "../store/core/store.ts";
import { emailIdsAfter } from "../store/mail/archived-emails.ts";
import { submissionsAfter } from "../store/queues/archived-submissions.ts";
import { capabilities } from "./capability-names.ts";
import { email } from "./email/type.ts";
import { identity } from "./identity/type.ts";
import { mailbox } from "./mailbox/type.ts";
import { maskedAddress } from "./masked-address/type.ts";
import type { ReadCall } from "./method.ts";
import { quota } from "./quota/type.ts";
import type { JmapObject, RecordType } from "./standard/type.ts";
import { submission } from "./submission/type.ts";
import { thread } from "./thread/type.ts";
import { vacation } from "./vacation/type.ts";

/** How many objects are fetched at once. */
const pageSize = 500;

/** Of an Email, what is not read from the message's body: the message itself is at hand wherever these are. */
const emailProperties = Object.keys(email.properties).filter(
  (name) => !["bodyValues", "textBody", "htmlBody", "attachments", "bodyStructure", "headers"].includes(name),
);

type Pages = AsyncGenerator<JmapObject[]>;

/**
 * All objects of an account in the form of /get, page by page in the order in which they were made, as its owner sees them. An
 * Email has `sha256` beside its properties, an EmailSubmission that of the message as it was sent.
 */
export const accountObjects: Record<string, (reader: Reader) => Pages> = {
  Mailbox: whole(mailbox),
  Email: (reader) => pagesOf(reader, emailPage),
  Thread: threadPages,
  Identity: whole(identity),
  EmailSubmission: submissionPages,
  VacationResponse: whole(vacation),
  Quota: whole(quota),
  MaskedAddress: whole(maskedAddress),
};

/** A call of the owner's that reads; whatever the objects need no more of is not there. */
function callOn(reader: Reader): ReadCall {
  const call: Partial<ReadCall> = {
    reader,
    accountId: reader.accountId,
    login: { login: "", userId: reader.accountId, accounts: [], credential: "" },
    using: new Set(Object.values(capabilities)),
    octets: { taken: 0, take: () => {} },
  };
  return call as ReadCall;
}

function fetch(type: RecordType<ReadCall>, reader: Reader, ids: number[] | null, names = Object.keys(type.properties)) {
  const want = { properties: new Set(names), limit: type.maxObjects ?? pageSize, args: {} };
  return type.fetch(ids, want, callOn(reader));
}

function whole(type: RecordType<ReadCall>) {
  return async function* (reader: Reader): Pages {
    yield await fetch(type, reader, null);
  };
}

async function* pagesOf(
  reader: Reader,
  page: (reader: Reader, after: number) => Promise<[JmapObject[], number]>,
): Pages {
  for (let after = 0; ; ) {
    const [objects, last] = await page(reader, after);
    if (objects.length === 0) return;
    yield objects;
    after = last;
  }
}

async function emailPage(reader: Reader, after: number): Promise<[JmapObject[], number]> {
  const ids = await emailIdsAfter(reader, after, pageSize);
  const fetched = ids.length === 0 ? [] : await fetch(email, reader, ids, emailProperties);
  const byId = new Map(fetched.map((object) => [object.id, object]));
  const objects = ids.map((id) => byId.get(encodeId(idPrefix.email, id))!);
  const hash = (object: JmapObject) => decodeBlobId(object.blobId as string)!.sha256.toString("hex");
  return [objects.map((object) => ({ ...object, sha256: hash(object) })), ids.at(-1) ?? after];
}

/** Threads have no list of their own: they are met as emails are. */
async function* threadPages(reader: Reader): Pages {
  const met = new Set<number>();
  for (let after = 0; ; ) {
    const ids = await emailIdsAfter(reader, after, pageSize);
    if (ids.length === 0) return;
    after = ids.at(-1)!;
    const emails = await fetch(email, reader, ids, ["threadId"]);
    const threads = emails.map(({ threadId }) => decodeId(idPrefix.thread, threadId as string)!);
    const fresh = [...new Set(threads)].filter((id) => !met.has(id)).sort((a, b) => a - b);
    for (const id of fresh) met.add(id);
    if (fresh.length > 0) yield await fetch(thread, reader, fresh);
  }
}

async function* submissionPages(reader: Reader): Pages {
  for (let after = 0; ; ) {
    const rows = await submissionsAfter(reader, { after, limit: pageSize });
    if (rows.length === 0) return;
    after = rows.at(-1)!.id;
    const hashes = new Map(rows.map(({ id, sha256 }) => [encodeId(idPrefix.submission, id), sha256]));
    const objects = await fetch(submission, reader, [...rows.map(({ id }) => id)]);
    yield objects.map((object) => ({ ...object, sha256: hashes.get(object.id as string)!.toString("hex") }));
  }
}
