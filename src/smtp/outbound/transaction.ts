import { isAscii } from "node:buffer";
import { isIP, type Socket } from "node:net";
import { checkServerIdentity, type PeerCertificate, TLSSocket } from "node:tls";
import SMTPConnection, { type SMTPConnectionOptions } from "nodemailer/lib/smtp-connection";
import { traced } from "../../base/traces.ts";
import { withTimeout } from "../resolver.ts";
import { type Failure, failureReply, isTlsFailure } from "./failure.ts";
import { type FittedParcel, fitTo, offeredBy, type Parcel, sayParameters, unnamable } from "./fitted.ts";
import { type Answer, answerOf, flattenReply, refusalOf } from "./reply.ts";
import type { Target } from "./route.ts";
import type { TlsRules } from "./tls-rules.ts";
import type { Try } from "./tries.ts";

export interface Login {
  user: string;
  pass: string;
}

export interface Server extends Target {
  /** Uses TLS from the first byte. */
  isSecure?: boolean;
  /** Refuses to continue without TLS. */
  requireTls?: boolean;
  login?: Login | undefined;
  /** What its certificate must be. (Default: with a login valid for its name, else any.) */
  tls?: TlsRules;
}

/** The server could not be used and nothing was handed over; another server may be tried. */
export class Unreachable extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(answer.smtpReply);
    this.answer = answer;
  }
}

const maxConnectMs = 30_000;
const maxGreetingMs = 60_000;
const maxIdleMs = 5 * 60_000;
const maxSessionMs = 90_000;
/** For all transactions of a message over one connection; none begins after `maxFurtherMs`. */
const maxTransactionMs = 6 * 60_000;
const maxFurtherMs = 3 * 60_000;

/** Sends one message over one connection. Returns an answer for each recipient, in order; throws Unreachable. */
export function transact(server: Server, parcel: Parcel, hostname: string, attempt: Try): Promise<Answer[]> {
  const about = () => ({ recipients: parcel.recipients.length });
  return traced("relay", about, async (span) => {
    const answers = await transactTwice(server, parcel, hostname, attempt);
    if (span) span.replies = [...new Set(answers.map(({ smtpReply }) => smtpReply.slice(0, 3)))];
    return answers;
  });
}

async function transactTwice(server: Server, parcel: Parcel, hostname: string, attempt: Try): Promise<Answer[]> {
  try {
    return await transactOnce(server, parcel, attempt, connectionOptions(server, hostname, true));
  } catch (error) {
    // TLS is opportunistic: when it fails, mail goes unencrypted, as it would to a server without TLS.
    if (!(error instanceof TlsFailed) || server.isSecure || needsTls(server)) throw error;
    attempt.note(`${error.answer.smtpReply}; again without TLS`);
    return transactOnce(server, parcel, attempt, connectionOptions(server, hostname, false));
  }
}

const needsTls = ({ requireTls, tls }: Server) => requireTls === true || tls?.isRequired === true;

class TlsFailed extends Unreachable {}

