import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";
import { mailIdOf } from "../../base/mail-log.ts";
import type { Addressed } from "../../mail/deliver/expand.ts";
import { findQuotas } from "../../store/mail/quota.ts";
import type { Conversation } from "./conversation.ts";
import type { LmtpOptions } from "./options.ts";
import { readMessage } from "./read-message.ts";
import { acceptMessage } from "./receive.ts";
import { Refusal } from "./reply.ts";
import { createSmtpServer, type SmtpIn } from "./server.ts";
import { createLmtpStages } from "./stages/lmtp-stages.ts";

/** RFC 2033: receives mail for our own addresses from a mail server in front. */
export function createLmtp(options: LmtpOptions): Promise<SmtpIn> {
  return createSmtpServer(options, {
    stages: createLmtpStages(options),
    take: (stream, session, conversation) => receiveEach(stream, session, conversation, options),
    isLmtp: true,
    arePeersTrusted: true,
  });
}

/** Resolves with a reply for each RCPT that was accepted, in their order (RFC 2033 §4.2). */
async function receiveEach(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  conversation: Conversation,
  options: LmtpOptions,
): Promise<(string | Refusal)[]> {
  const { mailFrom, recipients } = conversation.envelope(session);
  const told = { ...conversation.peer, from: mailFrom };
  const named = { ...told, to: recipients.map(({ address }) => address) };
  return readMessage(stream, { ...options, conversation, told: named }, async (message) => {
    const fullAccounts = await fullOf(recipients, message.length, options);
    const taken = recipients.filter(({ userId }) => !fullAccounts.has(userId));
    if (taken.length > 0) await acceptMessage(message, session, { conversation, options, recipients: taken });
    const id = await conversation.mailId();
    const name = mailIdOf(id);
    const text = `2.1.5 accepted as ${name}`;
    const full = new Refusal(452, `4.2.2 this mailbox is full (${name})`);
    if (fullAccounts.size > 0) {
      const to = recipients.filter(({ userId }) => fullAccounts.has(userId)).map(({ address }) => address);
      options.mailLog.tellRefusal("mail refused", { id, ...told, to, reply: `452 ${full.message}` });
    }
    return conversation.accepted.map(({ userId }) => (fullAccounts.has(userId) ? full : text));
  });
}

/** The accounts that have no room for a message of this size, which may not have been announced at RCPT. */
async function fullOf(recipients: readonly Addressed[], size: number, { database }: LmtpOptions): Promise<Set<number>> {
  const quotas = await findQuotas(
    database,
    recipients.map(({ userId }) => userId),
  );
  return new Set([...quotas].filter(([, { used, limit }]) => used + size > limit).map(([userId]) => userId));
}
