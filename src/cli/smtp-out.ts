import { thisProcess } from "../base/holder.ts";
import type { Config } from "../config/schema.ts";
import { SubmissionHints } from "../mail/hints.ts";
import type { Incoming } from "../mail/incoming.ts";
import { createMailOut, type MailOut } from "../smtp/out/mail-out.ts";
import type { Parts } from "./parts.ts";

/** Mail to other servers, and between our own users. */
export function startSmtpOut(config: Config, parts: Parts, incoming: Incoming): MailOut {
  const { store, blobs } = parts;
  const { resolver, clock, random, log } = parts.surroundings;
  return createMailOut({
    store,
    blobs,
    incoming,
    resolver,
    clock,
    random,
    log,
    holder: thisProcess,
    hostname: config.hostname,
    mxPort: config.mxPort,
    allowPrivateTargets: config.allowPrivateTargets,
    smarthost: config.smarthost || undefined,
    retrySchedule: config.retrySchedule,
    retryFor: config.retryFor,
  });
}

/** Every process that may write submissions tells the workers of them. */
export function hintSubmissions({ store, surroundings }: Parts, mailOut: MailOut | undefined): void {
  const { clock, log } = surroundings;
  const hints = new SubmissionHints({ database: store.database, clock, log, wake: () => mailOut?.wake() });
  const before = store.onCommit;
  store.onCommit = (change) => {
    before(change);
    hints.noticed(change);
  };
}
