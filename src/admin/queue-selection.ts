import { decodeId, encodeId, idPrefix } from "../base/ids.ts";
import { mailIdOf } from "../base/mail-log.ts";
import { submissionsOfMail } from "../store/queues/attempts.ts";
import { eventsOf } from "../store/queues/mail-log.ts";
import {
  type DeliveryRow,
  deliveriesOf,
  deliveriesOfMail,
  envelopesOf,
  heldUntil,
  queuedDeliveries,
} from "../store/queues/queue-orders.ts";
import type { Admin } from "./admin.ts";
import { loginOf } from "./names.ts";
import { Refused } from "./refused.ts";

/** Which of the mails that wait to go out; all conditions together. */
export interface Selection {
  /** As `nameOf` makes them, or ids of mails (q…). (Default: any.) */
  names?: readonly string[];
  /** Of the recipient. */
  domain?: string | undefined;
  /** An address of one of our accounts. */
  sender?: string | undefined;
  /** Accepted at least so long ago, in milliseconds. */
  minAgeMs?: number | undefined;
  state?: QueueState | undefined;
}

/** "trying": a process has it in hand. "delayed": its sender wants it to go later. */
export type QueueState = "waiting" | "trying" | "held" | "delayed" | "sent" | "failed" | "canceled";

/** A mail to one recipient. */
export interface QueueRow extends DeliveryRow {
  /** Names the mail: its id, or account and submission before the first attempt. */
  name: string;
  /** "" for the null sender. */
  mailFrom: string;
  sendAt: Date;
  createdAt: Date;
  standing: QueueState;
}

/** An account's submission, as `nameOf` names it: u3.s5. */
export interface SubmissionKey {
  userId: number;
  submissionId: number;
}

export const nameOf = ({ userId, submissionId }: SubmissionKey) =>
  `${encodeId(idPrefix.account, userId)}.${encodeId(idPrefix.submission, submissionId)}`;

/** The submissions behind a name; none for a mail that came from outside. Throws Refused for what is no name. */
export async function submissionsNamed({ store, log }: Admin, text: string): Promise<SubmissionKey[]> {
  const [account = "", submission = ""] = text.split(".");
  const [userId, submissionId] = [decodeId(idPrefix.account, account), decodeId(idPrefix.submission, submission)];
  if (userId !== undefined && submissionId !== undefined) return [{ userId, submissionId }];
  const mailId = decodeId(idPrefix.incoming, text);
  if (mailId === undefined) throw new Refused({ type: "notAMail", text });
  const told = (await eventsOf(store.database, [mailId])).flatMap(({ fields }): SubmissionKey[] =>
    typeof fields.submission === "number"
      ? [{ userId: fields.account as number, submissionId: fields.submission }]
      : [],
  );
  // What the log has not kept is looked for in all accounts.
  const found = told.length > 0 ? told : await deliveriesOfMail(store.database, log, mailId);
  const keys = found.length > 0 ? found : await submissionsOfMail(store.database, log, mailId);
  const distinct = new Map(
    keys.map(({ userId: user, submissionId: id }) => [`${user} ${id}`, { userId: user, submissionId: id }]),
  );
  return [...distinct.values()];
}

/** The deliveries of some submissions, in whatever state. */
export async function rowsOf(admin: Admin, keys: readonly SubmissionKey[]): Promise<QueueRow[]> {
  const rows: QueueRow[] = [];
  for (const [userId, own] of Map.groupBy(keys, (key) => key.userId)) {
    const reader = admin.store.reader(userId, "server");
    rows.push(
      ...(await withEnvelopes(
        admin,
        await deliveriesOf(
          reader,
          own.map(({ submissionId }) => submissionId),
        ),
      )),
    );
  }
  return rows;
}

/** The selected mails that wait, page by page. */
export async function* selectQueued(admin: Admin, selection: Selection): AsyncGenerator<QueueRow[]> {
  const { store, log } = admin;
  const { names, domain, sender, minAgeMs = 0, state } = selection;
  const account = sender === undefined ? null : (await loginOf(admin, sender)).userId;
  const isWanted = (row: QueueRow) =>
    row.state === "queued" &&
    (state === undefined || row.standing === state) &&
    (domain === undefined || row.rcptTo.toLowerCase().endsWith(`@${domain.toLowerCase()}`)) &&
    (sender === undefined || (row.userId === account && row.mailFrom.toLowerCase() === sender.toLowerCase())) &&
    store.clock.now().getTime() - row.createdAt.getTime() >= minAgeMs;
  if (names !== undefined) {
    const keys = (await Promise.all(names.map((name) => submissionsNamed(admin, name)))).flat();
    yield (await rowsOf(admin, keys)).filter(isWanted);
    return;
  }
  const wanted = { account, domain: domain?.toLowerCase() ?? null };
  for await (const page of queuedDeliveries(store.database, log, wanted)) {
    yield (await withEnvelopes(admin, page)).filter(isWanted);
  }
}

/** Adds who sent each, and when; those whose submission is gone are left out. */
export async function withEnvelopes(
  { store }: Pick<Admin, "store">,
  rows: readonly DeliveryRow[],
): Promise<QueueRow[]> {
  const found: QueueRow[] = [];
  for (const [userId, own] of Map.groupBy(rows, (row) => row.userId)) {
    const ids = [...new Set(own.map(({ submissionId }) => submissionId))];
    const envelopes = await envelopesOf(store.reader(userId, "server"), ids);
    for (const row of own) {
      const envelope = envelopes.get(row.submissionId);
      if (!envelope) continue;
      const name = row.incomingId === null ? nameOf(row) : mailIdOf(row.incomingId);
      found.push({ ...row, ...envelope, name, standing: standingOf({ ...row, ...envelope }, store.clock.now()) });
    }
  }
  return found;
}

function standingOf(row: DeliveryRow & { sendAt: Date }, now: Date): QueueState {
  if (row.state !== "queued") return row.state;
  if (row.leasedUntil !== null && row.leasedUntil > now) return "trying";
  if (row.nextAttemptAt >= heldUntil) return "held";
  return row.attempts === 0 && row.sendAt > now ? "delayed" : "waiting";
}
