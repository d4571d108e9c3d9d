import { traced } from "../../base/traces.ts";
import { withTimeout } from "../resolver.ts";
import { minOctetsPerSecond, type Reply } from "./conversation.ts";
import { type Failure, failureReply } from "./failure.ts";
import { type FittedParcel, fitTo, type Parcel, unnamable } from "./fitted.ts";
import { type Answer, answerOf, refusalOf } from "./reply.ts";
import { replyIn, type Session, Unreachable } from "./session.ts";

/** For all transactions of a message over one connection, apart from the message's own octets; none begins after `maxFurtherMs`. */
const maxTransactionMs = 6 * 60_000;
const maxFurtherMs = 3 * 60_000;
/** A kept connection that does not answer so soon is given up for a new one. */
const maxResetMs = 5_000;

/**
 * Sends one message over an open connection. Returns an answer for each recipient, in order. Throws Unreachable if nothing
 * was handed over and another connection or server may do better.
 */
export function transact(session: Session, parcel: Parcel): Promise<Answer[]> {
  const about = () => ({ recipients: parcel.recipients.length });
  return traced("relay", about, async (span) => {
    const { name } = session.server;
    const fitted = await fitTo(parcel, session.offered);
    const answers =
      "kind" in fitted
        ? parcel.recipients.map(() => ({ ...fitted, remote: name }))
        : await sendAll(session, fitted).then((sent) =>
            fitted.places.map((at) =>
              sent[at] ? { ...sent[at], reportsItself: session.offered.dsn } : { ...unnamable, remote: name },
            ),
          );
    if (span) span.replies = [...new Set(answers.map(({ smtpReply }) => smtpReply.slice(0, 3)))];
    return answers;
  });
}

/**
 * RFC 5321 §4.5.3.1.10: recipients that were too many for one transaction go into the next, as long as each transaction
 * accepts some.
 */
async function sendAll(session: Session, parcel: FittedParcel): Promise<Answer[]> {
  const answers = new Map<string, Answer>();
  const began = Date.now();
  let { recipients } = parcel;
  while (recipients.length > 0) {
    const octetsMs = (parcel.message.length / minOctetsPerSecond) * 1_000;
    const leftMs = maxTransactionMs + octetsMs - (Date.now() - began);
    let outcome: Answer[];
    try {
      outcome = await sendOnce(session, { ...parcel, recipients }, leftMs);
    } catch (error) {
      // A server that refuses a further transaction has said nothing about the recipients left over from the first.
      if (!(error instanceof Unreachable) || answers.size === 0) throw error;
      break;
    }
    for (const [at, recipient] of recipients.entries()) answers.set(recipient, outcome[at]!);
    const rest = recipients.filter((recipient) => answers.get(recipient)!.isOverLimit);
    const isMoving = rest.length > 0 && outcome.some(({ kind }) => kind === "relayed");
    if (!isMoving || !session.conversation.isUsable || Date.now() - began > maxFurtherMs) break;
    recipients = rest;
  }
  return parcel.recipients.map((recipient) => answers.get(recipient)!);
}

async function sendOnce(session: Session, parcel: FittedParcel, maxMs: number): Promise<Answer[]> {
  const { server, conversation } = session;
  const progress = { isHandedOver: false };
  try {
    return await withTimeout(send(session, parcel, progress), maxMs, server.name);
  } catch (error) {
    // A slow server could go on for ever if each of its pauses is short.
    conversation.destroy();
    if (error instanceof Unreachable) throw error;
    const failure = error as Failure;
    const said = replyIn(failure);
    const answer = answerOf(said ?? failureReply(failure, server), server.name);
    // Once the message has gone, nobody knows whether the server has taken it.
    if (progress.isHandedOver) return parcel.recipients.map(() => answer);
    throw new Unreachable(answer, said === undefined);
  }
}

