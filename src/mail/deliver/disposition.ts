import type { Log } from "../../base/log.ts";
import { isRetryable } from "../../store/core/database.ts";
import type { Reader } from "../../store/core/store.ts";
import type { Place } from "./ingest.ts";
import type { PreparedMessage } from "./prepare.ts";

/** What a check wants to become of a message for one of its recipients, and why. Without any it is kept in the inbox. */
export type Disposition = { reason: string } & (
  | { kind: "file"; into: Place }
  | { kind: "keywords"; keywords: string[] }
  /** The recipient's VacationResponse goes to the sender. */
  | { kind: "answer" }
);

/** The same for all recipients. */
export interface ArrivingMessage {
  /** "" for the null sender. */
  mailFrom: string;
  arrivedAt: Date;
  prepared: PreparedMessage;
}

export interface Recipient {
  accountId: number;
  /** Whom the envelope named. */
  address: string;
}

/** What is known besides. */
export interface Facts {
  /** Of the recipient's account. */
  reader: Reader;
  /** What the front door found against the message. */
  junkReason: string | null;
}

/** It may be asked again for the same delivery, so it changes nothing. */
export type Check = (
  message: ArrivingMessage,
  recipient: Recipient,
  facts: Facts,
) => Disposition[] | Promise<Disposition[]>;

/** What all checks together make of a message for one recipient: one email, whatever they say. */
export interface Decision {
  /** At least one. */
  places: Place[];
  keywords: string[];
  isAnswered: boolean;
  /** In the order of the checks. */
  reasons: string[];
}

/**
 * Asks the checks in their order, before the message is written, and unites what they say:
 * - Junk wins over other places, so that no filing takes a message out of quarantine. What is in Junk is not answered.
 * - Else the email is in all the places that it is filed into, and in the inbox if there is none.
 * - It has all the keywords.
 */
export async function decide(
  checks: readonly Check[],
  message: ArrivingMessage,
  recipient: Recipient,
  facts: Facts,
  log: Log,
): Promise<Decision> {
  const said: Disposition[] = [];
  for (const check of checks) said.push(...(await ask(() => check(message, recipient, facts), recipient, log)));
  const filed = said.flatMap((one) => (one.kind === "file" ? [one.into] : []));
  const isJunk = filed.some((place) => "role" in place && place.role === "junk");
  const places: Place[] = isJunk ? [{ role: "junk" }] : filed.length > 0 ? filed : [{ role: "inbox" }];
  const isAnswered = !isJunk && said.some(({ kind }) => kind === "answer");
  const counted = said.filter(({ kind }) => kind !== "answer" || isAnswered);
  return {
    places,
    keywords: [...new Set(said.flatMap((one) => (one.kind === "keywords" ? one.keywords : [])))],
    isAnswered,
    reasons: [...new Set(counted.map(({ reason }) => reason))],
  };
}

/** A message that brings a check down is delivered without it, or it would wait for ever; a database comes back. */
async function ask(
  check: () => Disposition[] | Promise<Disposition[]>,
  { accountId }: Recipient,
  log: Log,
): Promise<Disposition[]> {
  try {
    return await check();
  } catch (error) {
    if (isRetryable(error)) throw error;
    log.error({ account: accountId, err: error }, "a check of mail that comes in failed");
    return [];
  }
}
