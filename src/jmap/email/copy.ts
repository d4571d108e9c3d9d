import { instant } from "../../base/instant.ts";
import type { TermedMail } from "../../mail/deliver/ingest.ts";
import type { PreparedMessage } from "../../mail/deliver/prepare.ts";
import { prepare } from "../../mail/deliver/preparer.ts";
import { tsvectorTexts } from "../../search/terms.ts";
import type { StoredBlob } from "../../store/blobs/blobs.ts";
import { BlobMissing } from "../../store/core/errors.ts";
import { blobOf, fetchEmails } from "../../store/mail/email-fetch.ts";
import { findMailboxes } from "../../store/mail/mailbox-places.ts";
import { invalidProperties, SetError } from "../errors.ts";
import type { CopyHooks, CopyRecord } from "../standard/type.ts";
import { keywordFault, keywordList, mailboxFault, mailboxList } from "./places.ts";
import { writeRecords } from "./write.ts";

/** What the copy takes from the original. */
interface Original {
  blob: StoredBlob;
  keywords: string[];
  receivedAt: Date;
  message?: { prepared: PreparedMessage; terms: string[] };
}

/** RFC 8621 §4.7 */
export const emailCopy: CopyHooks = {
  overrides: ["mailboxIds", "keywords", "receivedAt"],

  async read(ids, call) {
    const emails = await fetchEmails(call.reader, ids, "blob");
    return new Map(
      emails.map((email): [number, Original] => [
        email.id,
        { blob: blobOf(email), keywords: email.keywords, receivedAt: email.receivedAt },
      ]),
    );
  },

  async prepare(records, call) {
    for (const record of records) {
      // Mailbox ids of one account mean nothing in another.
      if (record.overrides.mailboxIds === undefined) record.error = invalidProperties("is missing", "mailboxIds");
    }
    const read = async ({ blob }: Original) => {
      const prepared = await prepare(await call.services.blobs.readObject(blob));
      return { prepared, terms: tsvectorTexts(prepared.terms, call.accountId) };
    };
    const done = new Map<number, ReturnType<typeof read>>();
    for (const record of records) {
      if (record.error) continue;
      const original = record.original as Original;
      const message = done.get(record.originalId) ?? read(original);
      done.set(record.originalId, message);
      try {
        record.original = { ...original, message: await message };
      } catch (error) {
        // The original was destroyed after it was read, and its bytes are gone.
        if (!(error instanceof BlobMissing)) throw error;
        record.error = new SetError("notFound");
      }
    }
  },

  async create(records, call) {
    const mailboxes = new Set((await findMailboxes(call.tx)).map((place) => place.id));
    for (const record of records) {
      const fault = mailboxFault(record.overrides, mailboxes) ?? keywordFault(record.overrides);
      if (fault) record.error = fault;
    }
    const sound = records.filter((record) => !record.error);
    await writeRecords(sound, sound.map(newMail), call);
  },
};

function newMail({ id, overrides, original }: CopyRecord): TermedMail {
  const { blob, keywords, receivedAt, message } = original as Required<Original>;
  return {
    id,
    blob,
    ...message,
    target: { mailboxIds: mailboxList(overrides) },
    keywords: overrides.keywords === undefined ? keywords : keywordList(overrides),
    receivedAt: overrides.receivedAt === undefined ? receivedAt : instant(overrides.receivedAt as string),
  };
}
