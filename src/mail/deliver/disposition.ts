import type { Log } from "../../base/log.ts";
import { isRetryable } from "../../store/core/loss.ts";
import type { Reader } from "../../store/core/store.ts";
import type { Place } from "./ingest.ts";
import type { PreparedMessage } from "./prepare.ts";

/**
 * What a check wants done with a message for one of its recipients, and why. Without any, the message goes to the
 * inbox.
 */
export type Disposition = { reason: string } & (
  | { kind: "file"; into: Place }
  | { kind: "keywords"; keywords: string[] }
  /** Send the recipient's VacationResponse to the sender. */
  | { kind: "answer" }
);

/** A message on arrival; the same for all its recipients. */
export interface ArrivingMessage {
  /** "" for the null sender. */
  mailFrom: string;
  arrivedAt: Date;
  prepared: PreparedMessage;
}

export interface Recipient {
  accountId: number;
  /** The recipient's address in the envelope. */
  address: string;
}

/** What else a check may use. */
export interface Facts {
  /** Reads the recipient's account. */
  reader: Reader;
  /** Why the message was found suspicious on arrival; null if it was not. */
  junkReason: string | null;
}

/** Must not change anything: it may run again for the same delivery. */
export type Check = (
  message: ArrivingMessage,
  recipient: Recipient,
  facts: Facts,
) => Disposition[] | Promise<Disposition[]>;

/** The combined result of all checks for one recipient. The message becomes one email in any case. */
export interface Decision {
  /** At least one. */
  places: Place[];
  keywords: string[];
  isAnswered: boolean;
  /** In the order of the checks. */
  reasons: string[];
}

/**
 * Runs the checks in order, before the message is written, and combines their results:
 * - Junk wins over other places, so that no check takes a message out of quarantine. Mail in Junk is not answered.
 * - Otherwise the email goes into all the places that checks name, or into the inbox if they name none.
 * - The email gets all the keywords.
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

/**
 * A check that fails for a message is skipped, or the message would never be delivered. Database failures are
 * temporary, so they are thrown.
 */
async function ask(
  check: () => Disposition[] | Promise<Disposition[]>,
  { accountId }: Recipient,
  log: Log,
): Promise<Disposition[]> {
  try {
    return await check();
  } catch (error) {
    if (isRetryable(error)) throw error;
    log.error({ account: accountId, err: error }, "a check of incoming mail failed");
    return [];
  }
}
