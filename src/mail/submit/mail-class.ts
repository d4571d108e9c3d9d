import type { HeaderField } from "../../mime/headers.ts";

/** A person's mail, or mail to many. */
export type MailClass = "personal" | "bulk";

/** A person writes to fewer at once. */
const manyRecipients = 50;

/**
 * The class of a mail by its header and its number of recipients: RFC 2369 and RFC 8058 (List-Unsubscribe), RFC 2919 (List-Id),
 * and the Precedence of old list servers.
 */
export function classOf(fields: readonly HeaderField[], recipients: number): MailClass {
  if (recipients >= manyRecipients) return "bulk";
  const isBulk = fields.some(({ name, value }) => {
    const lower = name.toLowerCase();
    if (lower === "precedence") return /^\s*(bulk|list|junk)\s*$/i.test(value);
    return lower === "list-unsubscribe" || lower === "list-id";
  });
  return isBulk ? "bulk" : "personal";
}
