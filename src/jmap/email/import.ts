import { encodeId } from "../../base/ids.ts";
import { type Added, type NewMail, totalSize, writeMails } from "../../mail/ingest.ts";
import { prepare } from "../../mail/preparer.ts";
import { asDate, parseHeader } from "../../mime/headers.ts";
import { headerEnd } from "../../mime/walk.ts";
import { decodeBlobId, encodeBlobId } from "../../store/blob-id.ts";
import { findBlob } from "../../store/blob-refs.ts";
import type { StoredBlob } from "../../store/blobs.ts";
import { invalidProperties, MethodError, overQuota, SetError } from "../errors.ts";
import { capabilities, idPrefix } from "../ids.ts";
import { type Call, ownMethod } from "../method.ts";
import {
  checker,
  describe,
  exactly,
  id,
  idOrReference,
  map,
  nullable,
  object,
  openObject,
  optional,
  type Static,
  text,
  utcDate,
} from "../schema.ts";
import { isMessage } from "./content.ts";
import { emailLimits, keywordList, mailboxList } from "./places.ts";
import { keywordName } from "./properties.ts";

const importArgs = object({
  accountId: id,
  ifInState: optional(nullable(text)),
  emails: map(id, openObject({})),
});
const emailImportObject = object({
  blobId: id,
  mailboxIds: map(idOrReference, exactly(true)),
  keywords: optional(nullable(map(keywordName, exactly(true)))),
  receivedAt: optional(nullable(utcDate)),
});
type EmailImport = Static<typeof emailImportObject>;
const checkImport = checker(emailImportObject);

/** RFC 8621 §4.8 */
export const emailImport = ownMethod({
  name: "Email/import",
  capability: capabilities.mail,
  writes: true,
  args: importArgs,
  async run(args, call) {
    const { store, limits, ingest } = call.services;
    const entries = Object.entries(args.emails);
    if (entries.length > limits.maxObjectsInSet) throw new MethodError("requestTooLarge");
    const state = await store.reader(call.accountId).state("Email");
    if (args.ifInState != null && args.ifInState !== state) throw new MethodError("stateMismatch");
    const prepared = new Map<string, NewMail | SetError>();
    for (const [creationId, email] of entries) prepared.set(creationId, await prepareImport(email, call));
    const mails = [...prepared.values()].filter((mail): mail is NewMail => !(mail instanceof SetError));
    const added =
      mails.length === 0
        ? { outcomes: [], oldState: state, newState: state }
        : args.ifInState
          ? await addInState(mails, args.ifInState, call)
          : await ingest.addAll(call.accountId, mails);
    return respond(args.accountId, prepared, added);
  },
});

/** Not folded with what else arrives: `ifInState` is checked under the account row. */
function addInState(mails: NewMail[], ifInState: string, call: Call): Promise<Added> {
  return call.services.store.write(
    call.accountId,
    async (tx) => {
      const oldState = await tx.state("Email");
      if (oldState !== ifInState) throw new MethodError("stateMismatch");
      const outcomes = await writeMails(tx, mails);
      return { outcomes, oldState, newState: await tx.state("Email") };
    },
    { ids: mails.length * 2, bytes: totalSize(mails) },
  );
}

async function prepareImport(given: unknown, call: Call): Promise<NewMail | SetError> {
  const problem = checkImport(given);
  if (problem) {
    return invalidProperties(describe(problem), problem.path.split("/")[1] ?? missingProperty(given as object));
  }
  const email = given as EmailImport;
  const mailboxIds = mailboxList({ mailboxIds: resolved(email.mailboxIds, call) });
  const wanted = Object.values(email.mailboxIds).filter((isIn) => isIn).length;
  if (wanted === 0 || wanted !== mailboxIds.length) return invalidProperties("no such mailbox", "mailboxIds");
  if (wanted > emailLimits.maxMailboxes) return new SetError("tooManyMailboxes");
  const keywords = keywordList(email as { keywords: unknown });
  if (keywords.length > emailLimits.maxKeywords) return new SetError("tooManyKeywords");
  const message = await readMessage(email.blobId, call);
  if (!message) return invalidProperties("no such blob", "blobId");
  const { bytes, blob } = message;
  if (!isMessage(bytes)) return new SetError("invalidEmail", "these bytes are no message");
  const received = email.receivedAt ?? receivedDate(parseHeader(bytes.subarray(0, headerEnd(bytes))));
  return {
    blob,
    prepared: await prepare(bytes),
    target: { mailboxIds },
    keywords,
    receivedAt: received ? new Date(received) : call.services.clock.now(),
  };
}

/** "#x" names a mailbox made earlier in the request. */
function resolved(mailboxIds: Record<string, boolean>, call: Call): Record<string, boolean> {
  const follow = (id: string) => (id.startsWith("#") ? (call.createdId(id.slice(1)) ?? id) : id);
  return Object.fromEntries(Object.entries(mailboxIds).map(([id, isIn]) => [follow(id), isIn]));
}

function missingProperty(given: object): string {
  return ["blobId", "mailboxIds"].find((name) => !Object.hasOwn(given, name)) ?? Object.keys(given).at(-1) ?? "blobId";
}

/** Default of receivedAt: the date of the most recent Received field, which is the first. */
function receivedDate(fields: { name: string; value: string }[]): string | null {
  const received = fields.find((field) => field.name.toLowerCase() === "received");
  return received ? asDate(received.value.slice(received.value.lastIndexOf(";") + 1)) : null;
}

/** A whole blob is taken as it lies; a part of another message becomes an object of its own. */
async function readMessage(blobId: string, call: Call): Promise<{ bytes: Buffer; blob: StoredBlob } | undefined> {
  const { blobs, store } = call.services;
  const decoded = decodeBlobId(blobId);
  if (!decoded) return undefined;
  const reader = store.reader(call.accountId, call.login.userId);
  if (decoded.steps.length === 0) {
    const blob = await findBlob(reader, decoded.sha256);
    return blob && { blob, bytes: await blobs.readObject(blob) };
  }
  const bytes = await blobs.read(reader, blobId);
  return bytes && { bytes, blob: await blobs.put(bytes) };
}

function respond(accountId: string, prepared: Map<string, NewMail | SetError>, added: Added) {
  const created: Record<string, object> = {};
  const notCreated: Record<string, SetError> = {};
  const ids: Record<string, string> = {};
  const outcomes = [...added.outcomes];
  for (const [creationId, mail] of prepared) {
    const outcome = mail instanceof SetError ? undefined : outcomes.shift()!;
    if (mail instanceof SetError) notCreated[creationId] = mail;
    else if (outcome && "overQuota" in outcome) notCreated[creationId] = overQuota();
    else if (!outcome || !("email" in outcome)) {
      notCreated[creationId] = invalidProperties("no such mailbox", "mailboxIds");
    } else {
      ids[creationId] = encodeId(idPrefix.email, outcome.email.id);
      created[creationId] = {
        id: ids[creationId],
        blobId: encodeBlobId(mail.blob.sha256),
        threadId: encodeId(idPrefix.thread, outcome.email.threadId),
        size: mail.blob.size,
      };
    }
  }
  const orNull = <T extends object>(entries: T) => (Object.keys(entries).length > 0 ? entries : null);
  const { oldState, newState } = added;
  return {
    response: { accountId, oldState, newState, created: orNull(created), notCreated: orNull(notCreated) },
    created: ids,
  };
}
