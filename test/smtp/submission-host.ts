import { randomBytes } from "node:crypto";
import { createAuthenticator } from "../../src/auth/authenticator.ts";
import type { Authenticator } from "../../src/auth/login.ts";
import { OwnCounts } from "../../src/base/own-counts.ts";
import type { SmtpIn } from "../../src/smtp/inbound/server.ts";
import { createSubmission } from "../../src/smtp/inbound/submission.ts";
import type { MailHost } from "./host.ts";

export interface SubmissionDoors {
  /** STARTTLS. */
  port: number;
  /** TLS from the first byte. */
  tlsPort: number;
  authenticator: Authenticator;
  stop(): Promise<void>;
}

/** Both ports for our own users, on loopback. */
export async function listenForUsers(
  host: MailHost,
  { maxMessageSize = 200_000, maxConnections = 100, hasSendingLimits = false } = {},
): Promise<SubmissionDoors> {
  const { store, blobs, scanners, clock, log, mailLog, database, heard } = host;
  const counts = new OwnCounts({ clock });
  const authenticator = createAuthenticator({ store, clock, log, counts });
  const own = { store, blobs, scanners, clock, log, mailLog, database, newId: () => host.incoming.newId() };
  const options = { ...own, events: heard.events, counts, authenticator, maxMessageSize };
  const more = { hostname: "mx.posthorn.test", random: randomBytes, maxConnections, hasSendingLimits };
  const open = (isImplicitTls: boolean) => createSubmission({ ...options, ...more, isImplicitTls });
  const servers: SmtpIn[] = [await open(false), await open(true)];
  const [port, tlsPort] = await Promise.all(servers.map((server) => server.listen("127.0.0.1", 0)));
  const stop = async () => {
    await Promise.all(servers.map((server) => server.close()));
  };
  return { port: port!, tlsPort: tlsPort!, authenticator, stop };
}
