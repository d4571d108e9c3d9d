import { normalizeAddress, splitAddress } from "../base/address.ts";
import { Conflict } from "../store/core/errors.ts";
import {
  addAlias,
  findAddressOwner,
  isAddressTaken,
  listAccounts,
  listAddresses as listAll,
  removeAlias,
} from "../store/directory/directory.ts";
import { findLogin } from "../store/directory/logins.ts";
import { type Admin, changeAccount } from "./admin.ts";
import { ensureDomain, holdDomain } from "./domains.ts";
import { loginOf } from "./names.ts";
import { Refused } from "./refused.ts";

/** Delivers mail for an address to an account; "@example.org" is the domain's catch-all. Adds the domain if it is new. */
export async function addAddress(admin: Admin, text: string, account: string) {
  const address = normalizeAddress(text);
  if (address === undefined || !text.isWellFormed()) throw new Refused({ type: "notAnAddressOrDomain", text });
  const { login, userId } = await loginOf(admin, account);
  if (await isAddressTaken(admin.store.database, address)) throw new Refused({ type: "taken", address });
  const { domain, isNew } = await ensureDomain(admin, splitAddress(address)!.domain);
  await changeAccount(admin, { userId }, { act: "address.add", address }, async (tx, place) => {
    await holdDomain(tx, domain.name);
    await addAlias(place, address, userId);
  }).catch((error: unknown) => {
    throw error instanceof Conflict ? new Refused({ type: "taken", address }) : error;
  });
  return { address, login, domain, isNewDomain: isNew };
}

/** `login` is undefined while the account is being removed. */
export async function listAddresses({ store }: Admin): Promise<{ address: string; login: string | undefined }[]> {
  const logins = new Map((await listAccounts(store.database)).map(({ userId, login }) => [userId, login]));
  return (await listAll(store.database)).map(({ address, userId }) => ({ address, login: logins.get(userId) }));
}

/** Removes an alias or catch-all: mail for it is refused from now on. */
export async function removeAddress(admin: Admin, text: string): Promise<{ address: string }> {
  const address = normalizeAddress(text);
  const { database } = admin.store;
  if (address !== undefined && (await findLogin(database, address))) throw new Refused({ type: "ownAddress", address });
  const userId = address === undefined ? undefined : await findAddressOwner(database, address);
  if (address === undefined || userId === undefined) throw new Refused({ type: "noAddress", text });
  await changeAccount(admin, { userId }, { act: "address.remove", address }, async (tx) => {
    if (!(await removeAlias(tx, address, userId))) throw new Refused({ type: "noAddress", text });
  });
  return { address };
}
