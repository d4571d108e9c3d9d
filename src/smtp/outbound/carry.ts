import { Slots } from "../../base/slots.ts";
import { ScannerAway } from "../../mail/scan/clamd.ts";
import { isRetryable } from "../../store/core/loss.ts";
import {
  type LeasedDelivery,
  type LeasedSubmission,
  noteSent,
  putBackUnscanned,
  unscannedReply,
} from "../../store/queues/deliveries.ts";
import { OthersFirst } from "../../store/queues/incoming.ts";
import { deliverHere } from "./deliver-here.ts";
import { type Destination, destinationsOf } from "./destinations.ts";
import type { Parcel } from "./fitted.ts";
import { messageForms } from "./forms.ts";
import { keepLease, LeaseLost } from "./lease.ts";
import type { MailOutOptions } from "./options.ts";
import { persistently } from "./persistently.ts";
import type { Answer } from "./reply.ts";
import { returnPathOf, withOriginal } from "./return-path.ts";
import type { ScanGate } from "./scan-gate.ts";
import type { Sender } from "./send.ts";
import { settle } from "./settle.ts";
import { SigningFailed, sign } from "./sign.ts";
import type { Judged } from "./story.ts";
import { idOf } from "./trace-field.ts";
import { Tries } from "./tries.ts";

/** Only a few messages of this size are in memory at a time. */
const largeBytes = 2_000_000;
const largeOnes = new Slots(8);

export interface Means {
  sender: Sender;
  gate: ScanGate;
  options: MailOutOptions;
}

/**
 * Makes one attempt for the leased recipients of a submission, each destination on its own. Resolves with whether some were
 * put back because the virus scanner is away.
 */
export function carry(leased: LeasedSubmission, means: Means): Promise<boolean> {
  if (leased.blob.size <= largeBytes) return carryOne(leased, means);
  return largeOnes.run(() => carryOne(leased, means));
}

async function carryOne(leased: LeasedSubmission, means: Means): Promise<boolean> {
  const { gate, options } = means;
  const deliveries = leased.deliveries.filter(({ returnReply }) => returnReply === null);
  const returned = leased.deliveries.filter(({ returnReply }) => returnReply !== null);
  if (gate.isShut && returned.length === 0) return putBack(leased, deliveries, options);
  const message = await options.blobs.readObject(leased.blob);
  const works: Promise<boolean>[] = [];
  if (returned.length > 0) works.push(giveBack(leased, message, returned, options));
  if (deliveries.length > 0) works.push(sendOut({ ...leased, deliveries }, message, means));
  return anyOf(works);
}

/** Waits for all. */
async function anyOf(works: Promise<boolean>[]): Promise<boolean> {
  let any = false;
  for (const result of await Promise.allSettled(works)) {
    if (result.status === "rejected") throw result.reason;
    any ||= result.value;
  }
  return any;
}

async function sendOut(leased: LeasedSubmission, message: Buffer, means: Means): Promise<boolean> {
  const { gate, options } = means;
  const destinations = await destinationsOf(leased, options);
  const refusal = await scan(message, gate);
  if (refusal === "unscanned") return putBack(leased, leased.deliveries, options);
  const messageFor = messageForms(message, (form) => sign(leased, form, options));
  const works = destinations.map(async (destination) => {
    const tries = triesOf(destination, options);
    const answers = refusal
      ? destination.deliveries.map(() => refusal)
      : await answersOf(destination, { leased, message, messageFor, tries, ...means });
    if (answers === "lease lost") return false;
    if (answers === "unscanned") return putBack(leased, destination.deliveries, options);
    await settle(leased, message, { judged: zip(destination.deliveries, answers), tries }, options);
    return false;
  });
  return anyOf(works);
}

function triesOf({ deliveries }: Destination, { clock }: MailOutOptions): Tries {
  const tries = new Tries(() => clock.now());
  const [since] = deliveries.flatMap(({ unscannedSince }) => unscannedSince ?? []);
  if (since) tries.hasWaited(since, unscannedReply);
  return tries;
}

