import { encodeId, idPrefix } from "../../base/ids.ts";
import { instant } from "../../base/instant.ts";
import { type Added, type NewMail, totalSize, withTerms, writeMails } from "../../mail/deliver/ingest.ts";
import { prepare } from "../../mail/deliver/preparer.ts";
import { dateReceived, parseHeader } from "../../mime/headers.ts";
import { headerEnd } from "../../mime/walk.ts";
import { decodeBlobId, encodeBlobId } from "../../store/blobs/blob-id.ts";
import { findBlob } from "../../store/blobs/blob-refs.ts";
import type { StoredBlob } from "../../store/blobs/blobs.ts";
import { capabilities } from "../capability-names.ts";
import { invalidProperties, MethodError, overQuota, SetError } from "../errors.ts";
import { type Call, maxSizeRead, ownMethod } from "../method.ts";
import { readBlob } from "../read-blob.ts";
import { exactly, id, map, nullable, object, openObject, optional, text, utcDate } from "../schema.ts";
import { refuse } from "../standard/faults.ts";
import { checkNew } from "../standard/records.ts";
import type { JmapObject, Property } from "../standard/type.ts";
import { isMessage } from "./content.ts";
import { keywordFault, keywordList, mailboxFault, mailboxList } from "./places.ts";
import { emailProperties, keywordName } from "./properties.ts";

const importArgs = object({
  accountId: id,
  ifInState: optional(nullable(text)),
  emails: map(id, openObject({})),
});
const properties: Record<string, Property> = {
  blobId: { schema: id, references: "value" },
  mailboxIds: emailProperties.mailboxIds!,
  keywords: { schema: nullable(map(keywordName, exactly(true))), default: null },
  receivedAt: { schema: nullable(utcDate), default: null },
};

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
    const readState = () => store.reader(call.accountId, call.login).state("Email");
    if (args.ifInState != null && args.ifInState !== (await readState())) throw new MethodError("stateMismatch");
    const prepared = new Map<string, NewMail | SetError>();
    for (const [creationId, email] of entries) prepared.set(creationId, await prepareImport(email as JmapObject, call));
    const mails = [...prepared.values()].filter((mail): mail is NewMail => !(mail instanceof SetError));
    const added =
      mails.length === 0
        ? unchanged(await readState())
        : args.ifInState
          ? await addInState(mails, args.ifInState, call)
          : await ingest.addAll(call.accountId, mails);
    return respond(args.accountId, prepared, added);
  },
});

const unchanged = (state: string): Added => ({ outcomes: [], oldState: state, newState: state });

/** Does not share a transaction with other arriving mail: `ifInState` is checked under the account's lock. */
function addInState(mails: NewMail[], ifInState: string, call: Call): Promise<Added> {
  const termed = withTerms(call.accountId, mails);
  return call.services.store.write(
    call.accountId,
    call.login,
    async (tx) => {
      const oldState = await tx.state("Email");
      if (oldState !== ifInState) throw new MethodError("stateMismatch");
      const outcomes = await writeMails(tx, termed);
      return { outcomes, oldState, newState: await tx.state("Email") };
    },
    { ids: mails.length * 2, bytes: totalSize(mails), states: true },
  );
}

async function prepareImport(given: JmapObject, call: Call): Promise<NewMail | SetError> {
  const { values, error } = checkNew({ properties }, given, call.createdId);
  const record: { error?: SetError } = {};
  refuse(record, error);
  refuse(record, mailboxFault(values));
  refuse(record, keywordFault(values));
  const message = await readMessage((values.blobId ?? "") as string, call);
  if (message === "tooLarge") {
    const { maxSizeUpload: maxSize } = call.services.limits;
    refuse(record, new SetError("tooLarge", "the blob is too large for a message", { maxSize }));
    return record.error!;
  }
  if (!message) refuse(record, invalidProperties("no such blob", "blobId"));
  else if (!isMessage(message.bytes)) refuse(record, new SetError("invalidEmail", "the blob is not a message"));
  if (!message || record.error) return record.error!;
  const { bytes, blob } = message;
  const received = values.receivedAt ?? dateReceived(parseHeader(bytes.subarray(0, headerEnd(bytes))));
  return {
    blob,
    prepared: await prepare(bytes),
    target: { mailboxIds: mailboxList(values) },
    keywords: keywordList(values),
    receivedAt: received ? instant(received as string) : call.services.clock.now(),
  };
}

/** A whole blob is used as it is stored; a part of another message becomes an object of its own. */
async function readMessage(
  blobId: string,
  call: Call,
): Promise<{ bytes: Buffer; blob: StoredBlob } | "tooLarge" | undefined> {
  const { blobs, store, limits } = call.services;
  const decoded = decodeBlobId(blobId);
  if (!decoded) return undefined;
  const reader = store.reader(call.accountId, call.login);
  if (decoded.steps.length === 0) {
    const blob = await findBlob(reader, decoded.sha256);
    if (blob && blob.size > maxSizeRead(limits)) return "tooLarge";
    return blob && { blob, bytes: await blobs.readObject(blob) };
  }
  const bytes = await readBlob(call.services, reader, blobId);
  if (bytes === "tooLarge") return bytes;
  return bytes && { bytes, blob: await blobs.put(bytes) };
}

function respond(accountId: string, prepared: Map<string, NewMail | SetError>, added: Added) {
  // Maps, since "__proto__" may be a creation id.
  const created = new Map<string, { id: string }>();
  const notCreated = new Map<string, SetError>();
  const outcomes = [...added.outcomes];
  for (const [creationId, mail] of prepared) {
    const outcome = mail instanceof SetError ? undefined : outcomes.shift()!;
    if (mail instanceof SetError) notCreated.set(creationId, mail);
    else if (outcome && "overQuota" in outcome) notCreated.set(creationId, overQuota());
    else if (!outcome || !("email" in outcome)) {
      notCreated.set(creationId, invalidProperties("no such mailbox", "mailboxIds"));
    } else {
      const email = {
        id: encodeId(idPrefix.email, outcome.email.id),
        blobId: encodeBlobId(mail.blob.sha256),
        threadId: encodeId(idPrefix.thread, outcome.email.threadId),
        size: mail.blob.size,
      };
      created.set(creationId, email);
    }
  }
  const orNull = (entries: Map<string, object>) => (entries.size > 0 ? Object.fromEntries(entries) : null);
  const { oldState, newState } = added;
  return {
    response: { accountId, oldState, newState, created: orNull(created), notCreated: orNull(notCreated) },
    created: Object.fromEntries([...created].map(([creationId, { id }]) => [creationId, id])),
  };
}
