import { thisProcess } from "../base/holder.ts";
import type { Config } from "../config/schema.ts";
import type { Incoming } from "../mail/deliver/incoming.ts";
import { SubmissionHints } from "../mail/submit/hints.ts";
import { createMailOut, type MailOut } from "../smtp/outbound/mail-out.ts";
import type { Parts } from "./parts.ts";

/** Starts delivery to other servers and between our own users. */
export function startSmtpOut(config: Config, parts: Parts, incoming: Incoming): MailOut {
  const { store, blobs, events } = parts;
  const { resolver, clock, random, log } = parts.surroundings;
  return createMailOut({
    store,
    blobs,
    incoming,
    resolver,
    clock,
    random,
    log,
    events,
    holder: thisProcess,
    hostname: config.hostname,
    mxPort: config.mxPort,
    allowPrivateTargets: config.allowPrivateTargets,
    smarthost: config.smarthost || undefined,
    retrySchedule: config.retrySchedule,
    retryFor: config.retryFor,
  });
}

/** Adds hints for the submissions that this process commits, so that senders find them without a scan. */
export function hintSubmissions({ store, surroundings }: Parts, mailOut: MailOut | undefined): void {
  const { clock, log } = surroundings;
  const hints = new SubmissionHints({ database: store.database, clock, log, wake: () => mailOut?.wake() });
  const before = store.onCommit;
  store.onCommit = (change) => {
    before(change);
    hints.noticed(change);
  };
}
