import { decodeId, idPrefix } from "../../base/ids.ts";
import { instant } from "../../base/instant.ts";
import type { PreparedMessage } from "../../mail/deliver/prepare.ts";
import { prepare } from "../../mail/deliver/preparer.ts";
import { noteJunk } from "../../mail/feedback/junk.ts";
import { saidOfSpam } from "../../mail/scan/said.ts";
import { judgeAccount } from "../../mail/standing/hold.ts";
import { tsvectorTexts } from "../../search/terms.ts";
import type { StoredBlob } from "../../store/blobs/blobs.ts";
import { destroyEmails, type EmailRow, type EmailState, findEmails, updateEmails } from "../../store/mail/emails.ts";
import { findMailboxes, type MailboxPlace } from "../../store/mail/mailbox-places.ts";
import { tellJunkMarks } from "../../store/upkeep/junk-complaints.ts";
import { SetError } from "../errors.ts";
import type { Call, WriteCall } from "../method.ts";
import { readBlob } from "../read-blob.ts";
import { refuse } from "../standard/faults.ts";
import { dereference } from "../standard/ids.ts";
import type { CreateRecord, JmapObject, SetBatch, SetHooks, UpdateRecord } from "../standard/type.ts";
import { blobNotFound, Draft } from "./create.ts";
import { emailLimits, keywordFault, keywordList, mailboxFault, mailboxList } from "./places.ts";
import { writeRecords } from "./write.ts";

/** A create whose message is built and durable, or the reason why it is refused. */
type Written = { blob: StoredBlob; prepared: PreparedMessage; terms: string[] } | { error: SetError };
interface Prepared {
  written: Map<string, Written>;
  /** Read when mailboxes change; none otherwise. */
  places: MailboxPlace[];
}

/** RFC 8621 §4.6 */
export const emailSet: SetHooks = {
  needs: ["mailboxIds", "keywords", "threadId", "receivedAt"],

  async prepare(args: JmapObject, call: Call): Promise<Prepared> {
    const creates = Object.entries((args.create ?? {}) as Record<string, JmapObject>);
    const written = new Map<string, Written>();
    for (const [creationId, email] of creates) {
      try {
        written.set(creationId, await writeDraft(email, call));
      } catch (error) {
        if (!(error instanceof SetError)) throw error;
        written.set(creationId, { error });
      }
    }
    return { written, places: [] };
  },

  async check({ prepared, refused, ...batch }, call) {
    const creates = [...batch.creates, ...refused.creates];
    const updates = [...batch.updates, ...refused.updates];
    if (creates.length === 0 && !updates.some((record) => record.changed.has("mailboxIds"))) {
      for (const record of updates) refuse(record, keywordFault(record.after));
      return;
    }
    const { written: ready } = prepared as Prepared;
    const places = await findMailboxes(call.tx);
    (prepared as Prepared).places = places;
    const mailboxes = new Set(places.map((place) => place.id));
    for (const record of [...creates, ...updates]) {
      refuse(record, mailboxFault(record.after, mailboxes));
      refuse(record, keywordFault(record.after));
    }
    for (const record of creates) {
      const written = ready.get(record.creationId)!;
      if ("error" in written) refuse(record, written.error);
    }
  },

  async create(records, batch, call) {
    const mails = records.map((record) => newMail(record, batch, call));
    await writeRecords(records, mails, call);
  },

  async update(records, batch, call) {
    const updates = records.map((record) => {
      const before = stateOf(record);
      return {
        before,
        mailboxIds: record.changed.has("mailboxIds") ? mailboxList(record.after) : before.mailboxIds,
        keywords: record.changed.has("keywords") ? keywordList(record.after) : before.keywords,
      };
    });
    const changes = updates.filter(
      (u) => !same(u.before.mailboxIds, u.mailboxIds) || !same(u.before.keywords, u.keywords),
    );
    await updateEmails(call.tx, changes);
    const { places } = batch.prepared as Prepared;
    const said = saidOfSpam(changes, places);
    const { services, accountId } = call;
    if (said.size > 0) call.tx.afterCommit(() => services.learner.noticed(accountId, said));
    const junk = places.find(({ role }) => role === "junk")?.id;
    const marked = updates.filter((u) => !isJunk(u.before, junk) && isJunk(u, junk)).map(({ before }) => before.id);
    const complaints = await noteJunk(call.tx, marked, services.returnPaths);
    const { store, log } = services;
    if (complaints.length > 0) call.tx.afterCommit(() => void tellJunkMarks(store, complaints, log, judgeAccount));
  },

  async destroy(records, { creates }, call) {
    const rows = [...(await rowsOf(records, call)).values()];
    const replaced = draftsReplaced(rows, creates);
    await destroyEmails(
      call.tx,
      rows.filter((row) => !replaced.has(row.id)),
    );
    await destroyEmails(
      call.tx,
      rows.filter((row) => replaced.has(row.id)),
      { isKept: false },
    );
  },
};

