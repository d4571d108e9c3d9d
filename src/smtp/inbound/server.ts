import type { AddressInfo, Server } from "node:net";
import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";
import type { Ending, EndingPatience } from "../../base/ending.ts";
import type { Events, MailRefused } from "../../base/events.ts";
import type { Log } from "../../base/log.ts";
import { traced } from "../../base/traces.ts";
import { ScannerAway } from "../../mail/scan/clamd.ts";
import { BodiesAway } from "../../store/core/errors.ts";
import { isRetryable } from "../../store/core/loss.ts";
import { isStorageTrouble, tellStorageTrouble } from "../../store/core/storage-trouble.ts";
import { ownCertificate } from "./certificate.ts";
import { Conversation } from "./conversation.ts";
import { EagerServer } from "./eager-server.ts";
import type { ServerOptions, SmtpInOptions } from "./options.ts";
import { receive } from "./receive.ts";
import { PeerGone, Refusal } from "./reply.ts";
import type { Stages } from "./stages/stage.ts";
import { createStages } from "./stages/stages.ts";

export interface SmtpIn {
  /** Resolves with the port; 0 picks a free one. */
  listen(host: string, port: number): Promise<number>;
  /** Emits the connections. */
  readonly server: Server;
  /** Lets messages that are under way finish. */
  close(ending?: Ending): Promise<void>;
}

const maxRecipients = 1_000;
const patience: Record<Ending, EndingPatience> = {
  stop: { idleMs: 5_000, maxMs: 10_000 },
  restart: { idleMs: 15_000, maxMs: 90_000 },
};
const warnEveryMs = 60_000;

type Done<Result> = (error: Error | null, result?: Result) => void;

/** What one kind of server does with its peers. */
export interface Service {
  stages: Stages;
  /** Takes a message. Resolves with the reply's text, or in LMTP with a reply for each recipient; throws Refusal. */
  take(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    conversation: Conversation,
  ): Promise<string | readonly (string | Refusal)[]>;
  /** RFC 8314 §3.3: TLS from the first byte. */
  isImplicitTls?: boolean;
  /** RFC 2033 */
  isLmtp?: boolean;
  /** RFC 3461 */
  offersDsn?: boolean;
  /** Further lines of EHLO. */
  extensions?: () => string[];
  /** A check of connect lets in nobody else: no limit applies to the peers. */
  arePeersTrusted?: boolean;
}

/** Receives mail from other servers, for our own addresses only. */
export function createSmtpIn(options: SmtpInOptions, stages = createStages(options)): Promise<SmtpIn> {
  const take: Service["take"] = (stream, session, conversation) => receive(stream, session, conversation, options);
  return createSmtpServer(options, { stages, take });
}

