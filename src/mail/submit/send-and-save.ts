import { normalizeAddress, splitAddress } from "../../base/address.ts";
import { asAddresses, parseHeader } from "../../mime/headers.ts";
import { headerEnd } from "../../mime/walk.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import type { Envelope } from "../../store/core/db.ts";
import type { Store, Tx, Viewer } from "../../store/core/store.ts";
import { noteCorrespondents } from "../../store/mail/correspondents.ts";
import { findIdentities, type IdentityRow } from "../../store/mail/identities.ts";
import { withTerms, writeMails } from "../deliver/ingest.ts";
import { prepare } from "../deliver/preparer.ts";
import { correspondentsOf } from "../scan/correspondents.ts";
import { admit } from "../standing/admit.ts";
import { enqueue } from "./enqueue.ts";
import { type OutgoingScan, scanOutgoing } from "./scan-outgoing.ts";
import { distinctRecipients, judgeSubmission, type SubmissionRules } from "./submit.ts";

export interface Sending {
  accountId: number;
  viewer: Viewer;
  /** As the client gave it, with our trace field in front. */
  message: Buffer;
  envelope: Envelope;
  /** The id that the trace field has. */
  mailId: number;
  /** The network is new to the login that sends. */
  isAway: boolean;
}

/** The account has no room for the copy of the message. */
export class NoRoom extends Error {}

export interface Sent {
  submissionId: number;
  /** It waits, since all mail of the account does. */
  isHeld: boolean;
}

/**
 * Sends a message that the account does not have yet: puts it into the mailbox with the role sent, read, and enqueues an
 * EmailSubmission of it, in one transaction. Resolves when both are durable. `hasSendingLimits`: whether accounts may send to
 * so many an hour and a day. Throws SubmissionRefused and NoRoom.
 */
export async function sendAndSave(
  { accountId, viewer, message, envelope, mailId, isAway }: Sending,
  means: { store: Store; blobs: Blobs; hasSendingLimits: boolean } & OutgoingScan,
  rules: SubmissionRules,
): Promise<Sent> {
  const { store, blobs } = means;
  const identity = identityFor(message, await findIdentities(store.reader(accountId, viewer), null));
  const judged = await judgeSubmission({ message, envelope, identityEmail: identity?.email ?? "" }, rules);
  const spamScore = await scanOutgoing(accountId, judged, means);
  const kept = judged.added === "" ? message : Buffer.concat([Buffer.from(judged.added), message]);
  const prepared = await prepare(kept);
  const keptBlob = await blobs.put(kept);
  const sentBlob = judged.wire.equals(kept) ? keptBlob : await blobs.put(judged.wire);
  const [mail] = withTerms(accountId, [
    {
      ...{ blob: keptBlob, prepared, target: { role: "sent" }, keywords: ["$seen"] },
      receivedAt: rules.clock.now(),
    },
  ]);
  const correspondents = correspondentsOf(judged);
  const candidate = { recipients: distinctRecipients(judged.envelope.rcptTo).length, spamScore };
  const admission = { isLimited: means.hasSendingLimits, junkScore: means.scanners.junkScore, isAway };
  const work = async (tx: Tx) => {
    if (tx.room < kept.length) throw new NoRoom("the account is full");
    // Both at once, which takes no longer.
    const [[refusal], [outcome]] = await Promise.all([admit(tx, [candidate], admission), writeMails(tx, [mail!])]);
    if (refusal) throw refusal;
    if (!outcome || !("email" in outcome)) throw new Error("a message to be sent was not written");
    const { id: emailId, threadId } = outcome.email;
    const [id] = await tx.newIds(1);
    const of = { identityId: identity?.id ?? 0, emailId, threadId };
    const { envelope, sendAt, isBulk } = judged;
    noteCorrespondents(tx, correspondents);
    await enqueue(tx, [{ id: id!, ...of, mailId, envelope, sendAt, spamScore, isBulk, blob: sentBlob }]);
    return { submissionId: id!, isHeld: tx.sending.hold !== undefined };
  };
  return store.write(accountId, viewer, work, { ids: 3, bytes: kept.length });
}

/** The author of a message, by its first From; undefined when it has none. */
export function authorOf(message: Buffer): string | undefined {
  const from = parseHeader(message.subarray(0, headerEnd(message))).find(({ name }) => /^from$/i.test(name));
  return asAddresses(from?.value ?? "")[0]?.email;
}

/** The identity of the author: with that address, else for its domain, else the account's first. */
function identityFor(message: Buffer, identities: readonly IdentityRow[]): IdentityRow | undefined {
  const author = authorOf(message) ?? "";
  const own = normalizeAddress(author);
  const domain = splitAddress(author)?.domain;
  return (
    identities.find(({ email }) => own !== undefined && normalizeAddress(email) === own) ??
    identities.find(({ email }) => email.toLowerCase() === `*@${domain}`) ??
    identities[0]
  );
}
