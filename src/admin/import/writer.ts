import { instant } from "../../base/instant.ts";
import { Slots } from "../../base/slots.ts";
import { type NewMail, type TermedMail, totalSize, withTerms, writeMails } from "../../mail/deliver/ingest.ts";
import type { PreparedMessage } from "../../mail/deliver/prepare.ts";
import { prepare } from "../../mail/deliver/preparer.ts";
import { messageIdHash } from "../../mail/deliver/thread.ts";
import { dateOfHeader, dateReceived, parseHeader } from "../../mime/headers.ts";
import { threadSubject } from "../../mime/thread-subject.ts";
import { headerEnd } from "../../mime/walk.ts";
import { sha256Of } from "../../store/blobs/blob-id.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import type { Store, Tx } from "../../store/core/store.ts";
import { destroyEmails, type EmailRow, type EmailUpdate, updateEmails } from "../../store/mail/emails.ts";
import {
  findEmailsOfHashes,
  findEmailsOfNos,
  findImportItems,
  findItemsOfMessages,
  type ImportItem,
  removeImportItems,
  writeImportItems,
} from "../../store/mail/imports.ts";
import { mergeInto, saidBy } from "./merge.ts";
import type { Places } from "./places.ts";
import type { SourceMail } from "./source.ts";
import { unreadable, wrapped } from "./unreadable.ts";

/** How many bodies are written at once. */
const maxBodies = 16;
/** RFC 8621 §1.3.1: as Email/set has it. */
const maxMailboxes = 100;
const maxKeywords = 100;

export interface Written {
  /** Mails that the source yielded. */
  seen: number;
  /** Emails that were made. */
  made: number;
  /** Emails whose mailboxes or keywords changed, or that were here already and are known from now on. */
  changed: number;
  /** Emails that were destroyed, since the source has them no more. */
  destroyed: number;
  /** Kept as attachments of a message, since they are none. */
  unreadable: { where: string; why: string }[];
}

/** The account has no room for more. What was written before stays. */
export class QuotaFull extends Error {}

/** The account changed between two looks at it: the batch is prepared anew. */
class Overtaken extends Error {}

type Readied = SourceMail & { mailboxIds: number[]; sha256: Buffer; hash: string; mail: NewMail | undefined };

interface Options {
  store: Store;
  blobs: Blobs;
  accountId: number;
  sourceId: number;
  places: Places;
}

/** Writes what a source yields into the account, a batch in a transaction. */
export class Writer {
  readonly #options: Options;
  readonly #bodies = new Slots(maxBodies);
  /** What stands for a mail that the database refused: refused as well, it is not wrapped once more. */
  readonly #wrapped = new WeakSet<Buffer>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Makes all ready that needs no transaction; the result writes it. */
  async ready(mails: readonly SourceMail[], trusting = true): Promise<() => Promise<Written>> {
    const { store, accountId, sourceId, places } = this.#options;
    const reader = store.reader(accountId, "server");
    const own = [...new Map(mails.map((mail) => [mail.key, mail])).values()];
    const keys = own.map(({ key }) => key);
    const known = new Map((await findImportItems(reader, sourceId, keys)).map((item) => [item.key, item]));
    const ids = new Map<string, number[]>();
    for (const mail of own) ids.set(mail.key, (await places.idsOf(mail.mailboxes)).slice(0, maxMailboxes));
    const told: Written["unreadable"] = [];
    const fresh = own.filter(({ key, raw }) => raw && !known.has(key)) as (SourceMail & { raw: Buffer })[];
    const hashed = fresh.map((mail) => ({ mail, sha256: sha256Of(mail.raw) }));
    const sha256s = hashed.map(({ sha256 }) => sha256);
    const present = trusting ? await findEmailsOfHashes(reader, sha256s) : new Map<string, EmailRow>();
    const readied = await Promise.all(
      hashed.map(async ({ mail, sha256 }): Promise<Readied> => {
        const mailboxIds = ids.get(mail.key)!;
        const hash = sha256.toString("hex");
        if (present.has(hash)) return { ...mail, mailboxIds, sha256, hash, mail: undefined };
        const made = await this.#make(mail, mailboxIds, told);
        return { ...mail, mailboxIds, sha256: made.blob.sha256, hash: made.blob.sha256.toString("hex"), mail: made };
      }),
    );
    const seen = mails.length;
    const again = own.filter(({ key }) => known.has(key)).map((mail) => itemOf(mail, ids.get(mail.key)!));
    const terms = withTerms(
      accountId,
      readied.flatMap(({ mail }) => mail ?? []),
    );
    return () => this.#write({ mails, again, readied, terms, seen, told });
  }

