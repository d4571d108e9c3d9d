import { normalizeDomain } from "../base/address.ts";
import {
  countRecoveryCodes,
  findPasskeys,
  findTotp,
  needsSecondFactor,
  removeSecondFactors,
  replaceRecoveryCodes,
  setNeedsSecondFactor,
} from "../store/directory/second-factors.ts";
import { removeWebTokens } from "../store/directory/sign-ins.ts";
import { type Admin, changeAccount, changeInstallation } from "./admin.ts";
import { loginOf } from "./names.ts";
import { Refused } from "./refused.ts";

/** What an account proves itself by besides its password. */
export interface SecondFactors {
  login: string;
  isNeeded: boolean;
  factors: { kind: "totp" | "passkey"; label: string; createdAt: Date; usedAt: Date | null }[];
  recoveryCodes: number;
}

export async function showSecondFactors({ store }: Pick<Admin, "store">, text: string): Promise<SecondFactors> {
  const { login, userId } = await loginOf({ store }, text);
  const { database } = store;
  const totp = await findTotp(database, userId);
  const passkeys = await findPasskeys(database, userId);
  return {
    login,
    isNeeded: await needsSecondFactor(database, { login, userId }),
    factors: [
      ...(totp ? [{ kind: "totp" as const, label: "", createdAt: totp.createdAt, usedAt: totp.usedAt }] : []),
      ...passkeys.map(({ label, createdAt, usedAt }) => ({ kind: "passkey" as const, label, createdAt, usedAt })),
    ],
    recoveryCodes: await countRecoveryCodes(database, userId),
  };
}

/** For who has lost all of them: the password signs in again, first to set up a new one where that is required. Browsers are signed out. */
export async function resetSecondFactors(admin: Admin, text: string): Promise<{ login: string; removed: number }> {
  const { login, userId } = await loginOf(admin, text);
  const removed = await changeAccount(admin, { userId, revokes: login }, { act: "second-factor.reset" }, async (tx) => {
    const count = await removeSecondFactors(tx);
    await replaceRecoveryCodes(tx, []);
    await removeWebTokens(tx, { login, userId });
    return count;
  });
  return { login, removed };
}

/** Whether all accounts of a domain must have a second factor. Those without one are asked for it when they sign in next. */
export async function requireSecondFactor(admin: Admin, text: string, isNeeded: boolean): Promise<string> {
  const name = normalizeDomain(text);
  if (name === undefined) throw new Refused({ type: "notADomain", text });
  const act = isNeeded ? "domain.need-second-factor" : "domain.free-second-factor";
  await changeInstallation(admin, { act, domain: name }, async (executor) => {
    if (!(await setNeedsSecondFactor(executor, name, isNeeded))) throw new Refused({ type: "noDomain", text });
  });
  return name;
}
