import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";
import { mailIdOf } from "../../base/mail-log.ts";
import { Slots } from "../../base/slots.ts";
import type { Pile } from "../../store/blobs/blobs.ts";
import type { Conversation } from "./conversation.ts";
import { readIncomingHeader, withoutForged } from "./incoming-header.ts";
import type { SmtpInOptions } from "./options.ts";
import { PeerGone, Refusal } from "./reply.ts";
import { receivedField } from "./trace.ts";

/** The library's name for a connection that ended during DATA: not an error, and no peer is left to hear the reply. */
const brokenOff = "ECONNECTION";

/** Reads DATA to its end, judges the message and stores it durably. Resolves with the reply's text; throws Refusal or PeerGone. */
export async function receive(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  conversation: Conversation,
  options: SmtpInOptions,
): Promise<string> {
  const envelope = conversation.envelope(session);
  const told = {
    ...conversation.peer,
    from: envelope.mailFrom,
    to: envelope.recipients.map(({ address }) => address),
  };
  try {
    const { size, id, messageId, results, junkReason } = await take(stream, session, conversation, options);
    const accounts = [...new Set(envelope.recipients.map(({ userId }) => userId))];
    const verdict = { ...(results !== "" && { results }), ...(junkReason !== null && { junkReason }) };
    options.mailLog.tell("mail in", { id, messageId, ...told, accounts, size, ...verdict });
    return `2.6.0 accepted as ${mailIdOf(id)}`;
  } catch (error) {
    if (error instanceof Refusal) {
      const { reason } = error;
      const reply = `${error.responseCode} ${error.message}`;
      const id = await conversation.mailId().catch(() => undefined);
      const refusal = { id, ...told, reply, ...(reason !== undefined && { reason }) };
      options.mailLog.tellRefusal("mail refused", refusal);
      // The sender's report has the reply: with the id in it, an operator finds out why.
      if (id !== undefined) throw new Refusal(error.responseCode, `${error.message} (${mailIdOf(id)})`, reason);
    }
    if ((error as { code?: unknown }).code !== brokenOff) throw error;
    options.log.debug(told, "mail broken off by its sender");
    throw new PeerGone("4.4.2 the connection broke off");
  }
}

interface Judged {
  id: number;
  messageId: string | undefined;
  /** The value of Authentication-Results, in one line. */
  results: string;
  junkReason: string | null;
}

async function take(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  conversation: Conversation,
  options: SmtpInOptions,
): Promise<Judged & { size: number }> {
  const pile = await collect(stream, options);
  const { size } = pile;
  try {
    const work = () => judge(pile, session, conversation, options);
    return { size, ...(size <= largeBytes ? await work() : await largeOnes.run(work)) };
  } finally {
    // The message may already be accepted, so a file that cannot be removed must not refuse it.
    await pile.abort().catch((err: unknown) => options.log.warn({ err }, "the file of a message could not be removed"));
  }
}

/** Judging a message holds several copies of it in memory. */
const largeBytes = 1_000_000;
const largeOnes = new Slots(3);

async function judge(
  pile: Pile,
  session: SMTPServerSession,
  conversation: Conversation,
  options: SmtpInOptions,
): Promise<Judged> {
  const raw = await pile.bytes();
  const { hostname, incoming, clock } = options;
  const header = readIncomingHeader(raw, hostname);
  const { results = "", junkReason = null } = await conversation.message({ message: raw, header }, session);
  const id = await conversation.mailId();
  const envelope = conversation.envelope(session);
  const { helo, address, tls } = conversation.session;
  const received = receivedField({
    ...{ helo, address, hostname, id: mailIdOf(id), at: clock.now() },
    protocol: protocolOf(session),
    ...(tls !== undefined && { cipher: tls }),
  });
  const trace = Buffer.from(`Return-Path: <${envelope.mailFrom}>\r\n${results}${received}`);
  const message = Buffer.concat([trace, withoutForged(raw, header)]);
  await incoming.accept({ id, message, ...envelope, junkReason, peer: { address, helo } });
  const { messageId } = header;
  return {
    id,
    messageId,
    results: results
      .replace(/^[^:]*:/, "")
      .replace(/\s+/g, " ")
      .trim(),
    junkReason,
  };
}

/** RFC 3848, and RFC 6531 §4.3. */
function protocolOf({ envelope, secure, transmissionType }: SMTPServerSession): string {
  if (!envelope.smtpUtf8) return transmissionType;
  return secure ? "UTF8SMTPS" : "UTF8SMTP";
}

async function collect(stream: SMTPServerDataStream, { blobs, maxMessageSize }: SmtpInOptions): Promise<Pile> {
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