  /** These are in the source no more. */
  async gone(keys: readonly string[]): Promise<Written> {
    const { store, accountId, sourceId } = this.#options;
    return store.write(accountId, "server", async (tx) => {
      const items = await findImportItems(tx, sourceId, keys);
      const nos = new Set(items.map(({ no }) => no));
      const before = await findItemsOfMessages(tx, sourceId, [...nos]);
      const removed = new Set(items.map(({ key }) => key));
      const after = before.filter(({ key }) => !removed.has(key));
      const { changed, destroyed } = await merge(tx, before, after);
      await removeImportItems(tx, sourceId, [...removed]);
      return { ...nothing(), changed, destroyed };
    });
  }

  async #make(mail: SourceMail & { raw: Buffer }, mailboxIds: number[], told: Written["unreadable"]): Promise<NewMail> {
    let { raw } = mail;
    let why = unreadable(raw);
    let prepared: PreparedMessage | undefined;
    if (why === undefined) {
      prepared = await prepare(raw).catch((error: Error) => {
        why = error.message;
        return undefined;
      });
    }
    if (why !== undefined || !prepared) {
      told.push({ where: mail.where, why: why ?? "it can't be read" });
      raw = wrapped(raw, mail.where, why ?? "it can't be read");
      prepared = await prepare(raw);
    }
    const blob = await this.#bodies.run(() => this.#options.blobs.putTogether(raw));
    return {
      blob,
      prepared: mail.thread === undefined ? prepared : inThread(prepared, mail.thread),
      target: { mailboxIds },
      keywords: mail.keywords.slice(0, maxKeywords),
      receivedAt: mail.receivedAt ?? dateOf(raw) ?? this.#options.store.clock.now(),
    };
  }

  /** A batch that the database refuses is halved until the mail that it refuses is alone, which is then kept in another form. */
  async #write(batch: Ready): Promise<Written> {
    const { store, accountId } = this.#options;
    const guess = { ids: 2 * batch.terms.length, bytes: totalSize(batch.terms) };
    try {
      return await store.write(accountId, "server", (tx) => this.#writeIn(tx, batch), guess);
    } catch (error) {
      if (error instanceof Overtaken) {
        this.#options.places.forget();
        return (await this.ready(batch.mails, false))();
      }
      if (!isRefusal(error)) throw error;
      const { mails } = batch;
      if (mails.length > 1) {
        const middle = mails.length >> 1;
        const halves = [mails.slice(0, middle), mails.slice(middle)];
        let sum = nothing();
        for (const half of halves) sum = added(sum, await (await this.ready(half))());
        return sum;
      }
      const [mail] = mails;
      if (!mail?.raw || unreadable(mail.raw) !== undefined || this.#wrapped.has(mail.raw)) throw error;
      const why = `the database refuses it: ${error.message}`;
      const kept = { ...mail, raw: wrapped(mail.raw, mail.where, why) };
      this.#wrapped.add(kept.raw);
      const written = await (await this.ready([kept]))();
      return { ...written, unreadable: [{ where: mail.where, why }] };
    }
  }

  async #writeIn(tx: Tx, { again, readied, terms, seen, told }: Ready): Promise<Written> {
    const { sourceId } = this.#options;
    const all = [...again.map(({ key }) => key), ...readied.map(({ key }) => key)];
    const known = new Map((await findImportItems(tx, sourceId, all)).map((item) => [item.key, item]));
    const fresh = readied.filter(({ key }) => !known.has(key));
    const stored = await findEmailsOfHashes(
      tx,
      fresh.map(({ sha256 }) => sha256),
    );
    const groups = Map.groupBy(fresh, ({ hash }) => hash);
    const items: ImportItem[] = [];
    const toMake: { mail: TermedMail; items: ImportItem[] }[] = [];
    const termed = new Map(terms.map((mail) => [mail.blob.sha256.toString("hex"), mail]));
    for (const [hash, group] of groups) {
      const email = stored.get(hash);
      const own = group.map((one) => ({ ...itemOf(one, one.mailboxIds), no: email?.no ?? 0, isMade: !email }));
      if (email) items.push(...own);
      else {
        const mail = termed.get(hash);
        if (!mail) throw new Overtaken();
        const { mailboxIds, keywords } = saidBy(own);
        toMake.push({
          mail: { ...mail, target: { mailboxIds }, keywords: keywords.slice(0, maxKeywords) },
          items: own,
        });
      }
    }
    const outcomes = await writeMails(
      tx,
      toMake.map(({ mail }) => mail),
    );
    outcomes.forEach((outcome, index) => {
      if ("overQuota" in outcome) throw new QuotaFull();
      if (!("email" in outcome)) throw new Overtaken();
      items.push(...toMake[index]!.items.map((item) => ({ ...item, no: outcome.email.no })));
    });
    const moved = again.flatMap((item) => {
      const was = known.get(item.key);
      return was && !sameItem(was, item) ? { ...item, no: was.no, isMade: was.isMade } : [];
    });
    const made = new Set(toMake.flatMap(({ items }) => items.map(({ key }) => key)));
    const joined = items.filter(({ key }) => !made.has(key));
    const changed = await this.#apply(tx, [...moved, ...joined]);
    await writeImportItems(tx, sourceId, [...items, ...moved]);
    return { seen, made: toMake.length, changed: changed.changed, destroyed: changed.destroyed, unreadable: told };
  }

  /** Brings changed and added items to the emails that they are of. */
  async #apply(tx: Tx, items: readonly ImportItem[]): Promise<Changes> {
    if (items.length === 0) return { changed: 0, destroyed: 0 };
    const nos = [...new Set(items.map(({ no }) => no))];
    const before = await findItemsOfMessages(tx, this.#options.sourceId, nos);
    const after = new Map(before.map((item) => [item.key, item]));
    for (const item of items) after.set(item.key, item);
    return merge(tx, before, [...after.values()]);
  }
}

