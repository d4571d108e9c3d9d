import type { Id } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";

export interface ConversationProps {
  account: Account;
  threadId: Id;
  /** The email to begin with, of a flat list or a search hit. */
  emailId: Id | undefined;
  /** Where it was opened from; undefined for a search. */
  mailboxId: Id | undefined;
}

/** The emails of a thread. The shell shows Back and the actions above it, and hands a new `key` for another thread. */
export function Conversation({ account, threadId }: ConversationProps) {
  const thread = account.threads.get(threadId).value;
  return (
    <ol class="conversation">
      {thread?.emailIds.map((id) => (
        <li key={id}>{account.emails.get(id).value?.subject}</li>
      ))}
    </ol>
  );
}
