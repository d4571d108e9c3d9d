import { accountOfSender } from "../../../mail/submit/own-address.ts";
import type { Database } from "../../../store/core/database.ts";
import { type Check, pass, refuse } from "./stage.ts";

/** RFC 6409 §6.1: MAIL FROM must be an address of an account that the login may send from, still when the message is there. */
export function ownSender({ database }: { database: Database }): Check<"mail" | "data"> {
  return async (session, { mailFrom, login = session.login }) => {
    const accountId = await accountOfSender(database, mailFrom, login?.accounts ?? []);
    if (accountId !== undefined) return pass({ sendingAccount: accountId });
    return refuse(550, "5.7.1", `${mailFrom} is not your address: send with one that brings mail to you`);
  };
}
