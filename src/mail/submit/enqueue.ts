import { causes } from "../../base/traces.ts";
import { referenceBlobs } from "../../store/blobs/blob-refs.ts";
import type { Tx } from "../../store/core/store.ts";
import { keyOf } from "../../store/queues/due.ts";
import { insertSubmissions, type NewSubmission, noEmail, queuedReply } from "../../store/queues/submissions.ts";
import { distinctRecipients } from "./submit.ts";

export type Outgoing = Omit<NewSubmission, "recipients">;

/** Of what the server itself sends: no email of the account is sent by it. */
export const ofNoEmail = { identityId: 0, emailId: noEmail, threadId: 0 };

/** The only way into the queue: holds each message's bytes and creates a delivery for each recipient. */
export async function enqueue(tx: Tx, messages: Outgoing[]): Promise<NewSubmission[]> {
  await referenceBlobs(
    tx,
    messages.map(({ blob }) => blob),
  );
  const submissions = messages.map((message) => ({
    ...message,
    recipients: distinctRecipients(message.envelope.rcptTo).map((address) => ({
      address,
      smtpReply: queuedReply,
    })),
  }));
  await insertSubmissions(tx, submissions);
  for (const { id } of submissions) causes(keyOf({ userId: tx.accountId, submissionId: id }));
  return submissions;
}
