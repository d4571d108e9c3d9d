import { t } from "../../messages/join.ts";
import type { AuthAnswer } from "../../shared/auth.ts";

/** As the server has it. */
export const minPasswordLength = 8;

/** Words for why there is no account, or no new password. */
export function wordsFor(
  answer: Exclude<AuthAnswer<unknown>, { is: "ok" }>,
  domain: string,
  isInvited: boolean,
): string {
  if (answer.is === "unreachable") return t("unreachable");
  switch (answer.code) {
    case "not-invited":
      return t(isInvited ? "notInvited" : "notOpen");
    case "not-an-address":
      return t("notAnAddress");
    case "reserved":
      return t("reserved", { domain });
    case "taken":
      return t("taken");
    case "password-short":
      return t("short", { n: minPasswordLength });
    case "password-long":
      return t("long");
    case "password-common":
      return t("common");
    case "password-address":
      return t("isAddress");
    case "limit":
      return t("limit");
    default:
      return t(answer.status === 429 ? "tooMany" : "unreachable");
  }
}
