import { isIP } from "node:net";
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate } from "node:tls";
import { withTimeout } from "../resolver.ts";
import { authenticate, type Login } from "./authenticate.ts";
import { Conversation, type Reply } from "./conversation.ts";
import { type Failure, failureReply, isTlsFailure } from "./failure.ts";
import { type Offered, offeredBy } from "./fitted.ts";
import type { Source } from "./pools/pools-file.ts";
import { type Answer, answerOf, flattenReply } from "./reply.ts";
import type { Target } from "./route.ts";
import type { TlsRules } from "./tls-rules.ts";
import type { Try } from "./tries.ts";

export interface Server extends Target {
  /** Uses TLS from the first byte. */
  isSecure?: boolean;
  /** Refuses to continue without TLS. */
  requireTls?: boolean;
  login?: Login | undefined;
  /** What its certificate must be. (Default: with a login valid for its name, else any.) */
  tls?: TlsRules;
  /** Of this machine: the address to connect from, and its name in EHLO. (Default: the system's choice, and --hostname) */
  source?: Source;
}

/** The server could not be used and nothing was handed over; another server may be tried. */
export class Unreachable extends Error {
  readonly answer: Answer;
  /** No server spoke: whoever else has mail for it would find the same. */
  readonly isSilent: boolean;

  constructor(answer: Answer, isSilent = false) {
    super(answer.smtpReply);
    this.answer = answer;
    this.isSilent = isSilent;
  }
}

class TlsFailed extends Unreachable {}

const maxConnectMs = 30_000;
const maxGreetingMs = 60_000;
const maxIdleMs = 5 * 60_000;
const maxOpeningMs = 90_000;

/** A connection to a server that is ready for a transaction. */
export interface Session {
  server: Server;
  conversation: Conversation;
  offered: Offered;
  /** Version and cipher of TLS. */
  tls: string | null;
  /** What was said until it was ready, for the transcripts of all mails that use it. */
  opening: readonly string[];
  openedAt: number;
  /** How many transactions were begun. */
  used: number;
}

/** RFC 5321 §3.1 to §3.3: connects, greets, and signs in if the server has a login. Throws Unreachable. */
export async function openSession(server: Server, hostname: string, attempt: Try): Promise<Session> {
  try {
    return await openOnce(server, hostname, attempt, server.tls?.isOff !== true);
  } catch (error) {
    // TLS is opportunistic: when it fails, mail goes unencrypted, as it would to a server without TLS.
    if (!(error instanceof TlsFailed) || server.isSecure || needsTls(server)) throw error;
    attempt.note(`${error.answer.smtpReply}; again without TLS`);
    return openOnce(server, hostname, attempt, false);
  }
}

const needsTls = ({ requireTls, tls }: Server) => requireTls === true || tls?.isRequired === true;

async function openOnce(server: Server, hostname: string, attempt: Try, useTls: boolean): Promise<Session> {
  const { source } = server;
  const place = { host: server.address, port: server.port, ...(source && { localAddress: source.address }) };
  let conversation: Conversation | undefined;
  try {
    conversation = await Conversation.open(place, { listener: attempt, maxConnectMs, maxIdleMs });
    const opening = greet(conversation, server, source?.name ?? hostname, useTls);
    const offered = await withTimeout(opening, maxOpeningMs, server.name);
    const tls = cipherOf(conversation);
    if (server.login) await authenticate(conversation, server.login, offered.authentication);
    return { server, conversation, offered, tls, opening: attempt.lines, openedAt: Date.now(), used: 0 };
  } catch (error) {
    conversation?.destroy();
    throw unreachable(error as Failure, server);
  }
}

/** Everything up to the last EHLO. */
async function greet(conversation: Conversation, server: Server, hostname: string, useTls: boolean): Promise<Offered> {
  if (server.isSecure) await secure(conversation, server);
  const greeting = await withTimeout(conversation.reply(), maxGreetingMs, server.name).catch(lateGreeting);
  if (greeting.code !== 220) throw refused(greeting);
  const offered = await hello(conversation, hostname);
  if (server.isSecure || !useTls) return offered;
  // What hides STARTTLS from us must not get the mail: it is asked for all the same.
  if (!offered.startTls && !needsTls(server)) {
    server.tls?.observe?.(undefined);
    return offered;
  }
  const reply = await conversation.command("STARTTLS");
  if (reply.code !== 220) {
    const failure = Object.assign(refused(reply), { code: "ETLS" });
    server.tls?.observe?.(failure);
    if (!needsTls(server)) return offered;
    throw failure;
  }
  await secure(conversation, server);
  return hello(conversation, hostname);
}

function lateGreeting(error: Failure): never {
  throw error.code === "ETIMEOUT" ? Object.assign(error, { code: "GREETING_TIMEOUT" }) : error;
}

/** RFC 5321 §3.2: EHLO, or HELO where it is unknown. */
async function hello(conversation: Conversation, hostname: string): Promise<Offered> {
  const extended = await conversation.command(`EHLO ${hostname}`);
  if (extended.code === 250) return offeredBy(extended.text);
  if (extended.code < 500) throw refused(extended);
  const plain = await conversation.command(`HELO ${hostname}`);
  if (plain.code !== 250) throw refused(plain);
  return offeredBy("");
}

async function secure(conversation: Conversation, server: Server): Promise<void> {
  await conversation.startTls(tlsOptions(server), maxIdleMs).catch((error: Failure) => {
    server.tls?.observe?.(error);
    throw error;
  });
  server.tls?.observe?.(conversation.tls);
  const why = server.tls?.refuses?.(conversation.tls!);
  if (why !== undefined) throw Object.assign(new Error(why), { code: "ETLS" });
}

function tlsOptions({ name, login, tls }: Server): ConnectionOptions {
  return {
    rejectUnauthorized: login !== undefined || tls?.names !== undefined,
    ...(tls?.names && { checkServerIdentity: validFor(tls.names) }),
    // An IP address is not a valid server name for TLS (RFC 6066 §3).
    ...(!isIP(name) && { servername: tls?.servername ?? name }),
  };
}

/** RFC 9525: valid for one of the names. */
const validFor = (names: readonly string[]) => (_: string, certificate: PeerCertificate) => {
  const errors = names.map((name) => checkServerIdentity(name, certificate));
  return errors.includes(undefined) ? undefined : errors[0];
};

function cipherOf({ tls }: Conversation): string | null {
  if (!tls) return null;
  const { standardName, name } = tls.getCipher();
  return `${tls.getProtocol()} ${standardName ?? name}`;
}

const refused = ({ text }: Reply): Failure => Object.assign(new Error(text), { response: text });

function unreachable(error: Failure, server: Server): Unreachable {
  if (isTlsFailure(error)) return new TlsFailed(answerOf(failureReply(error, server), server.name));
  const said = replyIn(error);
  return new Unreachable(answerOf(said ?? failureReply(error, server), server.name), said === undefined);
}

/** The reply with which a server refused, if that is what a failure tells. */
export function replyIn({ response }: Failure): string | undefined {
  return response !== undefined && /^[45]\d\d/.test(response) ? flattenReply(response) : undefined;
}
