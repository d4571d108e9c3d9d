import { shareAccount, unshareAccount } from "../store/directory/directory.ts";
import { findAddress } from "../store/directory/recipients.ts";
import { type Admin, changeAccount } from "./admin.ts";
import { addressOf, loginOf } from "./names.ts";
import { Refused } from "./refused.ts";

/** Gives a login access to an account, which is named by any of its addresses. */
export async function share(admin: Admin, text: string, loginText: string): Promise<{ login: string }> {
  const { accountId, login, userId } = await both(admin, text, loginText);
  await changeAccount(
    admin,
    { userId: accountId, revokes: login },
    { act: "account.share", login: userId },
    (_, place) => shareAccount(place, login, accountId),
  );
  return { login };
}

/** Withdraws that access. */
export async function unshare(admin: Admin, text: string, loginText: string): Promise<{ login: string }> {
  const { accountId, login, userId } = await both(admin, text, loginText);
  await changeAccount(
    admin,
    { userId: accountId, revokes: login },
    { act: "account.unshare", login: userId },
    async (_, place) => {
      if (!(await unshareAccount(place, login, accountId))) throw new Refused({ type: "notShared", text, login });
    },
  );
  return { login };
}

async function both(admin: Admin, text: string, loginText: string) {
  const accountId = await findAddress(admin.store.database, addressOf(text));
  if (accountId === undefined) throw new Refused({ type: "noAccountBehind", text });
  const owner = await loginOf(admin, loginText);
  if (owner.userId === accountId) throw new Refused({ type: "ownLogin" });
  return { accountId, ...owner };
}
