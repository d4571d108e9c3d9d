import type { Account } from "../../shared/store/account.ts";
import type { EmailRecord } from "../../shared/store/email-record.ts";
import { compose } from "../seams.ts";
import { readMailto } from "./mailto.ts";
import { isShownWithRemote } from "./remote-pictures.ts";

/** Answers a mail, or passes it on. */
export function answer(account: Account, { id }: EmailRecord, kind: "reply" | "replyAll" | "forward"): void {
  compose({ kind, accountId: account.id, emailId: id, isRemoteShown: isShownWithRemote(id) });
}

/** Goes on with a draft. */
export function continueDraft(account: Account, { id }: EmailRecord): void {
  compose({ kind: "draft", accountId: account.id, emailId: id });
}

/** Follows a mailto link. */
export function writeTo(url: string): void {
  const mail = readMailto(url);
  if (mail) compose({ kind: "new", ...mail, to: mail.to.map((email) => ({ name: null, email })) });
}
