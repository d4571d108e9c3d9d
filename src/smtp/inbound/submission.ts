import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";
import type { Authenticator } from "../../auth/login.ts";
import type { Random } from "../../base/clock.ts";
import { encodeId, idPrefix } from "../../base/ids.ts";
import { mailIdOf } from "../../base/mail-log.ts";
import type { Scanners } from "../../mail/scan/scanners.ts";
import { NoRoom, sendAndSave } from "../../mail/submit/send-and-save.ts";
import { type RefusalReason, SubmissionRefused } from "../../mail/submit/submission-refused.ts";
import { submissionRules } from "../../mail/submit/submission-rules.ts";
import { maxDelayedSend } from "../../mail/submit/submit-parameters.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import type { Store } from "../../store/core/store.ts";
import type { Conversation } from "./conversation.ts";
import { readIncomingHeader } from "./incoming-header.ts";
import type { ServerOptions } from "./options.ts";
import { protocolOf, readMessage } from "./read-message.ts";
import { Refusal } from "./reply.ts";
import { createSmtpServer, type SmtpIn } from "./server.ts";
import { createSubmissionStages } from "./stages/submission-stages.ts";
import { envelopeOf } from "./submitted-envelope.ts";
import { submittedField } from "./trace.ts";

export interface SubmissionOptions extends ServerOptions {
  store: Store;
  blobs: Blobs;
  scanners: Scanners;
  authenticator: Authenticator;
  random: Random;
  /** Whether accounts may send to so many recipients an hour and a day. */
  hasSendingLimits: boolean;
  /** RFC 8314 §3.3: TLS from the first byte, not by STARTTLS. */
  isImplicitTls: boolean;
}

/** RFC 6409: takes mail from our own users, who sign in. */
export function createSubmission(options: SubmissionOptions): Promise<SmtpIn> {
  const { clock, isImplicitTls } = options;
  return createSmtpServer(options, {
    stages: createSubmissionStages(options),
    take: (stream, session, conversation) => submit(stream, session, { conversation, options }),
    isImplicitTls,
    offersDsn: true,
    // RFC 4865 §4
    extensions: () => {
      const latest = new Date(clock.now().getTime() + maxDelayedSend * 1000);
      return [`FUTURERELEASE ${maxDelayedSend} ${latest.toISOString().slice(0, 19)}Z`];
    },
  });
}

const codes: Record<RefusalReason, [number, string]> = {
  invalidEmail: [554, "5.6.0"],
  tooLarge: [552, "5.3.4"],
  noRecipients: [554, "5.5.1"],
  tooManyRecipients: [452, "4.5.3"],
  invalidRecipients: [553, "5.1.3"],
  forbiddenFrom: [550, "5.7.1"],
  forbiddenMailFrom: [550, "5.7.1"],
  forbiddenToSend: [550, "5.7.1"],
  rateLimit: [451, "4.7.1"],
  invalidEnvelope: [501, "5.5.4"],
};
const advice: Partial<Record<RefusalReason, string>> = {
  forbiddenFrom: ": write From (and Sender) with an address that brings mail to the account of MAIL FROM",
  forbiddenMailFrom: ": send with one that brings mail to you",
};

interface Means {
  conversation: Conversation;
  options: SubmissionOptions;
}

async function submit(stream: SMTPServerDataStream, session: SMTPServerSession, means: Means): Promise<string> {
  const { conversation, options } = means;
  const envelope = envelopeOf(session);
  const told = {
    ...conversation.peer,
    login: conversation.session.login?.login,
    from: envelope.mailFrom.email,
    to: envelope.rcptTo.map(({ email }) => email),
  };
  return readMessage(stream, { ...options, conversation, told }, async (raw) => {
    const { isHeld, ...sent } = await send(raw, session, means).catch((error: unknown) => {
      throw refusalOf(error) ?? error;
    });
    options.mailLog.tell("mail submitted", { ...sent, ...told, ...(isHeld && { held: true }), size: raw.length });
    const id = encodeId(idPrefix.submission, sent.submission);
    return isHeld ? `2.0.0 held as ${id}: a message in your inbox says why` : `2.0.0 queued as ${id}`;
  });
}

/** What of a mail became durable, for the log. */
interface Sent {
  /** The mail's id. */
  id: number;
  messageId: string | undefined;
  account: number;
  submission: number;
  isHeld: boolean;
}

async function send(raw: Buffer, session: SMTPServerSession, { conversation, options }: Means): Promise<Sent> {
  const { hostname, clock, random, database, maxMessageSize } = options;
  const header = readIncomingHeader(raw, hostname);
  const { sendingAccount, login } = await conversation.message({ message: raw, header }, session);
  if (sendingAccount === undefined || !login) throw new Error("no check has found who sends");
  const id = await conversation.mailId();
  const received = submittedField({ protocol: protocolOf(session), hostname, id: mailIdOf(id), at: clock.now() });
  const message = Buffer.concat([Buffer.from(received), raw]);
  const rules = submissionRules(sendingAccount, {
    ...{ database, clock, random },
    maxSize: maxMessageSize + received.length,
  });
  const from = { accountId: sendingAccount, viewer: login, mailId: id, isAway: login.isAway === true };
  const sent = await sendAndSave({ ...from, message, envelope: envelopeOf(session) }, options, rules);
  const { submissionId: submission, isHeld } = sent;
  return { id, messageId: header.messageId, account: sendingAccount, submission, isHeld };
}

function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof NoRoom) return new Refusal(552, "5.2.2 your mailbox is full: it must keep a copy in Sent");
  if (!(error instanceof SubmissionRefused)) return undefined;
  const [code, status] = codes[error.reason];
  return new Refusal(code, `${status} ${error.message}${advice[error.reason] ?? ""}`);
}
