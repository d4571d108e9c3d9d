import type { Id } from "../../shared/jmap/types.ts";
import { prefs } from "../../shared/prefs.ts";
import type { Account } from "../../shared/store/account.ts";
import type { EmailRecord } from "../../shared/store/email-record.ts";
import { route } from "../route.ts";
import { cursor, selected } from "./selection.ts";

/** A conversation that something is done to, or a single email of the flat list. */
export interface Target {
  emails: EmailRecord[];
}

/** What an action is for: the selected rows, else the open conversation, else the row that the keys are at. */
export function targetsOf(account: Account, of: "list" | "conversation"): Target[] {
  const { threadId, emailId } = route.value;
  const rows = of === "list" ? [...selected.value] : [];
  if (rows.length > 0) return rows.flatMap((id) => targetOfRow(account, id));
  if (threadId !== undefined) {
    const ids =
      emailId !== undefined && !prefs.value.conversations ? [emailId] : account.threads.get(threadId).value?.emailIds;
    return targetOf(account, ids ?? []);
  }
  return of === "list" && cursor.value !== undefined ? targetOfRow(account, cursor.value) : [];
}

export function targetOfRow(account: Account, id: Id): Target[] {
  return targetOf(account, membersOf(account, id));
}

/** All emails of a row: of its thread, or of the flat list itself. */
export function membersOf(account: Account, id: Id): readonly Id[] {
  const threadId = account.emails.get(id).value?.threadId;
  const thread = prefs.value.conversations && threadId !== undefined ? account.threads.get(threadId).value : undefined;
  return thread?.emailIds ?? [id];
}

function targetOf(account: Account, ids: readonly Id[]): Target[] {
  const emails = ids.flatMap((id) => account.emails.get(id).value ?? []);
  return emails.length > 0 ? [{ emails }] : [];
}

/** Neither read nor being written. */
export const isUnread = ({ keywords }: EmailRecord): boolean =>
  keywords !== undefined && !keywords.$seen && !keywords.$draft;
export const isMuted = ({ keywords }: EmailRecord): boolean => keywords?.$muted === true;
export const isStarred = ({ keywords }: EmailRecord): boolean => keywords?.$flagged === true;