/** They wait for the virus scanner, as if nothing had been tried. */
async function putBack(
  leased: LeasedSubmission,
  deliveries: LeasedDelivery[],
  { store, holder, mailLog }: MailOutOptions,
): Promise<true> {
  await putBackUnscanned(store, leased, deliveries, holder.name);
  const fresh = deliveries.filter(({ unscannedSince }) => unscannedSince === null);
  if (fresh.length === 0) return true;
  const about = { id: idOf(deliveries), account: leased.userId, submission: leased.submissionId };
  const step = { ...about, from: leased.mailFrom, to: fresh.map(({ rcptTo }) => rcptTo) };
  mailLog.tell("mail held", { ...step, reply: unscannedReply }, "warn");
  return true;
}

/** An operator wants these returned to their sender. */
async function giveBack(
  leased: LeasedSubmission,
  message: Buffer,
  deliveries: LeasedDelivery[],
  options: MailOutOptions,
): Promise<false> {
  const judged = deliveries.map((delivery) => {
    return { delivery, answer: { kind: "failed" as const, smtpReply: delivery.returnReply! } };
  });
  await settle(leased, message, { judged, tries: new Tries(() => options.clock.now()) }, options);
  return false;
}

/** The answer for all recipients of a message that has a virus. */
async function scan(message: Buffer, gate: ScanGate): Promise<Answer | "unscanned" | undefined> {
  try {
    const virus = await gate.findVirus(message);
    return virus === undefined
      ? undefined
      : { kind: "failed", smtpReply: `554 5.7.1 not sent: it has the virus ${virus}` };
  } catch (error) {
    if (!(error instanceof ScannerAway)) throw error;
    return "unscanned";
  }
}

const zip = (deliveries: LeasedDelivery[], answers: Answer[]): Judged[] =>
  deliveries.map((delivery, index) => ({ delivery, answer: answers[index]! }));

interface Load extends Means {
  leased: LeasedSubmission;
  message: Buffer;
  messageFor: Parcel["messageFor"];
  tries: Tries;
}

async function answersOf(
  destination: Destination,
  { leased, message, messageFor, sender, gate, tries, options }: Load,
): Promise<Answer[] | "lease lost" | "unscanned"> {
  let answers: Answer[];
  try {
    if (destination.isLocal) return await deliverHere(destination, leased, message, options);
    const recipients = destination.deliveries.map(({ rcptTo }) => rcptTo);
    const mailFrom = await returnPathOf(leased, message, options);
    const isSigned = mailFrom !== leased.mailFrom;
    const rcptParameters = new Map(
      destination.deliveries.map(({ rcptTo, parameters }) => [
        rcptTo,
        isSigned ? withOriginal(parameters, rcptTo) : parameters,
      ]),
    );
    const parcel = { mailFrom, recipients, parameters: leased.parameters, rcptParameters, messageFor };
    answers = await sender.send(destination, parcel, tries, () => keepLease(leased, destination, options));
  } catch (error) {
    if (error instanceof LeaseLost) return "lease lost";
    // Of mail to our own users, which is scanned again as it comes in.
    if (error instanceof ScannerAway) {
      gate.shut(error);
      return "unscanned";
    }
    const about = { id: idOf(destination.deliveries), account: leased.userId, submission: leased.submissionId };
    options.mailLog.tell("attempt to deliver failed", { ...about, reason: (error as Error).message }, "warn");
    const answer = troubleOf(error);
    (tries.list.at(-1) ?? tries.begin()).ended([answer]);
    return destination.deliveries.map(() => answer);
  }
  const sent = zip(destination.deliveries, answers).filter(({ answer }) => answer.kind === "relayed");
  const notes = sent.map(({ delivery: { no }, answer: { smtpReply } }) => ({ no, smtpReply }));
  const { store, holder } = options;
  if (notes.length > 0) await persistently(() => noteSent(store.database, leased, notes, holder.name), options);
  return answers;
}

/** Something of ours failed: only what passes by itself, as when the database is away, is nobody's concern. */
function troubleOf(error: unknown): Answer {
  const deferred = { kind: "deferred", smtpReply: "451 4.3.0 local error, will try again" } as const;
  if (error instanceof SigningFailed) return { ...deferred, cause: "sign" };
  return isRetryable(error) || error instanceof OthersFirst ? deferred : { ...deferred, cause: "local" };
}
