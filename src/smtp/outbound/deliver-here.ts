import { originComment } from "../../mail/feedback/junk.ts";
import { withoutForgedResults } from "../../mail/submit/forged-results.ts";
import { hasParameter, requireTls } from "../../mail/submit/submit-parameters.ts";
import type { Authentication } from "../../store/core/db.ts";
import { notJudged } from "../../store/mail/authentication.ts";
import { findQuotas } from "../../store/mail/quota.ts";
import type { LeasedDelivery, LeasedSubmission } from "../../store/queues/deliveries.ts";
import type { Destination } from "./destinations.ts";
import type { MailOutOptions } from "./options.ts";
import type { Answer } from "./reply.ts";
import { traceField } from "./trace-field.ts";

/** Delivers to our own users: through the same queue as mail from outside, without SMTP. */
export async function deliverHere(
  { deliveries, accounts }: Destination,
  leased: LeasedSubmission,
  message: Buffer,
  options: MailOutOptions,
): Promise<Answer[]> {
  const full = await fullMailboxes(deliveries, accounts, message.length, options);
  const recipients = deliveries.flatMap(({ no, rcptTo }) => {
    const entry = accounts.get(no);
    return entry === undefined || full.has(no) ? [] : [{ address: rcptTo, userId: entry.userId, entry }];
  });
  if (recipients.length > 0) {
    const origin = await options.returnPaths.origin(leased, leased.sendAt);
    const header = `Return-Path: <${leased.mailFrom}>\r\n${traceField(leased, options, originComment(origin))}`;
    await options.incoming.accept({
      id: deliveries[0]!.incomingId,
      message: Buffer.concat([Buffer.from(header), withoutForgedResults(message, options.hostname)]),
      mailFrom: leased.mailFrom,
      recipients,
      requiresTls: hasParameter(leased.parameters, requireTls),
      authentication: authenticationOf(leased),
    });
  }
  return deliveries.map(({ no }) => {
    if (full.has(no)) return { kind: "deferred", smtpReply: "452 4.2.2 this mailbox is full", isUntried: true };
    if (accounts.has(no)) return { kind: "delivered", smtpReply: "250 2.1.5 delivered" };
    return { kind: "failed", smtpReply: "550 5.1.1 no such address here" };
  });
}

/** RFC 8601 §2.7.4: whoever sends from here has signed in, and owns the address; what the server sends by itself has nobody behind it. */
function authenticationOf({ mailFrom, isAutomatic }: LeasedSubmission): Authentication {
  const isSigned = mailFrom !== "" && !isAutomatic;
  return { ...(isSigned && { auth: { result: "pass", identity: mailFrom } }), ...notJudged() };
}

/** The same check as at RCPT. Skips messages that an earlier attempt may have delivered. */
async function fullMailboxes(
  deliveries: LeasedDelivery[],
  accounts: Destination["accounts"],
  bytes: number,
  { store }: MailOutOptions,
): Promise<Set<number>> {
  const fresh = deliveries.filter(({ isFresh }) => isFresh).map(({ no }) => no);
  // What only goes on to others takes no room.
  const accountOf = (no: number) => (accounts.get(no)?.keepsCopy ? accounts.get(no)!.userId : undefined);
  const quotas = await findQuotas(
    store.database,
    fresh.flatMap((no) => accountOf(no) ?? []),
  );
  return new Set(
    fresh.filter((no) => {
      const quota = quotas.get(accountOf(no) ?? 0);
      return quota !== undefined && quota.used + bytes > quota.limit;
    }),
  );
}
