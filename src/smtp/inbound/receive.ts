import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";
import { encodeId, idPrefix } from "../../base/ids.ts";
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
    remoteAddress: session.remoteAddress,
    from: envelope.mailFrom,
    to: envelope.recipients.map(({ address }) => address),
  };
  try {
    const { size, name } = await take(stream, session, conversation, options);
    options.log.info({ ...told, size, id: name }, "mail in");
    return `2.6.0 accepted as ${name}`;
  } catch (error) {
    if (error instanceof Refusal) {
      options.log.info({ ...told, reply: error.message, reason: error.reason }, "mail refused");
    }
    if ((error as { code?: unknown }).code !== brokenOff) throw error;
    options.log.debug(told, "mail broken off by its sender");
    throw new PeerGone("4.4.2 the connection broke off");
  }
}

async function take(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  conversation: Conversation,
  options: SmtpInOptions,
): Promise<{ size: number; name: string }> {
  const pile = await collect(stream, options);
  const { size } = pile;
  try {
    const work = () => judge(pile, session, conversation, options);
    return { size, name: size <= largeBytes ? await work() : await largeOnes.run(work) };
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
): Promise<string> {
  const raw = await pile.bytes();
  const { hostname, incoming, clock } = options;
  const header = readIncomingHeader(raw, hostname);
  const { results = "", junkReason = null } = await conversation.message({ message: raw, header }, session);
  const id = await incoming.newId();
  const name = encodeId(idPrefix.incoming, id);
  const envelope = conversation.envelope(session);
  const { helo, address, tls } = conversation.session;
  const received = receivedField({
    ...{ helo, address, hostname, id: name, at: clock.now() },
    protocol: protocolOf(session),
    ...(tls !== undefined && { cipher: tls }),
  });
  const trace = Buffer.from(`Return-Path: <${envelope.mailFrom}>\r\n${results}${received}`);
  const message = Buffer.concat([trace, withoutForged(raw, header)]);
  await incoming.accept({ id, message, ...envelope, junkReason, peer: { address, helo } });
  return name;
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
