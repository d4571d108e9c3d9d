import { Slots } from "../../base/slots.ts";
import { ScannerAway } from "../../mail/scan/clamd.ts";
import { isRetryable } from "../../store/core/loss.ts";
import {
  type LeasedDelivery,
  type LeasedSubmission,
  putBackUnscanned,
  unscannedReply,
} from "../../store/queues/deliveries.ts";
import { OthersFirst } from "../../store/queues/incoming.ts";
import { deliverHere } from "./deliver-here.ts";
import type { Destination } from "./destinations.ts";
import type { Domains } from "./domains.ts";
import type { Parcel } from "./fitted.ts";
import { messageForms } from "./forms.ts";
import { keepLease, LeaseLost } from "./lease.ts";
import type { MailOutOptions } from "./options.ts";
import { poolOf } from "./pools/pool-of.ts";
import type { Recorder } from "./recorder.ts";
import type { Answer } from "./reply.ts";
import { wishOf } from "./require-tls.ts";
import { returnPathOf, withOriginal } from "./return-path.ts";
import type { ScanGate } from "./scan-gate.ts";
import type { Sender } from "./send.ts";
import { settle } from "./settle.ts";
import { SigningFailed, sign } from "./sign.ts";
import type { Judged } from "./story.ts";
import { idOf } from "./trace-field.ts";
import { Tries } from "./tries.ts";

/** A submission whose recipients are leased for an attempt. */
export interface Carried {
  leased: LeasedSubmission;
  /** All recipients but those that go back to the sender. */
  destinations: Destination[];
  domains: Domains;
}

export interface Means {
  sender: Sender;
  recorder: Recorder;
  gate: ScanGate;
  options: MailOutOptions;
}

/** Only a few messages of this size are in memory at a time, so such a message is read again for each destination. */
const largeBytes = 2_000_000;
const largeOnes = new Slots(4);
const localOnes = new Slots(50);

/**
 * Makes one attempt for the leased recipients of a submission, each destination on its own. Resolves with whether some were
 * put back because the virus scanner is away.
 */
export async function carry(carried: Carried, means: Means): Promise<boolean> {
  const attempt = new Attempt(carried, means);
  return attempt.run(carried.destinations);
}

class Attempt {
  readonly #leased: LeasedSubmission;
  readonly #means: Means;
  readonly #domains: Domains;
  readonly #isLarge: boolean;
  #message: Promise<Buffer> | undefined;
  #refusal: Promise<Answer | undefined> | undefined;
  #forms: Parcel["messageFor"] | undefined;

  constructor({ leased, domains }: Carried, means: Means) {
    this.#leased = leased;
    this.#means = means;
    this.#domains = domains;
    this.#isLarge = leased.blob.size > largeBytes;
  }

