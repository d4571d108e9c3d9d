import { createHash } from "node:crypto";
import type { Ingest, NewMail } from "../../../mail/deliver/ingest.ts";
import { prepare } from "../../../mail/deliver/preparer.ts";
import type { Blobs } from "../../../store/blobs/blobs.ts";
import type { Authentication } from "../../../store/core/db.ts";
import type { Store } from "../../../store/core/store.ts";
import { emailsWithBodies } from "../../../store/mail/archived-emails.ts";
import type { Scan } from "../../../store/mail/scans.ts";
import { messageName } from "../../export/manifest.ts";
import { type Archive, linesOf } from "../../export/open-archive.ts";
import { Refused } from "../../refused.ts";
import { type ArchivedEmail, parseObject, toEmail } from "./archived.ts";
import type { MailboxMap } from "./mailboxes.ts";

/** One change of the account has at most so many messages, and about so many octets. */
const batchMails = 64;
const batchBytes = 4_000_000;

export interface Into {
  store: Store;
  blobs: Blobs;
  ingest: Ingest;
  accountId: number;
  /** Ids below it were given before this import. */
  firstId: number;
  mailboxes: MailboxMap;
  /** Where mail goes whose mailboxes are not in the archive. */
  inbox: number;
}

/** What became of the archive's emails; the maps are by archived id. About 200 octets of memory an email. */
export class EmailImport {
  readonly emails = new Map<string, number>();
  readonly threads = new Map<string, number>();
  added = 0;
  /** They were in the account: of an earlier run, or of a run that was killed. */
  present = 0;
  /** The archive has no intact message for these. */
  readonly unreadable: { id: string; sha256: string }[] = [];
  readonly #archive: Archive;
  readonly #into: Into;
  /** Emails of the account that stand for one of the archive. */
  readonly #taken = new Set<number>();

  constructor(archive: Archive, into: Into) {
    this.#archive = archive;
    this.#into = into;
  }

  async run(tell: (done: number) => void): Promise<void> {
    let batch: ArchivedEmail[] = [];
    let bytes = 0;
    const flush = async () => {
      await this.#add(batch);
      tell(this.added + this.present);
      [batch, bytes] = [[], 0];
    };
    for await (const line of linesOf(this.#archive, "objects/Email.jsonl")) {
      const email = toEmail(parseObject(line));
      batch.push(email);
      bytes += email.size;
      if (batch.length === batchMails || bytes >= batchBytes) await flush();
    }
    await flush();
  }

  async #add(batch: readonly ArchivedEmail[]): Promise<void> {
    const missing = await this.#withoutPresent(batch);
    const mails: { archived: ArchivedEmail; mail: NewMail }[] = [];
    for (const archived of missing) {
      const bytes = await this.#message(archived);
      if (!bytes) this.unreadable.push({ id: archived.id, sha256: archived.sha256 });
      else mails.push({ archived, mail: await this.#toMail(archived, bytes) });
    }
    if (mails.length === 0) return;
    await this.#giveThreads(mails);
    const { ingest, accountId } = this.#into;
    const { outcomes } = await ingest.addAll(
      accountId,
      mails.map(({ mail }) => mail),
    );
    for (const [at, outcome] of outcomes.entries()) {
      const { archived } = mails[at]!;
      if ("overQuota" in outcome) throw new Refused({ type: "noRoom" });
      if (!("email" in outcome)) throw new Refused({ type: "changedMeanwhile" });
      this.emails.set(archived.id, outcome.email.id);
      this.added++;
    }
  }

  /**
   * The same message received at the same second is the same email; of several such, the archive's first is the account's first.
   * So a run that was killed is gone on with, wherever its mail was moved since.
   */
  async #withoutPresent(batch: readonly ArchivedEmail[]): Promise<ArchivedEmail[]> {
    const { store, accountId, firstId } = this.#into;
    const hashes = [...new Set(batch.map(({ sha256 }) => sha256))].map((hash) => Buffer.from(hash, "hex"));
    const found = await emailsWithBodies(store.reader(accountId, "server"), hashes, firstId);
    const key = (sha256: string, at: Date) => `${sha256} ${Math.floor(at.getTime() / 1000)}`;
    const copies = Map.groupBy(found, ({ sha256, receivedAt }) => key(sha256.toString("hex"), receivedAt));
    return batch.filter((email) => {
      const same = copies.get(key(email.sha256, email.receivedAt)) ?? [];
      const copy = same.find(({ id }) => !this.#taken.has(id));
      if (!copy) return true;
      this.#taken.add(copy.id);
      this.emails.set(email.id, copy.id);
      this.threads.set(email.threadId, copy.threadId);
      this.present++;
      return false;
    });
  }

  async #message({ sha256 }: ArchivedEmail): Promise<Buffer | undefined> {
    const name = messageName(sha256);
    if ((await this.#archive.size(name)) === undefined) return undefined;
    const bytes = Buffer.concat(await this.#archive.read(name).toArray());
    return createHash("sha256").update(bytes).digest("hex") === sha256 ? bytes : undefined;
  }

  async #toMail(archived: ArchivedEmail, bytes: Buffer): Promise<NewMail> {
    const { mailboxes, inbox, blobs } = this.#into;
    const known = archived.mailboxIds.map((id) => mailboxes.get(id)).filter((id) => id !== undefined);
    return {
      blob: await blobs.putTogether(bytes),
      prepared: await prepare(bytes),
      target: { mailboxIds: known.length > 0 ? known : [inbox] },
      keywords: archived.keywords,
      receivedAt: archived.receivedAt,
      ...(archived.scan && { scan: archived.scan as Scan }),
      ...(archived.authentication && { authentication: archived.authentication as Authentication }),
    };
  }

  /** Those that shared a thread share one here, whatever links were destroyed since. */
  async #giveThreads(mails: readonly { archived: ArchivedEmail; mail: NewMail }[]): Promise<void> {
    const fresh = new Set(mails.map(({ archived }) => archived.threadId).filter((id) => !this.threads.has(id)));
    const { store, accountId } = this.#into;
    if (fresh.size > 0) {
      const ids = await store.write(accountId, "server", (tx) => tx.newIds(fresh.size), { ids: fresh.size });
      for (const id of fresh) this.threads.set(id, ids.shift()!);
    }
    for (const { archived, mail } of mails) mail.threadId = this.threads.get(archived.threadId)!;
  }
}
