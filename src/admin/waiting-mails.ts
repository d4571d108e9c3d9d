import { encodeId, idPrefix } from "../base/ids.ts";
import { Slots } from "../base/slots.ts";
import { Unreachable } from "../store/core/errors.ts";
import { attemptsOf } from "../store/queues/attempts.ts";
import { deliveriesOf } from "../store/queues/queue-orders.ts";
import { pageOfWaiting } from "../store/queues/waiting.ts";
import type { Admin } from "./admin.ts";
import { type QueueRow, type QueueState, type SubmissionKey, withEnvelopes } from "./queue-selection.ts";

type Reading = Pick<Admin, "store">;

/** A mail that waits to go out, with all its recipients. */
export interface WaitingMail extends SubmissionKey {
  mailFrom: string;
  createdAt: Date;
  sendAt: Date;
  deliveries: QueueRow[];
}

/** Which of them; all conditions together, and each of one recipient that waits. */
export interface WaitingFilter {
  account: number | null;
  domain?: string | undefined;
  state?: QueueState | undefined;
  /** Submitted at least so long ago. */
  minAgeMs?: number | undefined;
}

/** So many accounts are asked at a time, each at its own node. */
const maxAsked = 8;
/** So many hints are looked at in one go, and for so long. */
const chunk = 200;
const maxLookedAt = 2_000;
const maxMs = 2_000;

/** The mails of these names, in whatever state, without those that are gone or whose node does not answer. */
export async function mailsNamed({ store }: Reading, keys: readonly SubmissionKey[]): Promise<WaitingMail[]> {
  const slots = new Slots(maxAsked);
  const accounts = [...Map.groupBy(keys, ({ userId }) => userId)];
  const found = await Promise.all(
    accounts.map(([userId, own]) => slots.run(() => mailsOf({ store }, userId, [...new Set(own.map(idOf))]))),
  );
  return found.flat();
}

const idOf = ({ submissionId }: SubmissionKey) => submissionId;

async function mailsOf({ store }: Reading, userId: number, ids: readonly number[]): Promise<WaitingMail[]> {
  const reader = store.reader(userId, "server");
  try {
    const rows = await withEnvelopes({ store }, await deliveriesOf(reader, ids));
    return [...Map.groupBy(rows, idOf)].map(([submissionId, deliveries]) => {
      const { mailFrom, createdAt, sendAt } = deliveries[0]!;
      return { userId, submissionId, mailFrom, createdAt, sendAt, deliveries };
    });
  } catch (error) {
    if (error instanceof Unreachable) return [];
    throw error;
  }
}

/**
 * A page of the mails that wait, by account. It looks at 2,000 and for two seconds at most, however long the queue is: then
 * `next` goes on from there. `next` is undefined at the end.
 */
export async function pageOfQueue(
  admin: Reading,
  filter: WaitingFilter,
  { after, limit }: { after: SubmissionKey; limit: number },
): Promise<{ mails: WaitingMail[]; next: SubmissionKey | undefined }> {
  const { store } = admin;
  const since = performance.now();
  const mails: WaitingMail[] = [];
  let last = after;
  for (let seen = 0; seen < maxLookedAt && performance.now() - since < maxMs; ) {
    const hints = await pageOfWaiting(store.database, { account: filter.account, after: last, limit: chunk });
    const found = await mailsNamed(admin, hints);
    const byKey = new Map(found.map((mail) => [keyOf(mail), mail]));
    for (const hint of hints) {
      const mail = byKey.get(keyOf(hint));
      if (mail && isWanted(mail, filter, store.clock.now())) mails.push(mail);
      last = { userId: hint.userId, submissionId: hint.submissionId };
      if (mails.length === limit) return { mails, next: last };
    }
    if (hints.length < chunk) return { mails, next: undefined };
    seen += hints.length;
  }
  return { mails, next: last };
}

const keyOf = ({ userId, submissionId }: SubmissionKey) => `${userId} ${submissionId}`;

function isWanted(mail: WaitingMail, { domain, state, minAgeMs = 0 }: WaitingFilter, now: Date): boolean {
  if (now.getTime() - mail.createdAt.getTime() < minAgeMs) return false;
  return mail.deliveries.some(
    (one) =>
      one.state === "queued" &&
      (state === undefined || one.standing === state) &&
      (domain === undefined || one.rcptTo.toLowerCase().endsWith(`@${domain.toLowerCase()}`)),
  );
}

/** The tries to send a mail, oldest first, with what was said. */
export function triesOf({ store }: Reading, { userId, submissionId }: SubmissionKey) {
  return attemptsOf(store.reader(userId, "server"), [submissionId]);
}

/** The name of a mail where a dot is not allowed: u3_s5. */
export const wireNameOf = ({ userId, submissionId }: SubmissionKey) =>
  `${encodeId(idPrefix.account, userId)}_${encodeId(idPrefix.submission, submissionId)}`;
