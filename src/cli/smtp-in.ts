import type { Config } from "../config/schema.ts";
import type { Address, ListenPlace } from "../config/values.ts";
import type { Incoming } from "../mail/deliver/incoming.ts";
import { cachingResolver } from "../smtp/caching-resolver.ts";
import { createLmtp } from "../smtp/inbound/lmtp.ts";
import type { ServerOptions } from "../smtp/inbound/options.ts";
import { createSmtpIn, type SmtpIn } from "../smtp/inbound/server.ts";
import { createSubmission } from "../smtp/inbound/submission.ts";
import { urlOf } from "./door-url.ts";
import type { MailDoor } from "./doors.ts";
import type { Part, Parts } from "./parts.ts";
import { countDmarc } from "./reporting.ts";

/** The connections of a server. Its processes have the same number of them, so each has an equal part of the places. */
const maxConnections = 1_000;

/** Starts the SMTP server for mail from other servers. */
export async function startSmtpIn(config: Config, parts: Parts, incoming: Incoming): Promise<Part> {
  const { blobs, returnPaths, reportCounts } = parts;
  const { clock } = parts.surroundings;
  const resolver = cachingResolver(parts.surroundings.resolver, { clock });
  const server = await createSmtpIn({
    ...serverOptions(config, parts, incoming),
    ...{ blobs, incoming, returnPaths, resolver, dnsLists: config.dnsLists, greylist: config.greylist },
    policies: {
      overrides: new Map(config.dmarcOverride.map(({ domain, word }) => [domain, word])),
      trustedSealers: config.trustedArc,
    },
    ...(reportCounts && { onDmarc: (seen) => countDmarc(reportCounts, seen) }),
  });
  return open("smtp", { place: config.smtp, server }, parts);
}

/** Starts one of the SMTP servers for mail from our own users. */
export async function startSubmission(
  name: "submission" | "submissions",
  address: Address,
  { config, parts, incoming }: { config: Config; parts: Parts; incoming: Incoming },
): Promise<Part> {
  const { store, blobs, scanners, authenticator } = parts;
  const server = await createSubmission({
    ...serverOptions(config, parts, incoming),
    ...{ store, blobs, scanners, authenticator, random: parts.surroundings.random },
    hasSendingLimits: config.sendingLimits,
    isImplicitTls: name === "submissions",
  });
  return open(name, { place: address, server }, parts);
}

/** Starts the LMTP server for mail from a server in front. */
export async function startLmtp(place: ListenPlace, config: Config, parts: Parts, incoming: Incoming): Promise<Part> {
  const { blobs, returnPaths, surroundings } = parts;
  const server = await createLmtp({
    ...serverOptions(config, parts, incoming),
    ...{ blobs, incoming, returnPaths, resolver: surroundings.resolver },
    ...{ peers: config.lmtpPeers, authserv: config.lmtpResults, isLocal: "path" in place },
  });
  return open("lmtp", { place, server }, parts);
}

function serverOptions(config: Config, parts: Parts, incoming: Incoming): ServerOptions {
  const { store, events, counts, mailLog, surroundings } = parts;
  const { clock, log } = surroundings;
  const { hostname, maxMessageSize } = config;
  return {
    ...{ database: store.database, clock, log, mailLog, events, counts, hostname, maxMessageSize },
    newId: () => incoming.newId(),
    maxConnections: Math.ceil(maxConnections / config.workers),
    ...(parts.tls && { certificates: parts.tls.certificates }),
  };
}

async function open(
  name: MailDoor,
  { place, server }: { place: ListenPlace; server: SmtpIn },
  { doors }: Parts,
): Promise<Part> {
  const port = await doors.open(name, place, server.server);
  return { url: urlOf(name, place, port), stop: (ending) => server.close(ending) };
}
