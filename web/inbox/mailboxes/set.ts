import { t } from "../../messages/mailboxes.ts";
import type { Id, SetError } from "../../shared/jmap/types.ts";
import { theAccount } from "../mail.ts";

interface Changes {
  create?: { new: object };
  update?: Record<Id, object>;
  destroy?: Id[];
}

/** Changes mailboxes, and waits until the account knows of it. `fault`: what is wrong, in words. `madeId`: of the new one. */
export async function setMailbox(changes: Changes): Promise<{ fault?: string; madeId?: Id }> {
  const account = theAccount();
  const set = account.jmap.call("Mailbox/set", { accountId: account.id, ...changes, onDestroyRemoveEmails: true });
  const caught = account.catchUp();
  try {
    const [{ created, notCreated, notUpdated, notDestroyed }] = await Promise.all([set, caught]);
    const [refused] = Object.values({ ...notCreated, ...notUpdated, ...notDestroyed });
    if (refused) return { fault: wordsFor(refused) };
    return created?.new ? { madeId: created.new.id } : {};
  } catch (error) {
    return { fault: t("failed", { reason: (error as Error).message }) };
  }
}

function wordsFor({ type, description, properties }: SetError): string {
  if (
    type === "alreadyExists" ||
    (type === "invalidProperties" && properties?.includes("name") && /exist|same name|taken/i.test(description ?? ""))
  )
    return t("taken");
  return t("failed", { reason: description ?? type });
}
