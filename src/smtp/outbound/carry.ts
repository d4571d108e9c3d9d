import { Slots } from "../../base/slots.ts";
import { ScannerAway } from "../../mail/scan/clamd.ts";
import { isRetryable } from "../../store/core/loss.ts";
import { type LeasedDelivery, type LeasedSubmission, noteSent } from "../../store/queues/deliveries.ts";
import { deliverHere } from "./deliver-here.ts";
import { type Destination, destinationsOf } from "./destinations.ts";
import type { Parcel } from "./fitted.ts";
import { messageForms } from "./forms.ts";
import { keepLease, LeaseLost } from "./lease.ts";
import type { MailOutOptions } from "./options.ts";
import { persistently } from "./persistently.ts";
import type { Answer } from "./reply.ts";
import { returnPathOf, withOriginal } from "./return-path.ts";
import type { Sender } from "./send.ts";
import { settle } from "./settle.ts";
import { SigningFailed, sign } from "./sign.ts";
import type { Judged } from "./story.ts";
import { idOf } from "./trace-field.ts";
import { Tries } from "./tries.ts";

/** Only a few messages of this size are in memory at a time. */
const largeBytes = 2_000_000;
const largeOnes = new Slots(8);

/** Makes one attempt for the leased recipients of a submission, each destination on its own. */
export async function carry(leased: LeasedSubmission, sender: Sender, options: MailOutOptions): Promise<void> {
  if (leased.blob.size <= largeBytes) await carryOne(leased, sender, options);
  else await largeOnes.run(() => carryOne(leased, sender, options));
}

async function carryOne(leased: LeasedSubmission, sender: Sender, options: MailOutOptions): Promise<void> {
  const message = await options.blobs.readObject(leased.blob);
  const deliveries = leased.deliveries.filter(({ returnReply }) => returnReply === null);
  const returned = leased.deliveries.filter(({ returnReply }) => returnReply !== null);
  const destinations = deliveries.length > 0 ? await destinationsOf({ ...leased, deliveries }, options) : [];
  const refusal = deliveries.length > 0 ? await scan(message, options) : undefined;
  const messageFor = messageForms(message, (form) => sign(leased, form, options));
  const works = destinations.map(async (destination) => {
    const tries = new Tries(() => options.clock.now());
    const answers = refusal
      ? destination.deliveries.map(() => refusal)
      : await answersOf(destination, { leased, message, messageFor, sender, tries, options });
    if (answers === "lease lost") return;
    await settle(leased, message, { judged: zip(destination.deliveries, answers), tries }, options);
  });
  if (returned.length > 0) works.push(giveBack(leased, message, returned, options));
  for (const result of await Promise.allSettled(works)) if (result.status === "rejected") throw result.reason;
}

/** An operator wants these returned to their sender. */
function giveBack(leased: LeasedSubmission, message: Buffer, deliveries: LeasedDelivery[], options: MailOutOptions) {
  const judged = deliveries.map((delivery) => {
    return { delivery, answer: { kind: "failed" as const, smtpReply: delivery.returnReply! } };
  });
  return settle(leased, message, { judged, tries: new Tries(() => options.clock.now()) }, options);
}

/** The answer for all recipients of a message that has a virus, or can't be scanned now. */
async function scan(message: Buffer, { scanners, log }: MailOutOptions): Promise<Answer | undefined> {
  try {
    const virus = await scanners.findVirus(message);
    return virus === undefined
      ? undefined
      : { kind: "failed", smtpReply: `554 5.7.1 not sent: it has the virus ${virus}` };
  } catch (error) {
    if (!(error instanceof ScannerAway)) throw error;
    log.warn({ reason: error.message }, "outgoing mail is held until it can be scanned");
    return { kind: "deferred", smtpReply: "451 4.7.1 it waits for the virus scanner", isUntried: true };
  }
}

const zip = (deliveries: LeasedDelivery[], answers: Answer[]): Judged[] =>
  deliveries.map((delivery, index) => ({ delivery, answer: answers[index]! }));

interface Load {
  leased: LeasedSubmission;
  message: Buffer;
  messageFor: Parcel["messageFor"];
  sender: Sender;
  tries: Tries;
  options: MailOutOptions;
}

async function answersOf(
  destination: Destination,
  { leased, message, messageFor, sender, tries, options }: Load,
): Promise<Answer[] | "lease lost"> {
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
  return isRetryable(error) ? deferred : { ...deferred, cause: "local" };
}
