import { prefs } from "../../shared/prefs.ts";
import { theAccount } from "../mail.ts";
import { go, type Route, route } from "../route.ts";
import { compose } from "../seams.ts";
import { cursor } from "./selection.ts";
import { membersOf } from "./targets.ts";

/** The address of the conversation of a row; of the email itself where that is what the row stands for. */
export function placeOfRow(id: string): Pick<Route, "threadId" | "emailId"> | undefined {
  const threadId = theAccount().emails.peek(id)?.threadId;
  if (threadId === undefined) return undefined;
  const isOne = !prefs.peek().conversations || route.peek().place.kind === "search";
  return { threadId, emailId: isOne ? id : undefined };
}

/** Opens the conversation of a row; of a draft alone, the composer. */
export function openRow(id: string, { replace = false } = {}): void {
  const place = placeOfRow(id);
  if (!place) return;
  cursor.value = id;
  const account = theAccount();
  const isLoneDraft = account.emails.peek(id)?.keywords?.$draft && membersOf(account, id).length === 1;
  if (isLoneDraft && !replace) compose({ kind: "draft", accountId: account.id, emailId: id });
  else go(place, { replace });
}
