import type { Email, Id } from "../jmap/types.ts";

/** An email as far as it has been fetched. */
export type EmailRecord = Partial<Email> & { id: Id };

/** What a row of a list shows of its email. */
export const rowProperties = [
  "id",
  "threadId",
  "mailboxIds",
  "keywords",
  "from",
  "to",
  "subject",
  "preview",
  "receivedAt",
  "hasAttachment",
] as const;
/** What it shows of the others of the thread. */
export const memberProperties = ["id", "threadId", "mailboxIds", "keywords", "from", "receivedAt"] as const;
