import { isAscii } from "node:buffer";
import { isIP } from "node:net";
import SMTPConnection, { type SMTPConnectionOptions } from "nodemailer/lib/smtp-connection";
import { withTimeout } from "../resolver.ts";
import { type Failure, failureReply, isTlsFailure } from "./failure.ts";
import { type FittedParcel, fitTo, offeredBy, type Parcel, sayParameters, unnamable } from "./fitted.ts";
import { type Answer, answerOf, flattenReply, refusalOf } from "./reply.ts";
import type { Target } from "./route.ts";

export interface Login {
  user: string;
  pass: string;
}

export interface Server extends Target {
  /** TLS from the first byte. */
  isSecure?: boolean;
  /** Never without TLS. */
  requireTls?: boolean;
  login?: Login | undefined;
}

/** The server could not be used; another may be tried. Nothing was handed over. */
export class Unreachable extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(answer.smtpReply);
    this.answer = answer;
  }
}

const connectTime = 30_000;
const greetingTime = 60_000;
const idleTime = 5 * 60_000;
const sessionTime = 90_000;
/** For all transactions of a message over one connection; after `furtherTime` none begins. */
const transactionTime = 6 * 60_000;
const furtherTime = 3 * 60_000;

/** One message, over one connection. Throws Unreachable; answers for each recipient, in order, otherwise. */
export async function transact(server: Server, parcel: Parcel, hostname: string): Promise<Answer[]> {
  try {
    return await transactOnce(server, parcel, hostname, true);
  } catch (error) {
    // Opportunistic: where TLS cannot be agreed on, mail goes in the clear, as it would without it.
    if (!(error instanceof TlsFailed) || server.isSecure || server.requireTls) throw error;
    return transactOnce(server, parcel, hostname, false);
  }
}

class TlsFailed extends Unreachable {}

async function transactOnce(server: Server, parcel: Parcel, hostname: string, useTls: boolean): Promise<Answer[]> {
  const connection = new SMTPConnection(connectionOptions(server, hostname, useTls));
  // After an answer the connection is of no more interest, however it ends.
  connection.on("error", () => {});
  try {
    await withTimeout(connect(connection, server), sessionTime, server.name).catch((error: Failure) => {
      if (error.code !== "ETIMEOUT") throw error;
      connection.close();
      throw unreachable(error, server);
    });
    if (server.login) await login(connection, server.login, server);
    const fitted = await fitTo(parcel, offeredBy(connection));
    if ("kind" in fitted) return parcel.recipients.map(() => ({ ...fitted, remote: server.name }));
    sayParameters(connection, fitted);
    const answers = fitted.recipients.length > 0 ? await sendAll(connection, fitted, server) : [];
    return fitted.places.map((at) => answers[at] ?? { ...unnamable, remote: server.name });
  } finally {
    if (connection.destroyed) connection.close();
    else connection.quit();
  }
}

function connectionOptions(server: Server, hostname: string, useTls: boolean): SMTPConnectionOptions {
  return {
    host: server.address,
    port: server.port,
    name: hostname,
    secure: server.isSecure ?? false,
    ignoreTLS: !useTls,
    requireTLS: server.requireTls ?? false,
    opportunisticTLS: true,
    // Without DANE or MTA-STS nobody knows which certificate is right: encrypted is better than plain.
    // An address is no name that TLS could ask for (RFC 6066 §3).
    tls: { rejectUnauthorized: server.login !== undefined, ...(!isIP(server.name) && { servername: server.name }) },
    connectionTimeout: connectTime,
    greetingTimeout: greetingTime,
    socketTimeout: idleTime,
    allowInternalNetworkInterfaces: true,
    logger: false,
  };
}

function connect(connection: SMTPConnection, server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Failure | undefined) => {
      // Whatever goes wrong in the handshake, a lost connection too.
      const { upgrading } = connection as unknown as { upgrading?: boolean };
      reject(unreachable(upgrading && error ? Object.assign(error, { code: "ETLS" }) : error, server));
    };
    connection.once("error", fail);
    connection.once("end", () => fail(undefined));
    connection.connect((error) => (error ? fail(error as Failure) : resolve()));
  });
}

