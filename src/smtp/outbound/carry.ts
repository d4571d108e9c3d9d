import { Slots } from "../../base/slots.ts";
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
import { type Judged, settle } from "./settle.ts";
import { sign } from "./sign.ts";

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

const zip = (deliveries: LeasedDelivery[], answers: Answer[]): Judged[] =>
  deliveries.map((delivery, index) => ({ delivery, answer: answers[index]! }));

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
    const mailFrom = await returnPathOf(leased, message, options);
    const isSigned = mailFrom !== leased.mailFrom;
    const rcptParameters = new Map(
      destination.deliveries.map(({ rcptTo, parameters }) => [
        rcptTo,
        isSigned ? withOriginal(parameters, rcptTo) : parameters,
      ]),
    );
    const parcel = { mailFrom, recipients, parameters: leased.parameters, rcptParameters, messageFor };
    answers = await sender.send(destination.domain, parcel, () => keepLease(leased, destination, options));
  } catch (error) {
    if (error instanceof LeaseLost) return "lease lost";
    options.log.warn({ submission: leased.submissionId, err: error }, "attempt to deliver failed");
    return destination.deliveries.map(() => ({ kind: "deferred", smtpReply: "451 4.3.0 local error, will try again" }));
  }
  const sent = zip(destination.deliveries, answers).filter(({ answer }) => answer.kind === "relayed");
  const notes = sent.map(({ delivery: { no }, answer: { smtpReply } }) => ({ no, smtpReply }));
  const { store, holder } = options;
  if (notes.length > 0) await persistently(() => noteSent(store.database, leased, notes, holder.name), options);
  return answers;
}
