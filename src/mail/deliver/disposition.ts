import type { Log } from "../../base/log.ts";
import { isRetryable } from "../../store/core/loss.ts";
import type { Reader } from "../../store/core/store.ts";
import type { Scan } from "../../store/mail/scans.ts";
import type { Outside } from "../scan/rspamd.ts";
import type { Place } from "./ingest.ts";
import type { PreparedMessage } from "./prepare.ts";

/**
 * What a check wants done with a message for one of its recipients, and why. Without any, the message goes to the
 * inbox.
 */
export type Disposition =
  | { kind: "file"; into: Place; reason: string }
  | { kind: "keywords"; keywords: string[]; reason: string }
  /** Send the recipient's VacationResponse to the sender. */
  | { kind: "answer"; reason: string }
  /** Keep with the message what scanning found, whatever becomes of it. */
  | { kind: "scan"; scan: Scan };

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
  spam: SpamFacts;
}

/** How spam is judged. */
export interface SpamFacts {
  /** From which score on a message is spam; undefined when nothing is judged. */
  junkScore: number | undefined;
  /** What the spam filter outside found; null when the built-in scorer judges. */
  outside: Outside | null;
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
  /** What scanning found, if it was scanned. */
  scan?: Scan;
}

/**
 * Runs the checks, before the message is written, and combines their results in the order of the checks:
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
  // At once, so that what they ask of the database is asked in one trip.
  const asked = checks.map((check) => ask(() => check(message, recipient, facts), recipient, log));
  const said = (await Promise.all(asked)).flat();
  const filed = said.flatMap((one) => (one.kind === "file" ? [one.into] : []));
  const isJunk = filed.some((place) => "role" in place && place.role === "junk");
  const places: Place[] = isJunk ? [{ role: "junk" }] : filed.length > 0 ? filed : [{ role: "inbox" }];
  const isAnswered = !isJunk && said.some(({ kind }) => kind === "answer");
  const scanned = said.find((one) => one.kind === "scan");
  const counted = said.filter(({ kind }) => kind !== "answer" || isAnswered);
  return {
    places,
    keywords: [...new Set(said.flatMap((one) => (one.kind === "keywords" ? one.keywords : [])))],
    isAnswered,
    reasons: [...new Set(counted.flatMap((one) => ("reason" in one ? [one.reason] : [])))],
    ...(scanned && { scan: scanned.scan }),
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