export async function createSmtpServer(options: ServerOptions, service: Service): Promise<SmtpIn> {
  const { clock, database, events, hostname, log, maxConnections, maxMessageSize } = options;
  const {
    stages,
    isImplicitTls = false,
    isLmtp = false,
    offersDsn = false,
    arePeersTrusted = false,
    extensions,
  } = service;
  const { cert, key } = options.certificates?.current ?? (await ownCertificate(database, hostname, clock));
  const conversations = new WeakMap<SMTPServerSession, Conversation>();
  const withPeer = (session: SMTPServerSession) => conversations.get(session)!;
  const server = new EagerServer(
    {
      name: hostname,
      cert,
      key,
      size: maxMessageSize,
      logger: false,
      secure: isImplicitTls,
      lmtp: isLmtp,
      hideDSN: !offersDsn,
      authMethods: ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"],
      ...(extensions && { extensions }),
      // RFC 8689 §2: announced over TLS alone.
      hideREQUIRETLS: isLmtp,
      hideENHANCEDSTATUSCODES: false,
      // AUTH is enabled only when a check can authenticate; the others are joke commands of the library.
      disabledCommands: [...(stages.auth.length === 0 ? ["AUTH"] : []), "WIZ", "SHELL", "KILL"],
      authOptional: true,
      disableReverseLookup: true,
      maxClients: maxConnections,
      maxRecipients,
      socketTimeout: 5 * 60_000,
      maxCommandLength: 4096,
      onConnect: (session, done) => {
        const conversation = new Conversation(session, stages, options, arePeersTrusted);
        conversations.set(session, conversation);
        answer(() => conversation.connected(), done, log);
      },
      // A connection that was turned away before it was judged has no conversation.
      onClose: (session) => conversations.get(session)?.ended(),
      onSecure: (_, session, done) => answer(() => withPeer(session).secured(session), done, log),
      onAuth: (credentials, session, done) =>
        answer(async () => ({ user: await withPeer(session).authenticated(credentials, session) }), done, log),
      onMailFrom: (address, session, done) =>
        answer(() => withPeer(session).sender(address, session), told("MAIL", done, events), log),
      onRcptTo: (address, session, done) =>
        answer(() => withPeer(session).recipient(address, session), told("RCPT", done, events), log),
      onData: (stream, session, done) => {
        // A stream that broke off is not an error: the peer is gone.
        stream.on("error", () => {});
        const about = () => ({ recipients: session.envelope.rcptTo.length });
        const work = () => traced("receive", about, () => service.take(stream, session, withPeer(session)));
        // The library takes a list for LMTP; its types do not say so.
        const replied = done as Done<unknown>;
        const each = () => withPeer(session).accepted;
        answer(work, told("DATA", isLmtp ? oneForEach(each, replied) : replied, events), log);
      },
    },
    clock,
  );
  options.certificates?.onChange((certificate) => server.updateSecureContext(certificate));
  server.on("error", ({ message, remoteAddress }: Error & { remoteAddress?: string }) =>
    log.debug({ remoteAddress, reason: message }, "smtp connection failed"),
  );
  server.on("earlytalker", () => events.checkObjected({ check: "early-talker", verdict: "disconnect" }));
  let warnedAt = 0;
  server.on("overfull", () => {
    const now = clock.now().getTime();
    if (now - warnedAt < warnEveryMs) return;
    warnedAt = now;
    log.warn(
      { places: maxConnections },
      "all places for mail from other servers are taken: closing the least useful connections",
    );
  });
  return {
    server: server.server,
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        const listening = server.listen(port, host, () => resolve((listening.address() as AddressInfo).port));
        listening.once("error", reject);
      }),
    close: (ending = "stop") => server.drain(patience[ending]),
  };
}

/** RFC 2033 §4.2: a refusal of the message is the reply for each recipient. */
function oneForEach(accepted: () => readonly unknown[], done: Done<unknown>): Done<unknown> {
  return (error, replies) => {
    if (error instanceof Refusal)
      done(
        null,
        accepted().map(() => error),
      );
    else done(error, replies);
  };
}

/** Wraps `done` so that refusals are also reported to `events`. */
function told<Result>(command: MailRefused["command"], done: Done<Result>, events: Events): Done<Result> {
  return (error, result) => {
    if (error instanceof Refusal) events.mailRefused({ command, replyCode: error.responseCode });
    done(error, result);
  };
}

/** Refusals are answered as they are. Unexpected errors are logged, and the peer is told to try again later. */
function answer<Result>(work: () => Promise<Result>, done: Done<Result>, log: Log): void {
  work().then(
    (result) => done(null, result),
    (error: unknown) => {
      if (error instanceof Refusal || error instanceof PeerGone) return done(error);
      if (error instanceof ScannerAway) {
        log.warn({ reason: error.message }, "mail put off: it cannot be scanned");
        return done(new Refusal(451, "4.7.1 mail cannot be scanned here at the moment, try again later"));
      }
      if (isStorageTrouble(error)) {
        tellStorageTrouble(log, error);
        if (error instanceof BodiesAway) return done(new Refusal(451, "4.3.0 mail can't be stored here at the moment"));
        return done(new Refusal(452, "4.3.1 nothing can be stored here at the moment, try again later"));
      }
      if (isRetryable(error)) log.warn({ reason: (error as Error).message }, "smtp command put off");
      else log.error({ err: error }, "smtp command failed");
      done(new Refusal(451, "4.3.0 something went wrong here, try again later"));
    },
  );
}