/** Whether the database can't take a value, by its class of SQLSTATE: 22 is wrong data, 54 too much of it. All else is no fault of a mail. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && /^(22|54)[0-9A-Z]{3}$/.test((error as { code?: string }).code ?? "");
}

interface Ready {
  mails: readonly SourceMail[];
  /** Items of mails that were brought before. */
  again: ImportItem[];
  readied: Readied[];
  terms: TermedMail[];
  seen: number;
  told: Written["unreadable"];
}

interface Changes {
  changed: number;
  destroyed: number;
}

/** Emails that were destroyed here stay so. */
async function merge(tx: Tx, before: readonly ImportItem[], after: readonly ImportItem[]): Promise<Changes> {
  const nos = [...new Set([...before, ...after].map(({ no }) => no))];
  const updates: EmailUpdate[] = [];
  const going: EmailRow[] = [];
  for (const email of await findEmailsOfNos(tx, nos)) {
    const own = (items: readonly ImportItem[]) => items.filter(({ no }) => no === email.no);
    const merged = mergeInto(email, own(before), own(after));
    if (merged === "destroyed") going.push(email);
    else if (merged) updates.push({ ...merged, mailboxIds: merged.mailboxIds.slice(0, maxMailboxes) });
  }
  await updateEmails(tx, updates);
  await destroyEmails(tx, going);
  return { changed: updates.length, destroyed: going.length };
}

export const nothing = (): Written => ({ seen: 0, made: 0, changed: 0, destroyed: 0, unreadable: [] });

export function added(one: Written, other: Written): Written {
  return {
    seen: one.seen + other.seen,
    made: one.made + other.made,
    changed: one.changed + other.changed,
    destroyed: one.destroyed + other.destroyed,
    unreadable: [...one.unreadable, ...other.unreadable],
  };
}

function itemOf({ key, keywords, isSpare = false }: SourceMail, mailboxIds: number[]): ImportItem {
  return { key, no: 0, mailboxIds, keywords: keywords.slice(0, maxKeywords), isMade: true, isSpare };
}

function sameItem(one: ImportItem, other: ImportItem): boolean {
  const same = <T>(a: readonly T[], b: readonly T[]) => a.length === b.length && a.every((value) => b.includes(value));
  const isSame = same(one.mailboxIds, other.mailboxIds) && same(one.keywords, other.keywords);
  return isSame && one.isSpare === other.isSpare;
}

/** The source's thread counts as one more message id that its mails share. */
function inThread(prepared: PreparedMessage, thread: string): PreparedMessage {
  const { threadKeys, summary } = prepared;
  const subjectHash = messageIdHash(threadSubject(summary.subject ?? "").base);
  const key = { idHash: messageIdHash(`thread ${thread}`), subjectHash };
  return { ...prepared, threadKeys: { ...threadKeys, keys: [...threadKeys.keys, key] } };
}

/** RFC 8621 §4.8: when it was received; a mail that was sent has only its own date. */
function dateOf(raw: Buffer): Date | undefined {
  const fields = parseHeader(raw.subarray(0, headerEnd(raw)));
  const date = dateReceived(fields) ?? dateOfHeader(fields);
  return date === null ? undefined : instant(date);
}
