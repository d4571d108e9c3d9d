import { splitAddress } from "../../base/address.ts";
import { encodeId, idPrefix } from "../../base/ids.ts";
import { AccountMissing } from "../../store/core/errors.ts";
import type { Tx } from "../../store/core/store.ts";
import { noteMaskedMessage } from "../../store/directory/masked-addresses.ts";
import { claimIncoming } from "../../store/mail/received.ts";
import type { IncomingRecipient } from "../../store/queues/incoming.ts";
import { type Returned, returnedFor } from "../feedback/returned.ts";
import { complainToSender } from "../feedback/to-operator.ts";
import type { Outside } from "../scan/rspamd.ts";
import type { Arriving, IncomingOptions } from "./arriving.ts";
import { checks } from "./checks/checks.ts";
import { type Decision, decide } from "./disposition.ts";
import { forwardsOf } from "./forward.ts";
import type { NewMail, Outcome } from "./ingest.ts";
import type { PreparedMessage } from "./prepare.ts";

/** Puts the message into the account, or sends it on, or both, in one transaction; marks the recipient as done. */
export async function deliverTo(
  recipient: IncomingRecipient,
  arriving: Arriving,
  options: IncomingOptions,
): Promise<void> {
  const { row, prepared, arrival } = arriving;
  const { mailLog, events, onDelivered } = options;
  const { userId: accountId, address } = recipient;
  const { id, mailFrom, createdAt: arrivedAt } = row;
  try {
    const { returned, decision } = await judged(recipient, arriving, options);
    const isForJunk = isJunk(decision.places);
    // Another account's, so it is written before: the message is delivered once that is done.
    if (!isForJunk) await complainToSender(address, arrival, row.authentication, options);
    const sent = await forwardsOf(recipient, arriving, { ...options, isJunk: isForJunk });
    const reasons = [...decision.reasons, ...sent.reasons];
    if (reasons.length > 0) recipient.reasons = reasons;
    const mail: NewMail = {
      blob: row.blob,
      prepared: about(prepared, returned),
      target: decision.places,
      keywords: decision.keywords,
      receivedAt: arrivedAt,
      incomingId: id,
      ...(decision.scan && { scan: decision.scan }),
      ...(row.authentication && { authentication: row.authentication }),
      record: async (tx, modseq) => {
        // What is taken for junk reports nothing.
        if (!isForJunk) await returned?.record(tx, modseq);
        await noteMasked(tx, recipient, arriving, modseq);
        await sent.enqueue(tx);
      },
    };
    const isKept = !recipient.isForwardedOnly || sent.mails.length === 0;
    const outcome = isKept ? await options.ingest.add(accountId, mail) : await onlyRecord(accountId, mail, options);
    const messageId = prepared.summary.messageId?.[0];
    const named = messageId === undefined ? {} : { messageId: `<${messageId}>` };
    const done = { id, ...named, from: mailFrom, to: [address], account: accountId };
    for (const { to, submission } of sent.mails) {
      if (submission !== undefined) mailLog.tell("forwarded", { ...done, to, submission });
    }
    if (isKept) mailLog.tell("delivered", { ...done, ...placeOf(outcome), ...(reasons.length > 0 && { reasons }) });
    if (isKept) events.mailFiled({ isJunk: isForJunk });
    if (returned?.kind && !isForJunk) events.feedbackCame({ kind: returned.kind });
    const { message: bytes } = arrival;
    const came = { accountId, address, mailFrom, requiresTls: recipient.requiresTls === true, arrivedAt };
    if (isKept) await onDelivered?.({ ...came, prepared, decision, bytes });
  } catch (error) {
    if (!(error instanceof AccountMissing)) throw error;
    const gone = { id, from: mailFrom, to: [address], account: accountId };
    mailLog.tell("a recipient's account is gone", gone, "warn");
  }
  recipient.done = true;
}

async function judged(
  { userId: accountId, address }: IncomingRecipient,
  { row, prepared, arrival }: Arriving,
  { store, scanners, log, returnPaths }: IncomingOptions,
): Promise<{ returned: Returned | undefined; decision: Decision }> {
  const { mailFrom, createdAt: arrivedAt, junkReason } = row;
  const spam = { junkScore: scanners.junkScore, outside: row.spam === null ? null : (JSON.parse(row.spam) as Outside) };
  // On one connection, so that what the checks ask is asked in one trip.
  return store.reads(accountId, "server", async (reader) => {
    const returned = await returnedFor(address, arrival, { reader, returnPaths });
    const applied = returned?.isBelieved ? [] : checks;
    const message = { mailFrom, arrivedAt, prepared };
    return {
      returned,
      decision: await decide(applied, message, { accountId, address }, { reader, junkReason, spam }, log),
    };
  });
}

/** Marks the message as received by the account, which keeps no copy, and writes what goes with it. */
function onlyRecord(accountId: number, { incomingId, record }: NewMail, { store }: IncomingOptions): Promise<Outcome> {
  return store.write(accountId, "server", async (tx): Promise<Outcome> => {
    if ((await claimIncoming(tx, [incomingId!])).size > 0) await record?.(tx, tx.modseq);
    return { duplicate: true };
  });
}

/** Which of the account's masked addresses is known to whom. */
async function noteMasked(
  tx: Tx,
  { maskedIds = [] }: IncomingRecipient,
  { row, prepared }: Arriving,
  modseq: number,
): Promise<void> {
  if (maskedIds.length === 0) return;
  const author = prepared.summary.from?.[0]?.email ?? row.mailFrom;
  const domain = splitAddress(author)?.domain ?? splitAddress(row.mailFrom)?.domain ?? "";
  await noteMaskedMessage(tx, maskedIds, { domain, at: row.createdAt, modseq });
}

/** Where a message was put, with the ids that clients see. */
function placeOf(outcome: Outcome): object {
  if (!("email" in outcome)) return { place: "there already" };
  const { id, mailboxIds } = outcome.email;
  const mailboxes = mailboxIds.map((one) => encodeId(idPrefix.mailbox, one));
  return { email: encodeId(idPrefix.email, id), mailboxes };
}

/** The message with the mail that it is about, whose thread it joins. */
function about(prepared: PreparedMessage, returned: Returned | undefined): PreparedMessage {
  if (returned?.submissionId === undefined) return prepared;
  return { ...prepared, threadKeys: { ...prepared.threadKeys, submissionId: returned.submissionId } };
}

export const isJunk = (places: Decision["places"]) => places.some((place) => "role" in place && place.role === "junk");
