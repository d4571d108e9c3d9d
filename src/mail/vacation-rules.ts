import { asAddresses, type HeaderField } from "../mime/headers.ts";
import { normalizeAddress } from "../store/directory.ts";

/** Senders that are programs, by the local part (RFC 3834 §2). */
const programs =
  /^(mailer-daemon|postmaster|listserv|majordomo|bounces?|no-?reply|do-?not-?reply|owner-.*|.*-(request|bounces?|owner|errors))$/i;

/** RFC 3834 §2: whether a message may have an automatic answer. `recipient`: whom the envelope named. */
export function mayAnswer(fields: HeaderField[], mailFrom: string, recipient: string): boolean {
  const [sender, own] = [normalizeAddress(mailFrom), normalizeAddress(recipient)];
  if (sender === undefined || own === undefined || sender === own) return false;
  if (programs.test(sender.slice(0, sender.lastIndexOf("@")).replace(/\+.*$/, ""))) return false;
  for (const { name, value } of fields) {
    const text = value.trim().toLowerCase();
    switch (name.toLowerCase()) {
      case "auto-submitted":
        if (!/^no\b/.test(text)) return false;
        break;
      case "precedence":
        if (/^(bulk|list|junk)\b/.test(text)) return false;
        break;
      case "x-auto-response-suppress":
        if (/\b(all|oof|autoreply)\b/.test(text)) return false;
        break;
      default:
        if (/^list-/i.test(name)) return false;
    }
  }
  return isNamed(fields, own);
}

/** RFC 3834 §2: mail that does not name its recipient came by a list or as a blind copy. */
function isNamed(fields: HeaderField[], own: string): boolean {
  return fields
    .filter(({ name }) => /^(resent-)?(to|cc)$/i.test(name))
    .some(({ value }) => asAddresses(value).some(({ email }) => normalizeAddress(email) === own));
}
