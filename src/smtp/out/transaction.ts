import { isAscii } from "node:buffer";
import SMTPConnection, { type SMTPConnectionOptions } from "nodemailer/lib/smtp-connection";
import { withTimeout } from "../resolver.ts";
import { type FittedParcel, fitTo, offeredBy, type Parcel, sayParameters, unnamable } from "./fitted.ts";
import { type Answer, answerOf, flattenReply } from "./reply.ts";
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
const transactionTime = 6 * 60_000;

type Failure = Error & {
  code?: string;
  response?: string;
  responseCode?: number;
  rejectedErrors?: Failure[];
  recipient?: string;
};

/** One SMTP transaction. Throws Unreachable; answers for each recipient, in order, otherwise. */
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
      throw new Unreachable({ kind: "deferred", smtpReply: "451 4.4.2 too slow", remote: server.name });
    });
    if (server.login) await login(connection, server.login, server);
    const fitted = await fitTo(parcel, offeredBy(connection));
    if ("kind" in fitted) return parcel.recipients.map(() => ({ ...fitted, remote: server.name }));
    return await withTimeout(send(connection, fitted, server), transactionTime, server.name);
  } catch (error) {
    // A slow server may drag on for as long as each of its pauses is short.
    if ((error as { code?: string }).code !== "ETIMEOUT") throw error;
    connection.close();
    return parcel.recipients.map(() => ({ kind: "deferred", smtpReply: "451 4.4.2 too slow", remote: server.name }));
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
    tls: { rejectUnauthorized: server.login !== undefined, servername: server.name },
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
  if (error?.code === "ETLS") {
    return new TlsFailed({ kind: "deferred", smtpReply: "451 4.7.5 TLS failed", remote: server.name });
  }
  const smtpReply = error?.response
    ? flattenReply(error.response)
    : `451 4.4.1 ${server.name} [${server.address}]: ${error?.code ?? "connection closed"}`;
  const kind = error?.response && smtpReply.startsWith("5") ? "failed" : "deferred";
  return new Unreachable({ kind, smtpReply, remote: server.name });
}

function send(connection: SMTPConnection, fitted: FittedParcel, server: Server): Promise<Answer[]> {
  const { mailFrom, recipients, message } = fitted;
  const to = recipients.filter((recipient) => recipient !== undefined);
  const answers = (replyTo: (recipient: string) => string): Answer[] =>
    recipients.map((recipient) =>
      recipient === undefined ? { ...unnamable, remote: server.name } : answerOf(replyTo(recipient), server.name),
    );
  if (to.length === 0) return Promise.resolve(answers(() => ""));
  sayParameters(connection, fitted);
  const envelope = { from: mailFrom, to, size: message.length, use8BitMime: !isAscii(message) };
  return new Promise((resolve) => {
    connection.send(envelope, message, (error, info) => {
      const failure = error as Failure | null;
      const rejected = (failure?.rejectedErrors ?? info?.rejectedErrors ?? []) as Failure[];
      const refusals = new Map(rejected.map(({ recipient, response }) => [recipient, response]));
      const rest = failure ? failureReply(failure) : info!.response;
      resolve(answers((recipient) => refusals.get(recipient) ?? rest));
    });
  });
}

/** A lost connection is no reply, whatever the server said last. */
function failureReply({ code, message, response }: Failure): string {
  if (response && /^[45]\d\d/.test(response)) return response;
  return `451 4.4.2 ${code ?? message}`;
}
