import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";
import { mailIdOf } from "../../base/mail-log.ts";
import type { Addressed } from "../../mail/deliver/expand.ts";
import type { Conversation } from "./conversation.ts";
import { onOneLine } from "./disposition.ts";
import { readIncomingHeader, withoutForged } from "./incoming-header.ts";
import type { SmtpInOptions } from "./options.ts";
import { protocolOf, readMessage } from "./read-message.ts";
import { receivedField } from "./trace.ts";

/** Reads DATA to its end, judges the message and stores it durably. Resolves with the reply's text; throws Refusal or PeerGone. */
export async function receive(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  conversation: Conversation,
  options: SmtpInOptions,
): Promise<string> {
  const { mailFrom, recipients } = conversation.envelope(session);
  const told = { ...conversation.peer, from: mailFrom, to: recipients.map(({ address }) => address) };
  return readMessage(stream, { ...options, conversation, told }, async (message) => {
    const id = await acceptMessage(message, session, { conversation, options, recipients });
    return `2.6.0 accepted as ${mailIdOf(id)}`;
  });
}

interface Means {
  conversation: Conversation;
  options: SmtpInOptions;
  recipients: readonly Addressed[];
}

/**
 * Judges a message, stores it durably for these recipients and tells the mail log. Resolves with the mail's number. Throws
 * Refusal.
 */
export async function acceptMessage(
  raw: Buffer,
  session: SMTPServerSession,
  { conversation, options, recipients }: Means,
): Promise<number> {
  const { hostname, incoming, clock, mailLog } = options;
  const header = readIncomingHeader(raw, hostname);
  const found = await conversation.message({ message: raw, header }, session);
  const { results = "", junkReason = null, authentication = null, clues } = found;
  for (const clue of clues ?? []) options.events.clueFound({ clue });
  const id = await conversation.mailId();
  const { mailFrom } = conversation.envelope(session);
  const { helo, address, tls } = conversation.session;
  const received = receivedField({
    ...{ helo, address, hostname, id: mailIdOf(id), at: clock.now() },
    protocol: protocolOf(session),
    ...(tls !== undefined && { cipher: tls }),
  });
  const trace = Buffer.from(`Return-Path: <${mailFrom}>\r\n${results}${received}`);
  const message = Buffer.concat([trace, withoutForged(raw, header)]);
  const accounts = await incoming.accept({
    id,
    message,
    mailFrom,
    recipients,
    junkReason,
    authentication,
    peer: { address, helo },
    requiresTls: conversation.requiresTls(session),
  });
  mailLog.tell("mail in", {
    ...{ id, messageId: header.messageId, ...conversation.peer, from: mailFrom },
    to: recipients.map((recipient) => recipient.address),
    accounts,
    size: raw.length,
    ...(results !== "" && { results: onOneLine(results) }),
    ...(junkReason !== null && { junkReason }),
    ...(clues !== undefined && { clues }),
  });
  // It is safe, and its sender may wait for the answer: mail must not come faster than it is delivered.
  await incoming.keptUp();
  return id;
}