  async run(destinations: Destination[]): Promise<boolean> {
    // An operator wants these returned to their sender.
    const returned = this.#leased.deliveries.filter(({ returnReply }) => returnReply !== null);
    if (this.#means.gate.isShut && returned.length === 0) return this.#putBack(this.#leased.deliveries);
    const works = destinations.map((destination) => this.#carryTo(destination).finally(() => this.#forget()));
    if (returned.length > 0) works.push(this.#giveBack(returned));
    let isUnscanned = false;
    for (const result of await Promise.allSettled(works)) {
      if (result.status === "rejected") throw result.reason;
      isUnscanned ||= result.value;
    }
    return isUnscanned;
  }

  /** Whether they were put back. */
  async #carryTo(destination: Destination): Promise<boolean> {
    const tries = this.#newTries(destination.deliveries);
    const answers = await this.#answersOf(destination, tries);
    if (answers === "lease lost") return false;
    if (answers === "unscanned") return this.#putBack(destination.deliveries);
    const { userId, submissionId } = this.#leased;
    if (answers instanceof Date) {
      const rows = destination.deliveries.map(({ no }) => ({ submissionId, no, nextAttemptAt: answers }));
      await this.#means.recorder.putOff(userId, rows);
      return false;
    }
    const sent = destination.deliveries.flatMap(({ no }, at) => {
      const { kind, smtpReply } = answers[at]!;
      return kind === "relayed" ? [{ submissionId, no, smtpReply }] : [];
    });
    if (sent.length > 0) await this.#means.recorder.note(userId, sent);
    await this.#settle(zip(destination.deliveries, answers), tries);
    return false;
  }

  /** They wait for the virus scanner, as if nothing had been tried. */
  async #putBack(deliveries: LeasedDelivery[]): Promise<true> {
    const { store, holder, mailLog } = this.#means.options;
    const { userId, submissionId, mailFrom } = this.#leased;
    await putBackUnscanned(store, this.#leased, deliveries, holder.name);
    const fresh = deliveries.filter(({ unscannedSince }) => unscannedSince === null);
    if (fresh.length === 0) return true;
    const about = { id: idOf(deliveries), account: userId, submission: submissionId };
    const step = { ...about, from: mailFrom, to: fresh.map(({ rcptTo }) => rcptTo) };
    mailLog.tell("mail held", { ...step, reply: unscannedReply }, "warn");
    return true;
  }

  async #giveBack(deliveries: LeasedDelivery[]): Promise<false> {
    const judged = deliveries.map((delivery) => {
      return { delivery, answer: { kind: "failed" as const, smtpReply: delivery.returnReply! } };
    });
    await this.#settle(judged, this.#newTries(deliveries));
    return false;
  }

  async #settle(judged: Judged[], tries: Tries): Promise<void> {
    const { recorder, options } = this.#means;
    const record = async () => {
      await settle(this.#leased, { judged, tries, message: await this.#read() }, recorder, options);
    };
    await (this.#isLarge ? largeOnes.run(record) : record());
  }

  /** Never throws for what fails on the way, be it ours or a server's. */
  async #answersOf(destination: Destination, tries: Tries): Promise<Answer[] | Date | "lease lost" | "unscanned"> {
    const { deliveries } = destination;
    try {
      return await (destination.isLocal
        ? (this.#isLarge ? largeOnes : localOnes).run(() => this.#deliverHere(destination))
        : this.#send(destination, tries));
    } catch (error) {
      if (error instanceof LeaseLost) return "lease lost";
      // Mail to our own users is scanned again as it comes in.
      if (error instanceof ScannerAway) {
        this.#means.gate.shut(error);
        return "unscanned";
      }
      const { userId, submissionId } = this.#leased;
      const about = { id: idOf(deliveries), account: userId, submission: submissionId };
      const { mailLog } = this.#means.options;
      mailLog.tell("attempt to deliver failed", { ...about, reason: (error as Error).message }, "warn");
      const answer = troubleOf(error);
      (tries.list.at(-1) ?? tries.begin()).ended([answer]);
      return deliveries.map(() => answer);
    }
  }

  async #deliverHere(destination: Destination): Promise<Answer[]> {
    const refusal = await this.#scan();
    if (refusal) return destination.deliveries.map(() => refusal);
    return deliverHere(destination, this.#leased, await this.#read(), this.#means.options);
  }

  #send(destination: Destination, tries: Tries): Promise<Answer[] | Date> {
    const { userId: account, isBulk } = this.#leased;
    const { clock, scanners } = this.#means.options;
    return this.#means.sender.send({
      way: destination,
      place: { account, isBulk },
      pool: poolOf(this.#leased, { now: clock.now(), junkScore: scanners.junkScore }),
      isLarge: this.#isLarge,
      urgedAt: newestOf(destination.deliveries),
      recipients: destination.deliveries.length,
      tries,
      begin: async () => {
        await keepLease(this.#leased, destination, this.#means.options);
        return (await this.#scan()) ?? this.#parcelFor(destination);
      },
    });
  }

  async #parcelFor({ deliveries }: Destination): Promise<Parcel> {
    const leased = this.#leased;
    const { options } = this.#means;
    const message = await this.#read();
    const mailFrom = await returnPathOf(leased, message, this.#domains, options);
    const isSigned = mailFrom !== leased.mailFrom;
    const rcptParameters = new Map(
      deliveries.map(({ rcptTo, parameters }) => [rcptTo, isSigned ? withOriginal(parameters, rcptTo) : parameters]),
    );
    this.#forms ??= messageForms(message, (form) => sign(leased, form, this.#domains, options));
    const recipients = deliveries.map(({ rcptTo }) => rcptTo);
    const { parameters } = leased;
    const tlsWish = wishOf(parameters, message);
    return { mailFrom, recipients, parameters, rcptParameters, tlsWish, messageFor: this.#forms };
  }

  /** The message is read when it is wanted, which may be long after the lease. */
  #read(): Promise<Buffer> {
    this.#message ??= this.#means.options.blobs.readObject(this.#leased.blob);
    return this.#message;
  }

  /** Other destinations of a large message may wait for long. */
  #forget(): void {
    if (!this.#isLarge) return;
    this.#message = undefined;
    this.#forms = undefined;
  }

  /** The answer for all recipients of a message that has a virus. Throws ScannerAway. */
  #scan(): Promise<Answer | undefined> {
    this.#refusal ??= this.#read()
      .then((message) => this.#means.gate.findVirus(message))
      .then((virus) => (virus === undefined ? undefined : infected(virus)));
    return this.#refusal;
  }

  #newTries(deliveries: readonly LeasedDelivery[]): Tries {
    const { clock } = this.#means.options;
    const tries = new Tries(() => clock.now());
    const [since] = deliveries.flatMap(({ unscannedSince }) => unscannedSince ?? []);
    if (since) tries.hasWaited(since, unscannedReply);
    return tries;
  }
}

function newestOf(deliveries: readonly LeasedDelivery[]): Date | undefined {
  const times = deliveries.flatMap(({ urgedAt }) => urgedAt?.getTime() ?? []);
  return times.length > 0 ? new Date(Math.max(...times)) : undefined;
}

const infected = (virus: string): Answer => ({
  kind: "failed",
  smtpReply: `554 5.7.1 not sent: it has the virus ${virus}`,
});

const zip = (deliveries: LeasedDelivery[], answers: Answer[]): Judged[] =>
  deliveries.map((delivery, index) => ({ delivery, answer: answers[index]! }));

/** Something of ours failed: only what passes by itself, as when the database is away, is nobody's concern. */
function troubleOf(error: unknown): Answer {
  const deferred = { kind: "deferred", smtpReply: "451 4.3.0 local error, will try again" } as const;
  if (error instanceof SigningFailed) return { ...deferred, cause: "sign" };
  return isRetryable(error) || error instanceof OthersFirst ? deferred : { ...deferred, cause: "local" };
}
