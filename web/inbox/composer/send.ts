import { t } from "../../messages/composer.ts";
import { ConnectionLost } from "../../shared/jmap/errors.ts";
import type { EmailAddress, Id, SetError } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";
import { lookForScheduled } from "../scheduled/known.ts";
import { unique } from "./addresses.ts";
import { moved, type Sent } from "./take-back.ts";
import type { Writing } from "./writing.ts";

export interface Outcome {
  sent?: Sent;
  /** Why it was not sent, in words. */
  fault?: string;
  /** Addresses that the server refuses. */
  badRecipients?: readonly string[];
  /** The line is lost: it is sent when it is back, if somebody presses the button again. */
  isLost?: boolean;
}

/** Saves and sends what is written; until the moment, or for the seconds, that it is held at the server, it can be taken back. */
export async function send(writing: Writing, hold: Date | number): Promise<Outcome> {
  writing.changed();
  await writing.save();
  const { account, emailId } = writing;
  if (writing.isDirty || emailId === undefined)
    return { fault: writing.fault.peek() || t("lineLost"), isLost: writing.status.peek() === "waiting" };
  const identity = writing.identity.peek();
  if (!identity) return { fault: t("noIdentity") };
  const { to, cc, bcc } = writing.written;
  const rcptTo = unique([...to, ...cc, ...bcc]).map(({ email }: EmailAddress) => ({ email }));
  const create = {
    identityId: identity.id,
    emailId,
    envelope: { mailFrom: { email: identity.email, parameters: held(hold) }, rcptTo },
  };
  try {
    // An earlier try may have got through, although its answer was lost.
    const known = writing.isSendUncertain ? await submissionOf(account, emailId) : undefined;
    const submissionId = known ?? (await submit(account, create));
    if (typeof submissionId !== "string") return refused(submissionId);
    writing.isSendUncertain = false;
    markSource(writing);
    void account.catchUp().catch(() => {});
    void lookForScheduled(account);
    return { sent: { account, submissionId, emailId } };
  } catch (error) {
    if (!(error instanceof ConnectionLost)) return { fault: (error as Error).message };
    writing.isSendUncertain = true;
    return { fault: t("lineLost"), isLost: true };
  }
}

/** RFC 4865. A moment goes as it was chosen: counted in seconds, it would move by the time that saving takes. */
function held(hold: Date | number): Record<string, string> | null {
  if (typeof hold !== "number") return { HOLDUNTIL: hold.toISOString() };
  return hold > 0 ? { HOLDFOR: String(Math.round(hold)) } : null;
}

async function submit(account: Account, create: object): Promise<Id | SetError> {
  const { created, notCreated } = await account.jmap.call("EmailSubmission/set", {
    accountId: account.id,
    create: { sent: create },
    onSuccessUpdateEmail: { "#sent": moved(account, "drafts", "sent") },
  });
  return created?.sent?.id ?? notCreated?.sent ?? { type: "serverFail" };
}

async function submissionOf(account: Account, emailId: Id): Promise<Id | undefined> {
  const { ids } = await account.jmap.call("EmailSubmission/query", {
    accountId: account.id,
    filter: { emailIds: [emailId] },
  });
  return ids[0];
}

/** That the mail was answered shows in the list. It is no reason to refuse the answer. */
function markSource({ account, source }: Writing): void {
  if (!source) return;
  const update = { [source.emailId]: { [`keywords/${source.keyword}`]: true } };
  void account.jmap.call("Email/set", { accountId: account.id, update }).catch(() => {});
}

/** RFC 8621 §7.5: the refusals of a submission, in words. */
function refused({ type, description, ...more }: SetError): Outcome {
  const { invalidRecipients } = more as { invalidRecipients?: string[] };
  switch (type) {
    case "invalidRecipients": {
      const list = (invalidRecipients ?? []).join(", ");
      return {
        fault: [t("badRecipients", { list }), description ?? ""].join(" ").trim(),
        badRecipients: invalidRecipients ?? [],
      };
    }
    case "noRecipients":
      return { fault: t("noRecipients") };
    case "tooManyRecipients":
      return { fault: t("tooManyRecipients") };
    case "tooLarge":
      return { fault: t("tooLarge") };
    case "forbiddenFrom":
    case "forbiddenMailFrom":
    case "forbiddenToSend":
      return { fault: t("forbiddenFrom") };
    case "overQuota":
      return { fault: t("noRoom") };
    case "rateLimit":
      return { fault: description || t("tooFast") };
    default:
      return { fault: description || type };
  }
}