function login(connection: SMTPConnection, { user, pass }: Login, server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.login({ user, pass, credentials: { user, pass } }, (error) =>
      error ? reject(unreachable(error as Failure, server)) : resolve(),
    );
  });
}

function unreachable(error: Failure | undefined, server: Server): Unreachable {
  if (error && isTlsFailure(error)) return new TlsFailed(answerOf(failureReply(error, server), server.name));
  return new Unreachable(answerOf(replyIn(error) ?? failureReply(error, server), server.name));
}

/** What the server refused with, where it did. */
function replyIn(error: Failure | undefined): string | undefined {
  return error?.response && /^[45]\d\d/.test(error.response) ? flattenReply(error.response) : undefined;
}

/** RFC 5321 §4.5.3.1.10: recipients that were too many for one transaction follow in the next, as long as each takes some. */
async function sendAll(connection: SMTPConnection, parcel: FittedParcel, server: Server): Promise<Answer[]> {
  const answers = new Map<string, Answer>();
  const began = Date.now();
  let { recipients } = parcel;
  for (;;) {
    const left = transactionTime - (Date.now() - began);
    const outcome = await sendOnce(connection, { ...parcel, recipients }, server, left);
    // A server that begins no further transaction says nothing of the recipients that were too many for the first.
    if (outcome.isRefused && answers.size > 0) break;
    for (const [at, recipient] of recipients.entries()) answers.set(recipient, outcome.answers[at]!);
    const rest = recipients.filter((recipient) => answers.get(recipient)!.isOverLimit);
    const isMoving = rest.length > 0 && outcome.answers.some(({ kind }) => kind === "relayed");
    if (!isMoving || connection.destroyed || Date.now() - began > furtherTime) break;
    recipients = rest;
  }
  return parcel.recipients.map((recipient) => answers.get(recipient)!);
}

interface Outcome {
  answers: Answer[];
  /** Nothing was said of any recipient. */
  isRefused: boolean;
}

async function sendOnce(
  connection: SMTPConnection,
  parcel: FittedParcel,
  server: Server,
  time: number,
): Promise<Outcome> {
  try {
    return await withTimeout(send(connection, parcel, server), time, server.name);
  } catch (error) {
    // A slow server may drag on for as long as each of its pauses is short.
    if ((error as Failure).code !== "ETIMEOUT") throw error;
    connection.close();
    const answer = answerOf(failureReply(error as Failure, server), server.name);
    return { answers: parcel.recipients.map(() => answer), isRefused: false };
  }
}

function send(
  connection: SMTPConnection,
  { mailFrom, recipients, message }: FittedParcel,
  server: Server,
): Promise<Outcome> {
  const envelope = { from: mailFrom, to: [...recipients], size: message.length, use8BitMime: !isAscii(message) };
  return new Promise((resolve) => {
    connection.send(envelope, message, (error, info) => {
      const failure = error as SendFailure | null;
      const rejected = (failure?.rejectedErrors ?? info?.rejectedErrors ?? []) as SendFailure[];
      const refusals = new Map(rejected.map(({ recipient, response }) => [recipient, response]));
      const rest = failure ? restReply(failure, server) : info!.response;
      let accepted = 0;
      const answers = recipients.map((recipient) => {
        const refusal = refusals.get(recipient);
        if (refusal !== undefined) return refusalOf(refusal, server.name, accepted);
        accepted++;
        return answerOf(rest, server.name);
      });
      resolve({ answers, isRefused: failure !== null && failure.command !== "DATA" && rejected.length === 0 });
    });
  });
}

type SendFailure = Failure & { rejectedErrors?: SendFailure[]; recipient?: string };

/** What to tell of those that RCPT did not refuse. A lost connection is no reply, whatever the server said last. */
function restReply(failure: SendFailure, server: Server): string {
  const { code, command } = failure;
  if (code === "EENVELOPE" && command === "API")
    return "553 5.1.3 an address of this message cannot be written in SMTP";
  return replyIn(failure) ?? failureReply(failure, server);
}
