import { prefs } from "../../shared/prefs.ts";
import { theAccount } from "../mail.ts";
import { go, route } from "../route.ts";
import { cursor } from "./selection.ts";

/** Opens the conversation of a row. */
export function openRow(id: string, { replace = false } = {}): void {
  const threadId = theAccount().emails.peek(id)?.threadId;
  if (threadId === undefined) return;
  cursor.value = id;
  const isFlat = !prefs.peek().conversations;
  go({ threadId, emailId: isFlat || route.peek().place.kind === "search" ? id : undefined }, { replace });
}
