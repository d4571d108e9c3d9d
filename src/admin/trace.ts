import { decodeId, idPrefix } from "../base/ids.ts";
import { type AttemptRow, attemptsOf } from "../store/queues/attempts.ts";
import { type WaitingMessage, waitingMessages } from "../store/queues/incoming.ts";
import { eventsAbout, eventsOf, type MailEvent } from "../store/queues/mail-log.ts";
import type { Admin } from "./admin.ts";
import { type QueueRow, rowsOf, type SubmissionKey, submissionsNamed } from "./queue-selection.ts";

/** All that is known of a mail. */
export interface Story {
  /** Null for what was refused before it had an id. */
  mailId: number | null;
  /** Oldest first. */
  events: MailEvent[];
  /** The attempts to send it, oldest first. */
  attempts: AttemptRow[];
  /** Its deliveries, as long as the submission is there. */
  deliveries: QueueRow[];
  /** While it waits to come into its accounts. */
  incoming: WaitingMessage | undefined;
}

const maxStories = 50;

/**
 * The stories of a mail, by its id (q…, or u….s…), its Message-ID with angle brackets, or an address that it was from or
 * for: then those of the last `withinMs`, oldest first. At most 50. Throws Refused for what is neither.
 */
export async function trace(admin: Admin, text: string, withinMs: number): Promise<Story[]> {
  const { database, clock } = admin.store;
  if (!text.includes("@")) {
    const mailId = decodeId(idPrefix.incoming, text);
    const story = await storyOf(admin, mailId ?? null, await submissionsNamed(admin, text));
    return isEmpty(story) ? [] : [story];
  }
  const since = new Date(clock.now().getTime() - withinMs);
  const found = await eventsAbout(database, text, since);
  const ids = [...new Set(found.map(({ mailId }) => mailId))].slice(0, maxStories);
  const stories: Story[] = [];
  for (const mailId of ids) {
    if (mailId !== null) stories.push(await storyOf(admin, mailId, []));
    else stories.push(...found.filter((event) => event.mailId === null).map(alone));
  }
  const began = ({ events }: Story) => events[0]!.at.getTime();
  return stories.sort((one, other) => began(one) - began(other));
}

const alone = (event: MailEvent): Story => {
  return { mailId: null, events: [event], attempts: [], deliveries: [], incoming: undefined };
};

const isEmpty = ({ events, attempts, deliveries, incoming }: Story) =>
  events.length + attempts.length + deliveries.length === 0 && incoming === undefined;

async function storyOf(admin: Admin, mailId: number | null, known: readonly SubmissionKey[]): Promise<Story> {
  const { store } = admin;
  const events = mailId === null ? [] : await eventsOf(store.database, [mailId]);
  const told = events.flatMap(({ fields }): SubmissionKey[] =>
    typeof fields.submission === "number"
      ? [{ userId: fields.account as number, submissionId: fields.submission }]
      : [],
  );
  const keys = [...new Map([...known, ...told].map((key) => [`${key.userId} ${key.submissionId}`, key])).values()];
  const attempts: AttemptRow[] = [];
  for (const { userId, submissionId } of keys) {
    attempts.push(...(await attemptsOf(store.reader(userId, "server"), [submissionId])));
  }
  const [incoming] = mailId === null ? [] : await waitingMessages(store.database, [mailId]);
  return { mailId, events, attempts, deliveries: await rowsOf(admin, keys), incoming };
}

/** Why something did not arrive where it was meant to. */
export interface Reason {
  at: Date;
  /** Whom it is about. */
  to: readonly string[];
  /** What happened: the name of the step in the log. */
  event: string;
  /** The reply that the sender or our own user got, or that a server gave us. */
  reply: string | undefined;
  /** What the reply does not say. */
  reason: string | undefined;
}

/** Each refusal, deferral and failure of a mail, and what sent it to Junk; oldest first. */
export async function why(admin: Admin, text: string, withinMs: number): Promise<Reason[]> {
  const stories = await trace(admin, text, withinMs);
  const reasons = stories.flatMap(({ events, attempts }): Reason[] => [
    ...events.flatMap((event) => [...withoutServer(event), ...reasonIn(event)]),
    ...attempts
      .filter(({ outcome }) => outcome !== "sent")
      .map(({ at, recipients, host, reply, error }) => {
        const reason = [host, error && `in the error queue: ${error}`].filter(Boolean).join(", ");
        return { at, to: recipients, event: "attempt", reply, reason: reason === "" ? undefined : reason };
      }),
  ]);
  return reasons.sort((one, other) => one.at.getTime() - other.at.getTime());
}

/** Outcomes that no attempt tells: of our own users, such as a full mailbox, and of what an operator returned. */
function withoutServer({ at, event, fields }: MailEvent): Reason[] {
  const { to = [], tried, replies = [] } = fields as Partial<Record<"to" | "tried" | "replies", string[]>>;
  if (tried === undefined || tried.length > 0) return [];
  return replies.flatMap((reply, index) =>
    reply.startsWith("sent:") ? [] : [{ at, to: to.slice(index, index + 1), event, reply, reason: undefined }],
  );
}

function reasonIn({ at, event, fields }: MailEvent): Reason[] {
  const {
    to = [],
    reply,
    reason,
    reasons,
    junkReason,
    results,
  } = fields as Partial<
    Record<"reply" | "reason" | "junkReason" | "results", string> & { to: string[]; reasons: string[] }
  >;
  const words = [reason, junkReason, ...(reasons ?? [])].filter((text) => text !== undefined);
  if (reply === undefined && words.length === 0) return [];
  const told = [...words, ...(results !== undefined && words.length > 0 ? [results] : [])];
  return [{ at, to, event, reply, reason: told.length > 0 ? told.join("; ") : undefined }];
}
