import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";
import type { Log } from "../../base/log.ts";
import { type MailLog, mailIdOf } from "../../base/mail-log.ts";
import { Slots } from "../../base/slots.ts";
import type { Blobs, Pile } from "../../store/blobs/blobs.ts";
import type { Conversation } from "./conversation.ts";
import { PeerGone, Refusal } from "./reply.ts";

interface Means {
  blobs: Blobs;
  log: Log;
  mailLog: MailLog;
  maxMessageSize: number;
}

/** The library's name for a connection that ended during DATA: not an error, and no peer is left to hear the reply. */
const brokenOff = "ECONNECTION";

/** Judging a message holds several copies of it in memory. */
const largeBytes = 1_000_000;
const largeOnes = new Slots(3);

/**
 * Reads DATA to its end and resolves with what `work` makes of it. `told`: of the message, for the log. Throws Refusal, which
 * names the mail, or PeerGone.
 */
export async function readMessage<Result>(
  stream: SMTPServerDataStream,
  { told, conversation, ...means }: Means & { told: object; conversation: Conversation },
  work: (message: Buffer) => Promise<Result>,
): Promise<Result> {
  try {
    return await take(stream, means, work);
  } catch (error) {
    if (error instanceof Refusal) {
      const { reason } = error;
      const reply = `${error.responseCode} ${error.message}`;
      const id = await conversation.mailId().catch(() => undefined);
      const refusal = { id, ...told, reply, ...(reason !== undefined && { reason }) };
      means.mailLog.tellRefusal("mail refused", refusal);
      // The sender's report has the reply: with the id in it, an operator finds out why.
      if (id !== undefined) throw new Refusal(error.responseCode, `${error.message} (${mailIdOf(id)})`, reason);
    }
    if ((error as { code?: unknown }).code !== brokenOff) throw error;
    means.log.debug(told, "mail broken off by its sender");
    throw new PeerGone("4.4.2 the connection broke off");
  }
}

async function take<Result>(
  stream: SMTPServerDataStream,
  means: Means,
  work: (message: Buffer) => Promise<Result>,
): Promise<Result> {
  const pile = await collect(stream, means);
  try {
    const judge = async () => work(await pile.bytes());
    return pile.size <= largeBytes ? await judge() : await largeOnes.run(judge);
  } finally {
    // The message may already be accepted, so a file that cannot be removed must not refuse it.
    await pile.abort().catch((err: unknown) => means.log.warn({ err }, "the file of a message could not be removed"));
  }
}

async function collect(stream: SMTPServerDataStream, { blobs, maxMessageSize }: Means): Promise<Pile> {
  const pile = blobs.pile(maxMessageSize);
  try {
    for await (const chunk of stream) {
      // Data beyond the limit is read and discarded: the client listens for a reply only when it has sent everything.
      if (!stream.sizeExceeded) await pile.write(chunk as Buffer);
    }
  } catch (error) {
    // If the peer hung up after exceeding the limit, report "too large", not the disconnect.
    if (!stream.sizeExceeded) {
      await pile.abort();
      throw error;
    }
  }
  if (!stream.sizeExceeded) return pile;
  await pile.abort();
  throw new Refusal(552, `5.3.4 a message may have ${maxMessageSize} bytes at most`);
}

/** RFC 3848, and RFC 6531 §4.3. */
export function protocolOf({ envelope, transmissionType }: SMTPServerSession): string {
  return envelope.smtpUtf8 ? `UTF8${transmissionType.replace(/^E/, "")}` : transmissionType;
}