/** RFC 5321 §3.3. Throws a Failure if the connection is lost. */
async function send(
  session: Session,
  { mailFrom, recipients, message, mailParameters, rcptParameters }: FittedParcel,
  progress: { isHandedOver: boolean },
): Promise<Answer[]> {
  const { server, offered } = session;
  const mail = [`MAIL FROM:<${mailFrom}>`, ...mailParameters].join(" ");
  const rcpts = recipients.map((one) => [`RCPT TO:<${one}>`, ...(rcptParameters.get(one) ?? [])].join(" "));
  // Whatever became of the transaction before.
  const reset = session.used > 0 ? ["RSET"] : [];
  const isFirst = session.used++ === 0;
  const commands = [...reset, mail, ...rcpts, "DATA"];
  const next = talker(session, commands, offered.pipelining);
  if (!isFirst) mustBeOk(await withTimeout(next(), maxResetMs, server.name));
  const sender = open(await next());
  // What is refused in a connection that others have used may be taken in a new one.
  if (!isFirst) mustBeOk(sender);
  const isRefused = sender.code !== 250;
  const replies: Reply[] = [];
  for (const _ of rcpts) replies.push(isRefused && !offered.pipelining ? sender : open(await next()));
  const isTaken = replies.map(({ code }) => !isRefused && code >= 200 && code < 300);
  const isForNobody = !isTaken.includes(true);
  let rest: Reply | undefined;
  if (!isForNobody || offered.pipelining) {
    rest = open(await next());
    if (rest.code === 354) rest = await handOver(session, isForNobody ? undefined : message, progress);
    else if (rest.code < 400) throw oddReply(rest);
  }
  let accepted = 0;
  return replies.map((reply, at) => {
    if (isRefused) return answerOf(sender.text, server.name);
    if (!isTaken[at]) return refusalOf(reply.text, server.name, accepted);
    accepted++;
    return answerOf(rest!.text, server.name);
  });
}

/** Sends the message and waits for the reply. RFC 2920 §3.1: a server may want one even if it takes no recipient. */
async function handOver(
  { conversation, server }: Session,
  message: Buffer | undefined,
  progress: { isHandedOver: boolean },
): Promise<Reply> {
  progress.isHandedOver = message !== undefined;
  void conversation.pour(message ? dotStuffed(message) : [Buffer.from(".\r\n")]);
  const reply = await conversation.reply().catch((failure: Failure) => {
    if (!message) throw failure;
    return { code: 451, text: replyIn(failure) ?? failureReply(failure, server) };
  });
  if (conversation.isPouring) conversation.destroy();
  // A reply that says that the message was not taken leaves no doubt.
  if (reply.code === 421) progress.isHandedOver = false;
  return open(reply);
}

/** Says all commands at once, or each when its reply is wanted; gives their replies in order. */
function talker({ conversation }: Session, commands: string[], isPipelining: boolean): () => Promise<Reply> {
  if (isPipelining) {
    const replies = conversation.commands(commands);
    return () => replies.shift()!;
  }
  return () => conversation.command(commands.shift()!);
}

const refused = ({ text }: Reply): Failure => Object.assign(new Error(text), { response: text });

const oddReply = (reply: Reply): Failure => Object.assign(refused(reply), { code: "EPROTOCOL" });

function mustBeOk(reply: Reply): void {
  if (reply.code !== 250) throw refused(reply);
}

/** RFC 5321 §3.8: with 421 the server closes the connection. */
function open(reply: Reply): Reply {
  if (reply.code === 421) throw refused(reply);
  return reply;
}

const lineDot = Buffer.from("\r\n.");
const stuffed = Buffer.from("\r\n..");

/** RFC 5321 §4.5.2, with the end of the message. All line ends are CRLF. */
export function dotStuffed(message: Buffer): Buffer[] {
  const parts: Buffer[] = message[0] === 0x2e ? [Buffer.from(".")] : [];
  let start = 0;
  for (let at = message.indexOf(lineDot); at >= 0; at = message.indexOf(lineDot, start)) {
    parts.push(message.subarray(start, at), stuffed);
    start = at + lineDot.length;
  }
  parts.push(message.subarray(start));
  const endsLine = message.length === 0 || message.subarray(-2).equals(Buffer.from("\r\n"));
  parts.push(Buffer.from(endsLine ? ".\r\n" : "\r\n.\r\n"));
  return parts;
}
