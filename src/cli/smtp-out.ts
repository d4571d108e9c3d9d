import { thisProcess } from "../base/holder.ts";
import type { Log } from "../base/log.ts";
import type { Config } from "../config/schema.ts";
import type { Incoming } from "../mail/deliver/incoming.ts";
import { SubmissionHints } from "../mail/submit/hints.ts";
import type { Metrics } from "../ops/metrics.ts";
import { createMailOut, type MailOut } from "../smtp/outbound/mail-out.ts";
import type { Parts } from "./parts.ts";

/** Mail to other servers, and between our own users. */
export function startSmtpOut(config: Config, parts: Parts, incoming: Incoming): MailOut {
  const { store, blobs, metrics } = parts;
  const { resolver, clock, random } = parts.surroundings;
  const log = counted(parts.surroundings.log, metrics);
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

/** The log tells each recipient's outcome as "sent: 250 …": they are counted on the way. */
function counted(log: Log, metrics: Metrics): Log {
  const count = (fields: { replies?: unknown }) => {
    for (const reply of Array.isArray(fields.replies) ? fields.replies : [])
      metrics.mailOut(String(reply).split(":")[0]!);
  };
  return {
    debug: (fields, event) => log.debug(fields, event),
    info(fields, event) {
      count(fields);
      log.info(fields, event);
    },
    warn: (fields, event) => log.warn(fields, event),
    error: (fields, event) => log.error(fields, event),
  };
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
