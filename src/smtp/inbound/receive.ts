import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";
import { encodeId, idPrefix } from "../../base/ids.ts";
import type { Conversation } from "./conversation.ts";
import { readIncomingHeader, withoutForged } from "./incoming-header.ts";
import type { SmtpInOptions } from "./options.ts";
import { protocolOf, readMessage } from "./read-message.ts";
import type { Recipient } from "./stages/stage.ts";
import { receivedField } from "./trace.ts";

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
  return readMessage(stream, { ...options, told }, async (message) => {
    const { recipients } = envelope;
    const { name, clues } = await acceptMessage(message, session, { conversation, options, recipients });
    options.log.info({ ...told, size: message.length, id: name, clues }, "mail in");
    return `2.6.0 accepted as ${name}`;
  });
}

interface Means {
  conversation: Conversation;
  options: SmtpInOptions;
  recipients: Recipient[];
}

/** Judges a message and stores it durably for these recipients; resolves with its name in the queue, and the clues. Throws Refusal. */
export async function acceptMessage(
  raw: Buffer,
  session: SMTPServerSession,
  { conversation, options, recipients }: Means,
): Promise<{ name: string; clues: readonly string[] | undefined }> {
  const { hostname, incoming, clock } = options;
  const header = readIncomingHeader(raw, hostname);
  const { results = "", junkReason = null, clues } = await conversation.message({ message: raw, header }, session);
  const id = await incoming.newId();
  const name = encodeId(idPrefix.incoming, id);
  const { mailFrom } = conversation.envelope(session);
  const { helo, address, tls } = conversation.session;
  const received = receivedField({
    ...{ helo, address, hostname, id: name, at: clock.now() },
    protocol: protocolOf(session),
    ...(tls !== undefined && { cipher: tls }),
  });
  const trace = Buffer.from(`Return-Path: <${mailFrom}>\r\n${results}${received}`);
  const message = Buffer.concat([trace, withoutForged(raw, header)]);
  await incoming.accept({ id, message, mailFrom, recipients, junkReason });
  return { name, clues };
}
