import type { AddressInfo } from "node:net";
import type { SMTPServerAddress, SMTPServerSession } from "smtp-server";
import type { Events, MailRefused } from "../../base/events.ts";
import type { Log } from "../../base/log.ts";
import { retry } from "../../base/retry.ts";
import { databasePatience, isRetryable } from "../../store/core/database.ts";
import { isStorageTrouble, tellStorageTrouble } from "../../store/core/storage-trouble.ts";
import { ownCertificate } from "./certificate.ts";
import { EagerServer } from "./eager-server.ts";
import { PeerLimits } from "./limits.ts";
import type { SmtpInOptions } from "./options.ts";
import { checkPath } from "./path.ts";
import { receive } from "./receive.ts";
import { checkRoom, findRecipient } from "./recipients.ts";
import { Refusal } from "./reply.ts";

export interface SmtpIn {
  /** Resolves with the port, which is a free one for 0. */
  listen(host: string, port: number): Promise<number>;
  /** Lets messages that are under way be finished. */
  close(): Promise<void>;
}

const maxConnections = 1_000;
const maxRecipients = 1_000;
const closeTime = 5_000;
const sayEvery = 60_000;

type Done = (error?: Error | null, text?: string) => void;

/** Mail from other servers: every address it takes is one of ours. */
export async function createSmtpIn(options: SmtpInOptions): Promise<SmtpIn> {
  const { clock, database, events, hostname, log, maxMessageSize } = options;
  const { cert, key } = options.certificate ?? (await ownCertificate(database, hostname, clock));
  const limits = new PeerLimits(clock);
  const accounts = new WeakMap<SMTPServerAddress, number>();
  const server = new EagerServer(
    {
      name: hostname,
      cert,
      key,
      size: maxMessageSize,
      logger: false,
      hideENHANCEDSTATUSCODES: false,
      // Besides AUTH, jests of the library.
      disabledCommands: ["AUTH", "WIZ", "SHELL", "KILL"],
      authOptional: true,
      disableReverseLookup: true,
      maxClients: maxConnections,
      maxRecipients,
      closeTimeout: closeTime,
      socketTimeout: 5 * 60_000,
      maxCommandLength: 4096,
      onConnect: (session, done) => judge(() => limits.connected(session.remoteAddress), done),
      onClose: (session) => limits.closed(session.remoteAddress, session.id),
      onMailFrom: (address, session, done) =>
        judge(
          () => {
            checkPath("mail", address, session.envelope.smtpUtf8 === true);
            limits.message(session.remoteAddress);
          },
          told("MAIL", done, events),
        ),
      onRcptTo: (address, session, done) =>
        answer(() => judgeRecipient(address, session, { accounts, limits, options }), told("RCPT", done, events), log),
      onData: (stream, session, done) => {
        // The end of a stream that broke off is nobody's error: the peer is gone.
        stream.on("error", () => {});
        answer(() => receive(stream, session, envelopeOf(session, accounts), options), told("DATA", done, events), log);
      },
    },
    clock,
  );
  server.on("error", ({ message, remoteAddress }: Error & { remoteAddress?: string }) =>
    log.debug({ remoteAddress, reason: message }, "smtp connection failed"),
  );
  let saidAt = 0;
  server.on("overfull", () => {
    const now = clock.now().getTime();
    if (now - saidAt < sayEvery) return;
    saidAt = now;
    log.warn(
      { places: maxConnections },
      "all places for mail from other servers are taken: the least useful connections end",
    );
  });
  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        const listening = server.listen(port, host, () => resolve((listening.address() as AddressInfo).port));
        listening.once("error", reject);
      }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** `done`, of whose refusals the listener hears. */
function told(command: MailRefused["command"], done: Done, events: Events): Done {
  return (error, text) => {
    if (error instanceof Refusal) events.mailRefused({ command, replyCode: error.responseCode });
    done(error, text);
  };
}

function judge(rule: () => void, done: Done): void {
  let refusal: Error | undefined;
  try {
    rule();
  } catch (error) {
    refusal = error as Error;
  }
  done(refusal);
}

/** Refusals are told as they are; what nobody foresaw is logged, and the peer tries again later. */
function answer(work: () => Promise<string | undefined>, done: Done, log: Log): void {
  work().then(
    (text) => done(null, text),
    (error: unknown) => {
      if (error instanceof Refusal) return done(error);
      if (isStorageTrouble(error)) {
        tellStorageTrouble(log, error);
        return done(new Refusal(452, "4.3.1 nothing can be stored here at the moment, try again later"));
      }
      if (isRetryable(error)) log.warn({ reason: (error as Error).message }, "smtp command put off");
      else log.error({ err: error }, "smtp command failed");
      done(new Refusal(451, "4.3.0 something went wrong here, try again later"));
    },
  );
}

async function judgeRecipient(
  address: SMTPServerAddress,
  session: SMTPServerSession,
  { accounts, limits, options }: { accounts: WeakMap<object, number>; limits: PeerLimits; options: SmtpInOptions },
): Promise<undefined> {
  const { clock, database, hostname } = options;
  checkPath("rcpt", address, session.envelope.smtpUtf8 === true);
  let userId: number;
  try {
    const find = () => findRecipient(database, address.address, hostname);
    userId = await retry(find, { ...databasePatience, clock });
  } catch (error) {
    if (error instanceof Refusal) {
      limits.unknownRecipient(session.remoteAddress, session.id);
      const { remoteAddress } = session;
      options.log.info({ remoteAddress, to: address.address, reply: error.message }, "recipient refused");
    }
    throw error;
  }
  await checkRoom(database, userId, announcedSize(session));
  accounts.set(address, userId);
  return undefined;
}

/** RFC 1870: what the peer says that the message has. */
function announcedSize({ envelope: { mailFrom } }: SMTPServerSession): number {
  const { SIZE: text } = (mailFrom && (mailFrom.args as Record<string, unknown> | false)) || {};
  return typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

function envelopeOf(session: SMTPServerSession, accounts: WeakMap<object, number>) {
  const { mailFrom, rcptTo } = session.envelope;
  return {
    mailFrom: mailFrom ? mailFrom.address : "",
    recipients: rcptTo.map((one) => ({ address: one.address, userId: accounts.get(one)! })),
  };
}
