import { readFile } from "node:fs/promises";
import { thisProcess } from "../base/holder.ts";
import type { DomainRoute } from "../config/domain-route.ts";
import type { Config } from "../config/schema.ts";
import type { Incoming } from "../mail/deliver/incoming.ts";
import { SubmissionHints } from "../mail/submit/hints.ts";
import { createMailOut, type MailOut } from "../smtp/outbound/mail-out.ts";
import type { Sources } from "../smtp/outbound/pools/sources.ts";
import type { FindTlsRules } from "../smtp/outbound/tls-rules.ts";
import { Failure } from "./fail.ts";
import type { Parts } from "./parts.ts";

/** Starts delivery to other servers, from these addresses of ours, and between our own users. */
export async function startSmtpOut(
  config: Config,
  parts: Parts,
  { incoming, sources, tlsRules }: { incoming: Incoming; sources: Sources | undefined; tlsRules: FindTlsRules },
): Promise<MailOut> {
  const { store, blobs, bus, events, counts, mailLog, scanners } = parts;
  const { resolver, clock, random, log } = parts.surroundings;
  const mailOut = createMailOut({
    store,
    blobs,
    incoming,
    returnPaths: parts.returnPaths,
    signsReturnPath: config.signedReturnPath,
    resolver,
    clock,
    random,
    log,
    mailLog,
    events,
    counts,
    scanners,
    holder: thisProcess,
    hostname: config.hostname,
    mxPort: config.mxPort,
    allowPrivateTargets: config.allowPrivateTargets,
    smarthost: config.smarthost || undefined,
    tlsRules,
    routes: await serversOf(config.routes),
    sources,
    retrySchedule: config.retrySchedule,
    retryFor: config.retryFor,
    delayWarning: config.delayWarning,
  });
  bus.onQueued(sparingly(() => mailOut.wake()));
  return mailOut;
}

/** The URLs of the servers by domain, with their logins. */
async function serversOf(routes: DomainRoute[]): Promise<Map<string, string>> {
  const read = (path: string) =>
    readFile(path, "utf8").catch((error: Error) => {
      throw new Failure(`the login of a route cannot be read: ${error.message}`);
    });
  const servers = new Map<string, string>();
  for (const { domain, server, loginFile } of routes) {
    const url = new URL(server);
    const [, user, password] =
      loginFile === undefined ? [] : (/^([^:\r\n]+):([^\r\n]+)/.exec(await read(loginFile)) ?? []);
    if (loginFile !== undefined && user === undefined)
      throw new Failure(`${loginFile} has no user:password in its first line`);
    const login = user === undefined ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(password!)}@`;
    servers.set(domain, `${url.protocol}//${login}${url.host}`);
  }
  return servers;
}

/** All senders are told of what other processes queue, so none of them looks more often than this. */
const restMs = 50;

/** Calls `work` at once, but while that was less than `restMs` ago, once at its end. */
function sparingly(work: () => void): () => void {
  let lastAt = Number.NEGATIVE_INFINITY;
  let isPlanned = false;
  const run = () => {
    isPlanned = false;
    lastAt = performance.now();
    work();
  };
  return () => {
    if (isPlanned) return;
    const waitMs = lastAt + restMs - performance.now();
    if (waitMs <= 0) return run();
    isPlanned = true;
    setTimeout(run, waitMs).unref();
  };
}

/**
 * Adds hints for the submissions that this process commits, so that senders find them without a scan, and tells the senders:
 * this process, or else the others.
 */
export function hintSubmissions({ store, bus, surroundings }: Parts, mailOut: MailOut | undefined): void {
  const { clock, log } = surroundings;
  const wake = () => (mailOut ? mailOut.wake() : bus.publish({ queued: "submissions" }));
  const hints = new SubmissionHints({ database: store.database, clock, log, wake });
  const before = store.onCommit;
  store.onCommit = (change) => {
    before(change);
    hints.noticed(change);
  };
}