async function transactOnce(
  server: Server,
  parcel: Parcel,
  attempt: Try,
  options: SMTPConnectionOptions,
): Promise<Answer[]> {
  const connection = new SMTPConnection({ ...options, logger: attempt.logger as never, transactionLog: true });
  // Once there is an answer, it does not matter how the connection ends.
  connection.on("error", () => {});
  try {
    await withTimeout(connect(connection, server), maxSessionMs, server.name).catch((error: Failure) => {
      if (error.code !== "ETIMEOUT") throw error;
      connection.close();
      throw unreachable(error, server);
    });
    attempt.tls = cipherOf(connection);
    checkCertificate(connection, server);
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

function checkCertificate(connection: SMTPConnection, server: Server): void {
  const { _socket: socket } = connection as unknown as { _socket?: Socket };
  const why = socket instanceof TLSSocket ? server.tls?.refuses?.(socket) : undefined;
  if (why !== undefined) throw unreachable(Object.assign(new Error(why), { code: "ETLS" }), server);
}

/** RFC 9525: valid for one of the names. */
const validFor = (names: readonly string[]) => (_: string, certificate: PeerCertificate) => {
  const errors = names.map((name) => checkServerIdentity(name, certificate));
  return errors.includes(undefined) ? undefined : errors[0];
};

function connectionOptions(server: Server, hostname: string, useTls: boolean): SMTPConnectionOptions {
  const names = server.tls?.names;
  return {
    host: server.address,
    port: server.port,
    name: hostname,
    secure: server.isSecure ?? false,
    ignoreTLS: !useTls,
    requireTLS: needsTls(server),
    opportunisticTLS: true,
    // An IP address is not a valid server name for TLS (RFC 6066 §3).
    tls: {
      rejectUnauthorized: server.login !== undefined || names !== undefined,
      ...(names && { checkServerIdentity: validFor(names) }),
      ...(!isIP(server.name) && { servername: server.name }),
    },
    connectionTimeout: maxConnectMs,
    greetingTimeout: maxGreetingMs,
    socketTimeout: maxIdleMs,
    allowInternalNetworkInterfaces: true,
  };
}

function cipherOf(connection: SMTPConnection): string | null {
  const { _socket: socket } = connection as unknown as { _socket?: Socket };
  if (!(socket instanceof TLSSocket)) return null;
  const { standardName, name } = socket.getCipher();
  return `${socket.getProtocol()} ${standardName ?? name}`;
}

function connect(connection: SMTPConnection, server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Failure | undefined) => {
      // Any failure during the handshake counts, a lost connection too.
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

/** The reply with which the server refused, if it sent one. */
function replyIn(error: Failure | undefined): string | undefined {
  return error?.response && /^[45]\d\d/.test(error.response) ? flattenReply(error.response) : undefined;
}

/**
 * RFC 5321 §4.5.3.1.10: recipients that were too many for one transaction go into the next, as long as each transaction
 * accepts some.
 */
async function sendAll(connection: SMTPConnection, parcel: FittedParcel, server: Server): Promise<Answer[]> {
  const answers = new Map<string, Answer>();
  const began = Date.now();
  let { recipients } = parcel;
  for (;;) {
    const leftMs = maxTransactionMs - (Date.now() - began);
    const outcome = await sendOnce(connection, { ...parcel, recipients }, server, leftMs);
    // A server that refuses a further transaction has said nothing about the recipients left over from the first.
    if (outcome.isRefused && answers.size > 0) break;
    for (const [at, recipient] of recipients.entries()) answers.set(recipient, outcome.answers[at]!);
    const rest = recipients.filter((recipient) => answers.get(recipient)!.isOverLimit);
    const isMoving = rest.length > 0 && outcome.answers.some(({ kind }) => kind === "relayed");
    if (!isMoving || connection.destroyed || Date.now() - began > maxFurtherMs) break;
    recipients = rest;
  }
  return parcel.recipients.map((recipient) => answers.get(recipient)!);
}

interface Outcome {
  answers: Answer[];
  /** The server said nothing about any recipient. */
  isRefused: boolean;
}

async function sendOnce(
  connection: SMTPConnection,
  parcel: FittedParcel,
  server: Server,
  maxMs: number,
): Promise<Outcome> {
  try {
    return await withTimeout(send(connection, parcel, server), maxMs, server.name);
  } catch (error) {
    // A slow server could go on for ever if each of its pauses is short.
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

/**
 * The reply for recipients that RCPT did not refuse. If the connection was lost, the server's last reply does not
 * count.
 */
function restReply(failure: SendFailure, server: Server): string {
  const { code, command } = failure;
  if (code === "EENVELOPE" && command === "API") return "553 5.1.3 SMTP cannot carry an address of this message";
  return replyIn(failure) ?? failureReply(failure, server);
}
