import { encodeId } from "../../base/ids.ts";
import { retry } from "../../base/retry.ts";
import { Slots } from "../../base/slots.ts";
import { type NewMail, withTerms, writeMails } from "../../mail/deliver/ingest.ts";
import { prepare } from "../../mail/deliver/preparer.ts";
import { dkimSignature } from "../../mail/submit/dkim.ts";
import { type FailedRecipient, failureReport } from "../../mail/submit/dsn.ts";
import { withoutForgedResults } from "../../mail/submit/forged-results.ts";
import { mailDate } from "../../mail/submit/mail-date.ts";
import { parameterOf } from "../../mail/submit/submit-parameters.ts";
import { asAddresses, parseHeader } from "../../mime/headers.ts";
import { headerEnd } from "../../mime/walk.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import { isRetryable } from "../../store/core/database.ts";
import { CommitError } from "../../store/core/errors.ts";
import type { Tx } from "../../store/core/store.ts";
import { findAddress, findDomain, splitAddress } from "../../store/directory/directory.ts";
import { findQuota } from "../../store/mail/quota.ts";
import {
  type DeliveryOutcome,
  type LeasedDelivery,
  type LeasedSubmission,
  noteSent,
  recordOutcomes,
  renewLease,
} from "../../store/queues/deliveries.ts";
import type { Parcel } from "./fitted.ts";
import { messageForms } from "./forms.ts";
import type { MailOutOptions } from "./options.ts";
import type { Answer } from "./reply.ts";
import { nextAttempt } from "./retry.ts";
import type { Sender } from "./send.ts";

/** Recipients that one transaction serves. `account`: they are ours. */
interface Destination {
  domain: string;
  isLocal: boolean;
  deliveries: LeasedDelivery[];
  accounts: Map<number, number>;
}

/** Messages of this size are in memory a few at a time. */
const large = 2_000_000;
const largeOnes = new Slots(8);

/** One attempt for the leased recipients of a submission, each destination for itself. */
export async function carry(leased: LeasedSubmission, sender: Sender, options: MailOutOptions): Promise<void> {
  if (leased.blob.size <= large) await carryOne(leased, sender, options);
  else await largeOnes.run(() => carryOne(leased, sender, options));
}