/**
 * The drafts that others take the place of, as programs do at each save: those need not come back. None of them when more are
 * destroyed than created, since it is not known which were replaced.
 */
function draftsReplaced(rows: readonly EmailRow[], creates: readonly CreateRecord[]): Set<number> {
  const drafts = rows.filter(({ keywords }) => keywords.includes("$draft"));
  const made = creates.filter(({ after }) => keywordList(after).includes("$draft"));
  return new Set(drafts.length <= made.length ? drafts.map(({ id }) => id) : []);
}

/** `junk`: the account's junk mailbox, where a call moves emails. */
function isJunk(
  { mailboxIds, keywords }: Pick<EmailState, "mailboxIds" | "keywords">,
  junk: number | undefined,
): boolean {
  return keywords.includes("$junk") || (junk !== undefined && mailboxIds.includes(junk));
}

/** The email before the update, as `needs` fetched it. */
function stateOf({ id, before }: UpdateRecord): EmailState {
  return {
    id,
    threadId: decodeId(idPrefix.thread, before.threadId as string)!,
    receivedAt: new Date(before.receivedAt as string),
    mailboxIds: mailboxList(before),
    keywords: keywordList(before),
  };
}

async function rowsOf(records: readonly { id: number }[], call: WriteCall): Promise<Map<number, EmailRow>> {
  const rows = await findEmails(
    call.tx,
    records.map((record) => record.id),
  );
  return new Map(rows.map((row) => [row.id, row]));
}

async function writeDraft(email: JmapObject, call: Call): Promise<Written> {
  const { services } = call;
  const draft = new Draft(email);
  const blobs = new Map<string, Buffer>();
  const missing: string[] = [];
  let size = 0;
  const reader = services.store.reader(call.accountId, call.login);
  for (const blobId of draft.blobIds) {
    const bytes = await readBlob(services, reader, dereference(blobId, call.createdId) ?? "");
    if (bytes !== "tooLarge") size += bytes?.length ?? 0;
    if (bytes === "tooLarge" || size > emailLimits.maxSizeAttachments) {
      throw new SetError("tooLarge", "the attachments are too large", { maxSize: emailLimits.maxSizeAttachments });
    }
    if (!bytes) missing.push(blobId);
    else blobs.set(blobId, bytes);
  }
  if (missing.length > 0) throw blobNotFound(missing);
  const message = draft.build(blobs, services.clock.now(), services.random);
  const prepared = await prepare(message);
  const terms = tsvectorTexts(prepared.terms, call.accountId);
  return { blob: await services.blobs.put(message), prepared, terms };
}

function newMail(record: CreateRecord, batch: SetBatch, call: WriteCall) {
  const written = (batch.prepared as Prepared).written.get(record.creationId);
  if (!written || "error" in written) throw new Error("a refused email is not written");
  const { receivedAt } = record.after;
  return {
    id: record.id,
    ...written,
    target: { mailboxIds: mailboxList(record.after) },
    keywords: keywordList(record.after),
    receivedAt: receivedAt === undefined ? call.tx.now : instant(receivedAt as string),
  };
}

const same = <T>(a: readonly T[], b: readonly T[]) => a.length === b.length && a.every((one) => b.includes(one));
