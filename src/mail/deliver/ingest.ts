import { tsvectorTexts } from "../../search/terms.ts";
import type { StoredBlob } from "../../store/blobs/blobs.ts";
import type { Authentication } from "../../store/core/db.ts";
import { CommitError } from "../../store/core/errors.ts";
import { Gathering } from "../../store/core/gathering.ts";
import { isRetryable } from "../../store/core/loss.ts";
import { encodeState } from "../../store/core/state.ts";
import type { Store, Tx } from "../../store/core/store.ts";
import type { EmailRow } from "../../store/mail/emails.ts";
import { findMailboxes, type MailboxPlace } from "../../store/mail/mailbox-places.ts";
import { createDefaultMailboxes } from "../../store/mail/mailboxes.ts";
import { insertEmails } from "../../store/mail/new-emails.ts";
import { claimIncoming } from "../../store/mail/received.ts";
import type { Scan } from "../../store/mail/scans.ts";
import { writeThreadRefs } from "../../store/mail/threads.ts";
import type { PreparedMessage } from "./prepare.ts";
import { findStored, planThreads, type ThreadKeys } from "./thread.ts";

/** Resolved when the email is written, since the mailbox may be gone by then. */
export type Place = { role: "inbox" | "junk" | "sent" | "archive" } | { mailboxId: number };

/** Where a message goes: mailboxes that a client chose, or places for mail that is accepted in any case. */
export type Target = { mailboxIds: number[] } | Place | readonly Place[];

export interface NewMail {
  /** The email's id, if Email/set has already reported it. */
  id?: number;
  blob: StoredBlob;
  prepared: PreparedMessage;
  target: Target;
  keywords: string[];
  receivedAt: Date;
  /** Set for incoming mail: delivering the same id again does nothing. */
  incomingId?: number;
  /** The thread that it belongs to, whatever its header says: one of the account's, or a new id. */
  threadId?: number;
  /** What scanning found. */
  scan?: Scan;
  /** What was found about who sent it. */
  authentication?: Authentication;
  /** Writes with the message what it reports. */
  record?: (tx: Tx, modseq: number) => Promise<void>;
}

/** A message with its search terms as stored for one account. */
export interface TermedMail extends NewMail {
  terms: string[];
}

/** Call before the account's row is locked: the terms of a large message are many megabytes. */
export function withTerms(accountId: number, mails: readonly NewMail[]): TermedMail[] {
  return mails.map((mail) => ({ ...mail, terms: tsvectorTexts(mail.prepared.terms, accountId) }));
}

/**
 * The result for one message. `duplicate`: this incoming message was delivered before. `overQuota`: a client wants to
 * store it and there is no room. Incoming mail is never refused for quota.
 */
export type Outcome = { email: EmailRow } | { missingMailboxes: number[] } | { duplicate: true } | { overQuota: true };

/** The results of one change, with the Email states before and after it. */
export interface Added {
  outcomes: Outcome[];
  oldState: string;
  newState: string;
}

interface Job {
  mails: readonly NewMail[];
  resolve: (added: Added) => void;
  reject: (error: unknown) => void;
}

const maxFold = 64;

/**
 * Puts messages into accounts. Messages that arrive together for one account are folded into one `store.write`, each
 * with a modseq of its own, as if they had been written one after the other.
 */
export class Ingest {
  readonly #store: Store;
  readonly #jobs = new Gathering<Job>((accountId, waiting) => this.#write(accountId, takeTogether(waiting)));

  constructor(store: Store) {
    this.#store = store;
  }

  /** Resolves when the message is durable in the account. Rejects with AccountMissing and database errors. */
  async add(accountId: number, mail: NewMail): Promise<Outcome> {
    return (await this.addAll(accountId, [mail])).outcomes[0]!;
  }

  /** As `add`, for messages that form one change of the account. */
  addAll(accountId: number, mails: readonly NewMail[]): Promise<Added> {
    return new Promise((resolve, reject) => this.#jobs.add(accountId, { mails, resolve, reject }));
  }

  async #write(accountId: number, jobs: Job[]): Promise<void> {
    try {
      const termed = jobs.map(({ mails }) => withTerms(accountId, mails));
      const added = await this.#store.write(accountId, "server", (tx) => writeJobs(tx, termed), {
        ids: 2 * jobs.reduce((sum, job) => sum + job.mails.length, 0),
        modseqs: jobs.length,
        bytes: totalSize(jobs.flatMap((job) => job.mails)),
        states: true,
      });
      jobs.forEach((job, index) => {
        job.resolve(added[index]!);
      });
    } catch (error) {
      // A message that the database refuses must not fail those folded with it. After a commit with an unknown outcome
      // nothing is written again: the messages may be there.
      if (jobs.length === 1 || isRetryable(error) || error instanceof CommitError) {
        for (const job of jobs) job.reject(error);
      } else for (const job of jobs) await this.#write(accountId, [job]);
    }
  }
}

function takeTogether(waiting: Job[]): Job[] {
  const jobs = [waiting.shift()!];
  for (let size = jobs[0]!.mails.length; waiting.length > 0; ) {
    size += waiting[0]!.mails.length;
    if (size > maxFold) break;
    jobs.push(waiting.shift()!);
  }
  return jobs;
}

