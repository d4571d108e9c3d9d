import type { Blobs } from "../../store/blobs/blobs.ts";
import { BlobMissing } from "../../store/core/errors.ts";
import type { Store, Tx, Viewer } from "../../store/core/store.ts";
import { type Deletion, findDeleted, forgetDeleted, stillDeleted } from "../../store/mail/deleted-emails.ts";
import { mailboxesFor } from "../../store/mail/deleted-mailboxes.ts";
import type { EmailRow } from "../../store/mail/emails.ts";
import { findMailboxes } from "../../store/mail/mailbox-places.ts";
import type { Scan } from "../../store/mail/scans.ts";
import { type TermedMail, withTerms, writeMails } from "../deliver/ingest.ts";
import { prepare } from "../deliver/preparer.ts";

/**
 * What became of a destroyed email. `notFound`: it is back already, or its time is over. `overQuota`: it would exceed the
 * account's limit. `bodyMissing`: the object store has lost its body.
 */
export type Restored = { email: EmailRow; sha256: Buffer; size: number } | "notFound" | "overQuota" | "bodyMissing";

/** So many, and of so many octets, come back in one transaction. */
const maxTogether = 64;
const maxBytesTogether = 16_000_000;

interface RestoreRequest {
  accountId: number;
  viewer: Viewer;
  /** The ids that the emails had. */
  ids: readonly number[];
  /** Emails that were destroyed before are not found. */
  since: Date;
  /** Called after each transaction with how many are done. */
  tell?: (done: number) => void;
}

/**
 * Brings destroyed emails back, under new ids (RFC 8620 §1.2: an id is never used again), with their keywords, date, and what
 * was found of them, in the mailboxes and threads where they were. An interrupted run may be repeated: what is back stays once.
 */
export async function restoreEmails(
  { store, blobs }: { store: Store; blobs: Blobs },
  { accountId, viewer, ids, since, tell = () => {} }: RestoreRequest,
): Promise<Map<number, Restored>> {
  const reader = store.reader(accountId, "server");
  const outcomes = new Map<number, Restored>(ids.map((id) => [id, "notFound"]));
  const wanted = [...outcomes.keys()];
  for (let start = 0; start < wanted.length; start += maxTogether) {
    const found = await findDeleted(reader, wanted.slice(start, start + maxTogether), since);
    for (const together of portions(found)) {
      const mails = await readMails(blobs, together, outcomes);
      if (mails.length === 0) continue;
      const termed = withTerms(
        accountId,
        mails.map(({ mail }) => mail),
      );
      const ready = mails.map(({ deletion }, index) => ({ deletion, mail: termed[index]! }));
      const back = await store.write(accountId, viewer, (tx) => writeBack(tx, ready), {
        ids: ready.length * 2,
        bytes: together.reduce((sum, { size }) => sum + size, 0),
        states: true,
      });
      for (const [id, outcome] of back) outcomes.set(id, outcome);
    }
    tell(Math.min(start + maxTogether, wanted.length));
  }
  return outcomes;
}

function portions(found: readonly Deletion[]): Deletion[][] {
  const all: Deletion[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const one of found) {
    if (bytes + one.size > maxBytesTogether) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)!.push(one);
    bytes += one.size;
  }
  return all;
}

interface Ready<Mail> {
  deletion: Deletion;
  mail: Mail;
}

/** Those whose bodies are there. */
async function readMails(blobs: Blobs, found: readonly Deletion[], outcomes: Map<number, Restored>) {
  const mails: Ready<Parameters<typeof withTerms>[1][number]>[] = [];
  for (const deletion of found) {
    const { id, sha256, day, pack, size, keywords, receivedAt, scan, authentication } = deletion;
    const blob = { sha256, day, pack, size };
    try {
      const prepared = await prepare(await blobs.readObject(blob));
      const judged = {
        ...(scan !== null && { scan: JSON.parse(scan) as Scan }),
        ...(authentication !== null && { authentication }),
      };
      mails.push({ deletion, mail: { blob, prepared, target: { mailboxIds: [] }, keywords, receivedAt, ...judged } });
    } catch (error) {
      if (!(error instanceof BlobMissing)) throw error;
      outcomes.set(id, "bodyMissing");
    }
  }
  return mails;
}

/** Under the account's lock, so that of two at once one finds the email. */
async function writeBack(tx: Tx, all: readonly Ready<TermedMail>[]): Promise<Map<number, Restored>> {
  const left = await stillDeleted(
    tx,
    all.map(({ deletion }) => deletion.id),
  );
  const ready = all.filter(({ deletion }) => left.has(deletion.id));
  const places = await mailboxesFor(tx, [...new Set(ready.flatMap(({ deletion }) => deletion.mailboxIds))]);
  const existing = await findMailboxes(tx);
  const inbox = existing.find(({ role }) => role === "inbox") ?? existing[0];
  const targetOf = (ids: readonly number[]): TermedMail["target"] => {
    const known = [...new Set(ids.flatMap((id) => places.get(id) ?? []))];
    return known.length > 0 ? { mailboxIds: known } : inbox ? { mailboxIds: [inbox.id] } : { role: "inbox" };
  };
  const mails = ready.map(({ deletion, mail }) => ({ ...mail, target: targetOf(deletion.mailboxIds) }));
  const written = await writeMails(tx, mails);
  const outcomes = new Map<number, Restored>();
  const taught = new Map<number, boolean>();
  ready.forEach(({ deletion: { id, sha256, size, taughtSpam } }, index) => {
    const outcome = written[index]!;
    if (!("email" in outcome)) {
      outcomes.set(id, "overQuota");
      return;
    }
    if (taughtSpam !== null) taught.set(outcome.email.id, taughtSpam);
    outcomes.set(id, { email: outcome.email, sha256, size });
  });
  const back = [...outcomes].flatMap(([id, outcome]) => (outcome === "overQuota" ? [] : [id]));
  forgetDeleted(tx, back, taught);
  return outcomes;
}