async function carryOne(leased: LeasedSubmission, sender: Sender, options: MailOutOptions): Promise<void> {
  const message = await options.blobs.readObject(leased.blob);
  const destinations = await destinationsOf(leased, options);
  const messageFor = messageForms(message, (form) => sign(leased, form, options));
  const results = await Promise.allSettled(
    destinations.map(async (destination) => {
      const answers = await answersOf(destination, { leased, message, messageFor, sender, options });
      if (answers === "lease lost") return;
      await settle(leased, message, zip(destination.deliveries, answers), options);
    }),
  );
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

type Judged = { delivery: LeasedDelivery; answer: Answer };

const zip = (deliveries: LeasedDelivery[], answers: Answer[]): Judged[] =>
  deliveries.map((delivery, index) => ({ delivery, answer: answers[index]! }));

async function destinationsOf(leased: LeasedSubmission, { store }: MailOutOptions): Promise<Destination[]> {
  const destinations = new Map<string, Destination>();
  for (const delivery of leased.deliveries) {
    const domain = splitAddress(delivery.rcptTo)?.domain ?? "";
    const account = await findAddress(store.database, delivery.rcptTo);
    const isLocal = account !== undefined || (await findDomain(store.database, domain)) !== undefined;
    // All of ours go together, since they share one message in the queue of incoming mail.
    const key = isLocal ? `local ${delivery.incomingId}` : domain;
    const fresh: Destination = { domain, isLocal, deliveries: [], accounts: new Map() };
    const destination = destinations.get(key) ?? fresh;
    destinations.set(key, destination);
    destination.deliveries.push(delivery);
    if (account !== undefined) destination.accounts.set(delivery.no, account);
  }
  return [...destinations.values()];
}

interface Load {
  leased: LeasedSubmission;
  message: Buffer;
  messageFor: Parcel["messageFor"];
  sender: Sender;
  options: MailOutOptions;
}

async function answersOf(
  destination: Destination,
  { leased, message, messageFor, sender, options }: Load,
): Promise<Answer[] | "lease lost"> {
  let answers: Answer[];
  try {
    if (destination.isLocal) return await deliverHere(destination, leased, message, options);
    const recipients = destination.deliveries.map(({ rcptTo }) => rcptTo);
    const rcptParameters = new Map(destination.deliveries.map(({ rcptTo, parameters }) => [rcptTo, parameters]));
    const parcel = { mailFrom: leased.mailFrom, recipients, parameters: leased.parameters, rcptParameters, messageFor };
    answers = await sender.send(destination.domain, parcel, () => keepLease(leased, destination, options));
  } catch (error) {
    if (error instanceof LeaseLost) return "lease lost";
    options.log.warn({ submission: leased.submissionId, err: error }, "attempt to deliver failed");
    return destination.deliveries.map(() => ({ kind: "deferred", smtpReply: "451 4.3.0 trouble on our side" }));
  }
  const sent = zip(destination.deliveries, answers).filter(({ answer }) => answer.kind === "relayed");
  const notes = sent.map(({ delivery: { no }, answer: { smtpReply } }) => ({ no, smtpReply }));
  const { store, holder } = options;
  if (notes.length > 0) await persistently(() => noteSent(store.database, leased, notes, holder.name), options);
  return answers;
}

class LeaseLost extends Error {}

const freshLease = 4 * 60_000;

/** A message that has long waited for its turn: the lease must outlast the attempt, or another process makes it too. */
async function keepLease(
  leased: LeasedSubmission,
  { deliveries }: Destination,
  { store, clock, holder }: MailOutOptions,
): Promise<void> {
  const now = clock.now().getTime();
  if (now - leased.leasedAt.getTime() < freshLease) return;
  const until = new Date(now + leased.leasedUntil.getTime() - leased.leasedAt.getTime());
  const nos = deliveries.map(({ no }) => no);
  if (!(await renewLease(store.database, leased, nos, { holder: holder.name, until }))) throw new LeaseLost();
}

/** Mail between our own users: the same way in, without SMTP. */
async function deliverHere(
  { deliveries, accounts }: Destination,
  leased: LeasedSubmission,
  message: Buffer,
  options: MailOutOptions,
): Promise<Answer[]> {
  const full = await fullMailboxes(deliveries, accounts, message.length, options);
  const recipients = deliveries.flatMap(({ no, rcptTo }) => {
    const userId = accounts.get(no);
    return userId === undefined || full.has(no) ? [] : [{ address: rcptTo, userId }];
  });
  if (recipients.length > 0) {
    const header = `Return-Path: <${leased.mailFrom}>\r\n${traceField(leased, options)}`;
    await options.incoming.accept({
      id: deliveries[0]!.incomingId,
      message: Buffer.concat([Buffer.from(header), withoutForgedResults(message, options.hostname)]),
      mailFrom: leased.mailFrom,
      recipients,
    });
  }
  return deliveries.map(({ no }) => {
    if (full.has(no)) return { kind: "deferred", smtpReply: "452 4.2.2 this mailbox is full", isUntried: true };
    if (accounts.has(no)) return { kind: "delivered", smtpReply: "250 2.1.5 delivered" };
    return { kind: "failed", smtpReply: "550 5.1.1 no such address here" };
  });
}

/** As at RCPT. What an attempt before may have delivered is not judged again. */
async function fullMailboxes(
  deliveries: LeasedDelivery[],
  accounts: Map<number, number>,
  bytes: number,
  { store }: MailOutOptions,
): Promise<Set<number>> {
  const full = new Set<number>();
  for (const { no, isFresh } of deliveries) {
    const userId = accounts.get(no);
    const quota = isFresh && userId !== undefined ? await findQuota(store.database, userId) : undefined;
    if (quota && quota.used + bytes > quota.limit) full.add(no);
  }
  return full;
}

/** RFC 5321 §4.4, the same at each attempt. */
function traceField({ submissionId, sendAt }: LeasedSubmission, { hostname }: MailOutOptions): string {
  return `Received: by ${hostname} id ${encodeId("s", submissionId)};\r\n ${mailDate(sendAt)}\r\n`;
}

async function sign(leased: LeasedSubmission, message: Buffer, options: MailOutOptions): Promise<Buffer> {
  const from = parseHeader(message.subarray(0, headerEnd(message))).find(({ name }) => /^from$/i.test(name));
  const author = splitAddress(asAddresses(from?.value ?? "")[0]?.email ?? "");
  const domain = author && (await findDomain(options.store.database, author.domain));
  const key = domain?.dkimKey && { domain: domain.name, selector: domain.dkimSelector, privateKey: domain.dkimKey };
  const signature = key ? await dkimSignature(message, key, options.clock.now()) : "";
  return Buffer.concat([Buffer.from(signature + traceField(leased, options)), message]);
}

/** Writes down the answers; a final failure brings a report into the sender's inbox, in the same transaction. */
async function settle(
  leased: LeasedSubmission,
  message: Buffer,
  judged: Judged[],
  options: MailOutOptions,
): Promise<void> {
  const { store, holder, log, events } = options;
  const outcomes = judged.map(({ delivery, answer }) => outcomeOf(delivery, answer, leased, options));
  const failed = judged.flatMap(({ delivery, answer }, index) =>
    outcomes[index]!.result === "failed" ? [{ delivery, answer, smtpReply: outcomes[index]!.smtpReply }] : [],
  );
  const report = await reportOf(leased, message, failed, options);
  const mails = withTerms(leased.userId, report ? [report] : []);
  const record = async (tx: Tx) => {
    const dsnBlobIds = report ? [encodeBlobId(report.blob.sha256)] : [];
    const isOurs = await recordOutcomes(tx, leased.submissionId, { outcomes, holder: holder.name, dsnBlobIds });
    if (isOurs && report) await writeMails(tx, mails);
    return isOurs;
  };
  const isRecorded = await persistently(() => store.write(leased.userId, record, { ids: report ? 2 : 0 }), options);
  const replies = outcomes.map(({ result, smtpReply }) => `${result}: ${smtpReply}`);
  const fields = { account: leased.userId, submission: leased.submissionId, replies };
  if (!isRecorded) return log.warn(fields, "mail went out after its lease was lost");
  log.info(fields, "mail out");
  for (const { result, smtpReply } of outcomes) events.attemptEnded({ result, smtpReply });
}

/** What a server answered must not be forgotten because the database is away: the mail would go out twice. */
function persistently<T>(work: () => Promise<T>, { clock, log }: MailOutOptions): Promise<T> {
  return retry(work, {
    clock,
    firstPause: 100,
    longestPause: 5_000,
    patience: 10 * 60_000,
    isPassing: (error) => error instanceof CommitError || isRetryable(error),
    onFailure: (error) => log.warn({ reason: (error as Error).message }, "answer not recorded yet"),
  });
}

function outcomeOf(
  { no, attempts }: LeasedDelivery,
  { kind, smtpReply, isUntried }: Answer,
  { sendAt }: LeasedSubmission,
  options: MailOutOptions,
): DeliveryOutcome {
  const now = options.clock.now();
  if (kind === "deferred") {
    const next = nextAttempt({ attempts, since: sendAt, now }, options, options.random);
    if (next) return { no, smtpReply, result: "deferred", nextAttemptAt: next, delivered: "queued", isUntried };
    return { no, smtpReply, result: "failed", nextAttemptAt: null, delivered: "no" };
  }
  if (kind === "failed") return { no, smtpReply, result: "failed", nextAttemptAt: null, delivered: "no" };
  const delivered = kind === "delivered" ? "yes" : "unknown";
  return { no, smtpReply, result: "sent", nextAttemptAt: null, delivered };
}

async function reportOf(
  leased: LeasedSubmission,
  original: Buffer,
  failures: { delivery: LeasedDelivery; answer: Answer; smtpReply: string }[],
  { blobs, clock, hostname, incoming, random }: MailOutOptions,
): Promise<NewMail | undefined> {
  const failed = failures.flatMap(({ delivery: { rcptTo, parameters }, answer, smtpReply }): FailedRecipient[] =>
    isSilenced(parameterOf(parameters, "NOTIFY"))
      ? []
      : [{ address: rcptTo, original: parameterOf(parameters, "ORCPT"), smtpReply, remote: answer.remote }],
  );
  if (failed.length === 0 || leased.mailFrom === "") return undefined;
  const now = clock.now();
  const envelopeId = parameterOf(leased.parameters, "ENVID");
  const message = failureReport(
    { hostname, to: leased.mailFrom, envelopeId, arrivedAt: leased.sendAt, now, original, failed },
    random,
  );
  const [blob, prepared, incomingId] = await Promise.all([blobs.put(message), prepare(message), incoming.newId()]);
  return { blob, prepared, target: { role: "inbox" }, keywords: [], receivedAt: now, incomingId };
}

/** RFC 3461 §4.1: the sender may not want to hear of failures. */
function isSilenced(notify: string | undefined): boolean {
  return notify !== undefined && !/FAILURE/i.test(notify);
}
