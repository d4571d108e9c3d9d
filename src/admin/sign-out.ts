import { removeWebTokens } from "../store/directory/sign-ins.ts";
import { type Admin, changeAccount } from "./admin.ts";
import { loginOf } from "./names.ts";

/** Ends all that the account's login opened with browsers. Programs with tokens and app passwords go on. */
export async function endSignIns(admin: Admin, text: string): Promise<void> {
  const { login, userId } = await loginOf(admin, text);
  await changeAccount(admin, { userId, revokes: login }, { act: "account.sign-out" }, (tx) =>
    removeWebTokens(tx, { login, userId }),
  );
}
