import { referenceBlobs } from "../../store/blobs/blob-refs.ts";
import type { Tx } from "../../store/core/store.ts";
import { insertSubmissions, type NewSubmission, queuedReply } from "../../store/queues/submissions.ts";
import { distinctRecipients } from "./submit.ts";

export type Outgoing = Omit<NewSubmission, "recipients">;

/** The one way into the queue: each message's bytes are held, and each of its recipients gets a delivery. */
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
  return submissions;
}