export function totalSize(mails: readonly NewMail[]): number {
  return mails.reduce((sum, mail) => sum + mail.blob.size, 0);
}

/** Writes the mails of all jobs at once, each job with a modseq of its own. */
async function writeJobs(tx: Tx, jobs: readonly TermedMail[][]): Promise<Added[]> {
  const modseqs = jobs.flatMap((mails, index) => mails.map(() => tx.modseq - jobs.length + 1 + index));
  let state = await tx.state("Email");
  const outcomes = await writeMails(tx, jobs.flat(), modseqs);
  const { epoch } = await tx.standing();
  return jobs.map((mails, index) => {
    const own = outcomes.splice(0, mails.length);
    const oldState = state;
    const isChanged = own.some((outcome) => "email" in outcome);
    if (isChanged) state = encodeState({ epoch, modseq: tx.modseq - jobs.length + 1 + index });
    return { outcomes: own, oldState, newState: state };
  });
}

/** Writes messages into the account of `tx`. `modseqs`: the modseq of each message when several writes are folded. */
export async function writeMails(
  tx: Tx,
  mails: readonly TermedMail[],
  modseqs?: readonly number[],
): Promise<Outcome[]> {
  const incoming = mails.map((mail) => mail.incomingId).filter((id) => id !== undefined);
  const keys = mails.map(threadKeysOf);
  const asked = [mailboxesFor(tx, mails), claimIncoming(tx, incoming), findStored(tx, keys)] as const;
  const [places, fresh, stored] = await Promise.all(asked);
  let { room } = tx;
  const outcomes: (Outcome | undefined)[] = mails.map((mail) => {
    // The first claim consumes the id, so the same message twice in one fold is a duplicate too.
    if (mail.incomingId !== undefined && !fresh.delete(mail.incomingId)) return { duplicate: true };
    const missing = "mailboxIds" in mail.target ? mail.target.mailboxIds.filter((id) => !has(places, id)) : [];
    if (missing.length > 0) return { missingMailboxes: missing };
    if ("mailboxIds" in mail.target && mail.blob.size > room) return { overQuota: true };
    room -= mail.blob.size;
    return undefined;
  });
  const accepted = mails.map((mail, index) => ({ mail, index })).filter(({ index }) => outcomes[index] === undefined);
  const rows = await insertAccepted(
    tx,
    accepted.map(({ mail, index }) => ({ mail, modseq: modseqs?.[index] ?? tx.modseq })),
    { places, stored },
  );
  accepted.forEach(({ index }, nth) => {
    outcomes[index] = { email: rows[nth]! };
  });
  for (const { mail, index } of accepted) await mail.record?.(tx, modseqs?.[index] ?? tx.modseq);
  return outcomes as Outcome[];
}

function threadKeysOf({ prepared, threadId }: NewMail): ThreadKeys {
  return threadId === undefined ? prepared.threadKeys : { ...prepared.threadKeys, threadId };
}

const has = (places: readonly MailboxPlace[], id: number) => places.some((place) => place.id === id);

async function insertAccepted(
  tx: Tx,
  accepted: readonly { mail: TermedMail; modseq: number }[],
  { places, stored }: { places: readonly MailboxPlace[]; stored: Map<string, number> },
): Promise<EmailRow[]> {
  if (accepted.length === 0) return [];
  const plan = await planThreads(
    tx,
    accepted.map(({ mail }) => threadKeysOf(mail)),
    stored,
  );
  await writeThreadRefs(tx, plan.refs);
  const emails = accepted.map(({ mail, modseq }, nth) => ({
    ...(mail.id !== undefined && { id: mail.id }),
    blob: mail.blob,
    summary: mail.prepared.summary,
    header: mail.prepared.header,
    sortKeys: mail.prepared.sortKeys,
    terms: mail.terms,
    threadId: plan.threadIds[nth]!,
    mailboxIds: mailboxesOf(mail.target, places),
    keywords: mail.keywords,
    receivedAt: wholeSeconds(mail.receivedAt),
    scan: mail.scan ?? null,
    authentication: mail.authentication ?? null,
    modseq,
  }));
  return insertEmails(tx, emails, plan.known);
}

const wholeSeconds = (date: Date) => new Date(Math.floor(date.getTime() / 1000) * 1000);

/** Incoming mail must go somewhere, even if the last mailbox was destroyed. */
async function mailboxesFor(tx: Tx, mails: readonly NewMail[]): Promise<MailboxPlace[]> {
  const places = await findMailboxes(tx);
  if (places.length > 0 || mails.every((mail) => "mailboxIds" in mail.target)) return places;
  await createDefaultMailboxes(tx);
  return findMailboxes(tx);
}

/** If the account has no such role or mailbox, the inbox stands in, else its first mailbox. */
function mailboxesOf(target: Target, places: readonly MailboxPlace[]): number[] {
  if ("mailboxIds" in target) return [...new Set(target.mailboxIds)];
  const byRole = (role: string) => places.find((place) => place.role === role);
  const found = (place: Place) =>
    "role" in place ? byRole(place.role) : places.find(({ id }) => id === place.mailboxId);
  const ids = [target].flat().map((place) => (found(place) ?? byRole("inbox") ?? places[0]!).id);
  return [...new Set(ids)];
}
