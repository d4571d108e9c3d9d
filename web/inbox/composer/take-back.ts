import { MethodFailed } from "../../shared/jmap/errors.ts";
import type { Id } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";
import { lookForScheduled } from "../scheduled/known.ts";

/** A mail that is on its way, or held at the server until its time. */
export interface Sent {
  account: Account;
  submissionId: Id;
  emailId: Id;
}

/** From one of the two mailboxes to the other, and with or without the mark of a draft. */
export function moved(account: Account, from: "drafts" | "sent", to: "drafts" | "sent"): object {
  const [source, target] = [account.byRole(from), account.byRole(to)];
  return {
    "keywords/$draft": to === "drafts" ? true : null,
    ...(source && target && { [`mailboxIds/${source.id}`]: null, [`mailboxIds/${target.id}`]: true }),
  };
}

/** Takes a mail back before it leaves: it is a draft again. False if it has left. */
export async function takeBack({ account, submissionId, emailId }: Sent): Promise<boolean> {
  const accountId = account.id;
  const update = { [submissionId]: { undoStatus: "canceled" } };
  const { notUpdated } = await account.jmap.call("EmailSubmission/set", { accountId, update });
  const refusal = notUpdated?.[submissionId];
  if (refusal?.type === "cannotUnsend" || refusal?.type === "notFound") return false;
  if (refusal) throw new MethodFailed(refusal.type, refusal.description ?? refusal.type);
  await account.jmap.call("Email/set", { accountId, update: { [emailId]: moved(account, "sent", "drafts") } });
  void account.catchUp().catch(() => {});
  void lookForScheduled(account);
  return true;
}
