import {
  type Bounce,
  type BounceCount,
  type BounceKind,
  listBounces as listAll,
  topBounces as topOfAll,
} from "../store/queues/bounces.ts";
import {
  listGeneralSuppressions,
  listSuppressions as listOfAccount,
  type Suppression,
  suppress,
  suppressForAll,
  unsuppress,
  unsuppressForAll,
} from "../store/queues/suppressions.ts";
import { type Admin, changeAccount, changeInstallation } from "./admin.ts";
import { addressOf, loginOf } from "./names.ts";
import { Refused } from "./refused.ts";

type Reading = Pick<Admin, "store">;
const dayMs = 86_400_000;
const daysAgo = ({ store }: Reading, days: number) => new Date(store.clock.now().getTime() - days * dayMs);

/** What to list: of one account or all, of one queue or all, of the last days. */
export interface BounceQuery {
  account: string | undefined;
  kind: BounceKind | undefined;
  days: number;
  limit: number;
}

/** Bounces and complaints, newest first. */
export async function listBounces(
  admin: Reading,
  { account, kind, days, limit }: BounceQuery,
): Promise<(Bounce & { userId: number })[]> {
  const userId = account === undefined ? undefined : (await loginOf(admin, account)).userId;
  return listAll(admin.store.database, userId, { kind: kind ?? null, since: daysAgo(admin, days), limit });
}

/** The destinations with the most bounces and complaints of all accounts, by kind. */
export function topBounces(admin: Reading, { days, limit }: { days: number; limit: number }): Promise<BounceCount[]> {
  return topOfAll(admin.store.database, daysAgo(admin, days), limit);
}

/** The suppression list of an account, or without one of the installation; newest first. */
export async function listSuppressions(
  admin: Reading,
  account: string | undefined,
  limit: number,
): Promise<Suppression[]> {
  const { database } = admin.store;
  if (account === undefined) return listGeneralSuppressions(database, limit);
  return listOfAccount(database, (await loginOf(admin, account)).userId, limit);
}

/** Lets no mail of the account, or of any, go to the address. Returns the address as it is kept. */
export async function addSuppression(
  admin: Admin,
  text: string,
  { account, reason }: { account: string | undefined; reason: string },
): Promise<string> {
  const address = addressOf(text);
  if (account === undefined) {
    const row = { address, reason, since: admin.store.clock.now() };
    await changeInstallation(admin, { act: "suppression.add", address }, (executor) => suppressForAll(executor, row));
  } else {
    const { userId } = await loginOf(admin, account);
    await changeAccount(admin, { userId }, { act: "suppression.add", address }, (tx) =>
      suppress(tx, [{ address, reason }]),
    );
  }
  return address;
}

/** Takes the address off the list. Returns the address as it was kept. */
export async function removeSuppression(admin: Admin, text: string, account: string | undefined): Promise<string> {
  const address = addressOf(text);
  const mustBeGone = (isGone: boolean) => {
    if (!isGone) throw new Refused({ type: "notSuppressed", address });
  };
  if (account === undefined) {
    await changeInstallation(admin, { act: "suppression.remove", address }, async (executor) =>
      mustBeGone(await unsuppressForAll(executor, address)),
    );
  } else {
    const { userId } = await loginOf(admin, account);
    await changeAccount(admin, { userId }, { act: "suppression.remove", address }, async (tx) =>
      mustBeGone((await unsuppress(tx, userId, [address])).length > 0),
    );
  }
  return address;
}
