import { t } from "../../messages/conversation.ts";
import type { EmailAddress } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";

export const isMe = (account: Account, { email }: EmailAddress) =>
  email.toLowerCase() === account.about.name.toLowerCase() ||
  email.toLowerCase() === account.jmap.session.username.toLowerCase();

/** How somebody is called: "me", their name, or else their address. */
export function calledBy(account: Account, person: EmailAddress | undefined): string {
  if (!person) return t("noSender");
  return isMe(account, person) ? t("me") : person.name?.trim() || person.email;
}

/** Name and address, as a header shows them; a name that is itself an address is left out, since it may be another's. */
export function inFull({ name, email }: EmailAddress): string {
  const shown = name?.trim() ?? "";
  return shown === "" || shown === email || shown.includes("@") ? email : `${shown} <${email}>`;
}

const maxNamed = 3;

/** "to Ann, Bob and 3 others" */
export function toWhom(account: Account, people: readonly EmailAddress[]): string {
  if (people.length === 0) return "";
  const named = people
    .slice(0, maxNamed)
    .map((one) => (isMe(account, one) ? t("toMe") : calledBy(account, one)))
    .join(", ");
  const rest = people.length - maxNamed;
  return t("toPeople", { people: rest > 0 ? t("andOthers", { people: named, n: rest }) : named });
}
