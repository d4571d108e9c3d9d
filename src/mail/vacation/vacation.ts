import { normalizeAddress, splitAddress } from "../../base/address.ts";
import type { Clock, Random } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { type BuildPart, buildMessage, encodeHeader } from "../../mime/build.ts";
import { htmlToText } from "../../mime/html.ts";
import type { Blobs, StoredBlob } from "../../store/blobs/blobs.ts";
import type { Store } from "../../store/core/store.ts";
import { findIdentities } from "../../store/mail/identities.ts";
import { claimAnswer, findActiveVacation, type VacationRow, wasAnswered } from "../../store/mail/vacation.ts";
import { hintQueued } from "../../store/queues/due.ts";
import type { Delivered } from "../deliver/arriving.ts";
import { enqueue, ofNoEmail } from "../submit/enqueue.ts";
import { mailDate } from "../submit/mail-date.ts";
import { isOwnAddress } from "../submit/own-address.ts";
import { requireTls } from "../submit/submit-parameters.ts";
import { type Answerable, answerableOnce } from "./vacation-rules.ts";

/** Minimum time between two answers to one sender (RFC 3834 §2, RFC 5230 §4.1). */
const answerEveryMs = 7 * 86_400_000;
/** More recipients than a person names; each may cost a look-up. */
const maxNamed = 20;
const maxSubject = 200;
const defaultText = "Your message has arrived, but it may not be read for some time.\n";

export interface VacationOptions {
  store: Store;
  blobs: Blobs;
  clock: Clock;
  random: Random;
  log: Log;
}

/** RFC 8621 §8: answers mail that arrives while its recipient is away. */
export class VacationResponder {
  readonly #options: VacationOptions;

  constructor(options: VacationOptions) {
    this.#options = options;
  }

  /** Enqueues an answer if a check asked for one and it is due. A second call for the same message does nothing. */
  async answer({ accountId, address, mailFrom, requiresTls, arrivedAt, prepared, decision }: Delivered): Promise<void> {
    if (!decision.isAnswered) return;
    const { store, blobs, clock } = this.#options;
    const message = answerableOnce(prepared, mailFrom);
    if (!message) return;
    const reader = store.reader(accountId, "server");
    const vacation = await findActiveVacation(reader, arrivedAt);
    if (!vacation) return;
    const now = clock.now();
    const since = new Date(now.getTime() - answerEveryMs);
    if (await wasAnswered(reader, message.sender, since)) return;
    const from = await this.#namedAddress(accountId, address, message);
    // A sender who writes to their own address knows about the absence.
    if (from === undefined || (await isOwnAddress(store.database, message.sender, accountId))) return;
    const name = (await findIdentities(reader, null)).find(({ email }) => normalizeAddress(email) === from)?.name;
    const built = this.#build(vacation, message, { from: { name: name || null, email: from }, to: mailFrom, now });
    if (!built) return;
    const to = { mailFrom, requiresTls };
    await this.#queue(accountId, to, { sender: message.sender, since }, await blobs.put(built));
  }

  /** Catches errors: a message for which no answer can be built must not be retried for ever. */
  #build(vacation: VacationRow, message: Answerable, envelope: AnswerEnvelope): Buffer | undefined {
    try {
      return buildAnswer(vacation, message, envelope, this.#options.random);
    } catch (error) {
      this.#options.log.error({ to: envelope.to, err: error }, "vacation answer could not be built");
      return undefined;
    }
  }

  /** The account's address that the sender wrote. Mail that names none was sent by Bcc or to a list (RFC 3834 §2). */
  async #namedAddress(accountId: number, address: string, { named }: Answerable): Promise<string | undefined> {
    const own = normalizeAddress(address);
    if (own !== undefined && named.includes(own)) return own;
    for (const other of named.slice(0, maxNamed)) {
      if (await isOwnAddress(this.#options.store.database, other, accountId)) return other;
    }
    return undefined;
  }

  /** Enqueues a submission that clients do not see. Its null return path keeps failure reports from coming back. */
  async #queue(
    accountId: number,
    { mailFrom: to, requiresTls }: Pick<Delivered, "mailFrom" | "requiresTls">,
    { sender, since }: Claim,
    blob: StoredBlob,
  ): Promise<void> {
    const { store, clock, log } = this.#options;
    const isQueued = await store.write(
      accountId,
      "server",
      async (tx) => {
        if (!(await claimAnswer(tx, sender, since))) return false;
        const [id] = await tx.newIds(1);
        // RFC 8689 §6: an answer may say as much as the mail itself.
        const parameters = requiresTls ? { [requireTls]: null } : null;
        const envelope = { mailFrom: { email: "", parameters }, rcptTo: [{ email: to, parameters: null }] };
        await enqueue(tx, [{ id: id!, ...ofNoEmail, envelope, sendAt: tx.now, blob, isHidden: true, isSilent: true }]);
        return true;
      },
      { ids: 1 },
    );
    if (!isQueued) return;
    log.info({ account: accountId, to: sender }, "vacation answer queued");
    try {
      await hintQueued(store.database, accountId, clock.now());
    } catch (error) {
      log.warn({ account: accountId, err: error }, "hint for queued mail not written, the sweep will find it");
    }
  }
}

/** The sender whom the answer counts for, and since when there must have been none. */
interface Claim {
  sender: string;
  since: Date;
}

interface AnswerEnvelope {
  from: { name: string | null; email: string };
  to: string;
  now: Date;
}

/** RFC 3834 §3 */
function buildAnswer(
  vacation: VacationRow,
  message: Answerable,
  { from, to, now }: AnswerEnvelope,
  random: Random,
): Buffer {
  const { messageId, references, waivesTls } = message;
  const subject = vacation.subject ?? `Auto: ${message.subject?.trim() || "your message"}`;
  const messageName = `${random(16).toString("hex")}@${splitAddress(from.email)!.domain}`;
  const headers = [
    { name: "Date", value: ` ${mailDate(now)}` },
    { name: "Message-ID", value: encodeHeader("MessageIds", [messageName]) },
    { name: "From", value: encodeHeader("Addresses", [from]) },
    { name: "To", value: encodeHeader("Addresses", [{ name: null, email: to }]) },
    { name: "Subject", value: encodeHeader("Text", [...subject].slice(0, maxSubject).join("")) },
    { name: "Auto-Submitted", value: " auto-replied" },
    // For programs that ignore Auto-Submitted.
    { name: "X-Auto-Response-Suppress", value: " All" },
  ];
  if (waivesTls) headers.push({ name: "TLS-Required", value: " No" });
  if (messageId !== undefined) {
    headers.push({ name: "In-Reply-To", value: encodeHeader("MessageIds", [messageId]) });
    headers.push({ name: "References", value: encodeHeader("MessageIds", references) });
  }
  return buildMessage({ headers, body: bodyOf(vacation) }, random);
}

function bodyOf({ textBody, htmlBody }: VacationRow): BuildPart {
  if (htmlBody === null) return textPart("text/plain", textBody ?? defaultText);
  const plain = textPart("text/plain", textBody ?? `${htmlToText(htmlBody)}\n`);
  const parts = [plain, textPart("text/html", htmlBody)];
  return { type: "multipart/alternative", headers: [], content: { parts } };
}

function textPart(type: string, text: string): BuildPart {
  return { type, headers: [], content: { text } };
}
