import { findQuota, findUsed, setQuota as writeQuota } from "../store/mail/quota.ts";
import { type Admin, changeAccount } from "./admin.ts";
import { loginOf } from "./names.ts";

/** In bytes; an undefined `limit` means none. */
export interface AccountQuota {
  login: string;
  used: number;
  limit: number | undefined;
}

export async function getQuota(admin: Admin, text: string): Promise<AccountQuota> {
  const { login, userId } = await loginOf(admin, text);
  const { database } = admin.store;
  return { login, used: await findUsed(database, userId), limit: (await findQuota(database, userId))?.limit };
}

/** Sets the limit in bytes; null removes it. */
export async function setQuota(admin: Admin, text: string, limit: number | null): Promise<void> {
  const { userId } = await loginOf(admin, text);
  await changeAccount(admin, { userId }, { act: "account.quota", limit }, (tx) => writeQuota(tx, limit));
}
