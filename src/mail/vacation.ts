import type { Clock, Random } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { type BuildPart, buildMessage, encodeHeader } from "../mime/build.ts";
import { type HeaderField, parseHeader } from "../mime/headers.ts";
import { htmlToText } from "../mime/text.ts";
import { referenceBlobs } from "../store/blob-refs.ts";
import type { Blobs, StoredBlob } from "../store/blobs.ts";
import { hintQueued } from "../store/deliveries.ts";
import { findIdentities } from "../store/identities.ts";
import type { Store, Tx } from "../store/store.ts";
import { insertHiddenSubmission } from "../store/submissions.ts";
import { claimAnswer, findVacation, type VacationRow } from "../store/vacation.ts";
import { mailDate } from "./mail-date.ts";
import type { PreparedMessage } from "./prepare.ts";
import { mayAnswer } from "./vacation-rules.ts";

/** A message that has just been put into an account. */
export interface Delivered {
  accountId: number;
  /** Whom the envelope named. */
  address: string;
  /** "" for the null sender. */
  mailFrom: string;
  prepared: PreparedMessage;
}

export interface VacationOptions {
  store: Store;
  blobs: Blobs;
  clock: Clock;
  random: Random;
  log: Log;
}

/** Each sender gets an answer this often. */
const period = 7 * 86_400_000;

/** Answers while an account's owner is away (RFC 8621 §8, RFC 3834). */
export class VacationResponder {
  readonly #options: VacationOptions;

  constructor(options: VacationOptions) {
    this.#options = options;
  }

  /** Never throws: the message is delivered, with or without an answer. */
  async answer(delivered: Delivered): Promise<void> {
    try {
      await this.#answer(delivered);
    } catch (error) {
      this.#options.log.warn({ account: delivered.accountId, err: error }, "no vacation response");
    }
  }

  async #answer({ accountId, address, mailFrom, prepared }: Delivered): Promise<void> {
    const { store, blobs, clock, random } = this.#options;
    // Without its header nobody knows whether a message may be answered.
    if (mailFrom === "" || !prepared.header) return;
    const reader = store.reader(accountId);
    const vacation = await findVacation(reader);
    const now = clock.now();
    if (!vacation || !isAway(vacation, now)) return;
    if (!mayAnswer(parseHeader(prepared.header), mailFrom, address)) return;
    const identities = await findIdentities(reader, null);
    const name = identities.find(({ email }) => email.toLowerCase() === address.toLowerCase())?.name ?? "";
    const message = vacationMessage({ vacation, name, address, mailFrom, prepared, now }, random);
    const blob = await blobs.put(message);
    const isQueued = await store.write(accountId, (tx) => queueAnswer(tx, mailFrom, blob), { ids: 1 });
    if (isQueued) await hintQueued(store.database, accountId, now);
  }
}

function isAway({ isEnabled, fromDate, toDate }: VacationRow, now: Date): boolean {
  return isEnabled && (!fromDate || fromDate <= now) && (!toDate || now < toDate);
}

async function queueAnswer(tx: Tx, sender: string, blob: StoredBlob): Promise<boolean> {
  if (!(await claimAnswer(tx, sender.toLowerCase(), new Date(tx.now.getTime() - period)))) return false;
  await referenceBlobs(tx, [blob]);
  const [id] = await tx.newIds(1);
  await insertHiddenSubmission(tx, { id: id!, rcptTo: sender, sendAt: tx.now, blob });
  return true;
}

interface Answer {
  vacation: VacationRow;
  name: string;
  address: string;
  mailFrom: string;
  prepared: PreparedMessage;
  now: Date;
}

const defaultText = "I am away at the moment and will read your message when I am back.";

/** RFC 3834 §3 */
export function vacationMessage({ vacation, name, address, mailFrom, prepared, now }: Answer, random: Random): Buffer {
  const { subject, messageId, references } = prepared.summary;
  const [original] = messageId ?? [];
  const domain = address.slice(address.lastIndexOf("@") + 1);
  const field = (field: string, value: string): HeaderField => ({ name: field, value });
  const headers = [
    field("From", encodeHeader("Addresses", [{ name: name || null, email: address }])),
    field("To", encodeHeader("Addresses", [{ name: null, email: mailFrom }])),
    field("Subject", encodeHeader("Text", vacation.subject ?? `Auto: ${subject ?? "your message"}`)),
    field("Date", ` ${mailDate(now)}`),
    field("Message-ID", encodeHeader("MessageIds", [`${random(16).toString("hex")}@${domain}`])),
    ...(original ? [field("In-Reply-To", encodeHeader("MessageIds", [original]))] : []),
    ...(original
      ? [field("References", encodeHeader("MessageIds", [...(references ?? []).slice(-20), original]))]
      : []),
    field("Auto-Submitted", " auto-replied"),
  ];
  return buildMessage({ headers, body: vacationBody(vacation) }, random);
}

function vacationBody({ textBody, htmlBody }: VacationRow): BuildPart {
  const text = textBody ?? (htmlBody === null ? defaultText : htmlToText(htmlBody));
  const part = (type: string, value: string): BuildPart => ({ type, headers: [], content: { text: value } });
  if (htmlBody === null) return part("text/plain", text);
  const parts = [part("text/plain", text), part("text/html", htmlBody)];
  return { type: "multipart/alternative", headers: [], content: { parts } };
}
