import { hashPassword } from "../auth/secrets.ts";
import { splitAddress } from "../base/address.ts";
import { CommitError, Conflict } from "../store/core/errors.ts";
import { setAccountName } from "../store/directory/account-name.ts";
import {
  addAlias,
  createAccount,
  isAddressTaken,
  listAddresses,
  listAccounts as listLogins,
} from "../store/directory/directory.ts";
import { setPassword as writePassword } from "../store/directory/logins.ts";
import { createDefaultMailboxes } from "../store/mail/mailboxes.ts";
import { previewRemoval as preview, type Removal } from "../store/upkeep/removal.ts";
import { setAccountAside } from "../store/upkeep/removed-accounts.ts";
import { type Admin, announceRevoked, changeAccount, record, recordForAll } from "./admin.ts";
import { ensureDomain, holdDomain } from "./domains.ts";
import { addressOf, loginOf, nameOf } from "./names.ts";
import { Refused } from "./refused.ts";

interface NewAccount {
  address: string;
  /** Display name; "" for none. */
  name: string;
}

/** Normalizes address and name, and refuses an account that cannot be added: call it before asking for a password. */
export async function checkNewAccount({ store }: Admin, given: NewAccount): Promise<NewAccount> {
  const address = addressOf(given.address);
  const name = nameOf(given.name);
  if (await isAddressTaken(store.database, address)) throw new Refused({ type: "taken", address });
  return { address, name };
}

/** Adds an account, and its domain if that is new. `quota` is in bytes; 0 means no limit. */
export async function addAccount(admin: Admin, given: NewAccount & { password: string; quota: number }) {
  const { address, name } = await checkNewAccount(admin, given);
  const domainName = splitAddress(address)!.domain;
  const { domain, isNew } = await ensureDomain(admin, domainName);
  const passwordHash = await hashPassword(given.password);
  const userId = await createAccount(admin.store, {
    address,
    passwordHash,
    name,
    quota: given.quota || null,
    fill: async (tx) => {
      await createDefaultMailboxes(tx);
      await record(tx, admin, { act: "account.add", address });
    },
    hold: (executor) => holdDomain(executor, domainName),
  }).catch((error: unknown) => {
    throw error instanceof Conflict ? new Refused({ type: "taken", address }) : error;
  });
  await bePostmaster(admin, domainName, userId);
  return { userId, domain, isNewDomain: isNew };
}

/** Makes the account its domain's postmaster (RFC 5321 §4.5.1) if there is none. A failure is logged: the account exists by now. */
async function bePostmaster(admin: Admin, domainName: string, userId: number): Promise<void> {
  const address = `postmaster@${domainName}`;
  try {
    if (await isAddressTaken(admin.store.database, address)) return;
    await changeAccount(admin, { userId }, { act: "address.add", address }, async (tx, place) => {
      await holdDomain(tx, domainName);
      await addAlias(place, address, userId);
    });
  } catch (error) {
    if (error instanceof Conflict) return;
    admin.log.warn({ domain: domainName, reason: (error as Error).message }, "the domain got no postmaster");
  }
}

export interface ListedAccount {
  login: string;
  createdAt: Date;
  otherAddresses: string[];
}

export async function listAccounts({ store }: Admin): Promise<ListedAccount[]> {
  const named = (await listAddresses(store.database)).filter(({ maskedId }) => maskedId === null);
  const addresses = Map.groupBy(named, ({ userId }) => userId);
  return (await listLogins(store.database)).map(({ login, userId, createdAt }) => {
    const all = (addresses.get(userId) ?? []).map(({ address }) => address);
    return { login, createdAt, otherAddresses: all.filter((address) => address !== login) };
  });
}

export async function nameAccount(
  admin: Admin,
  text: string,
  newName: string,
): Promise<{ login: string; name: string }> {
  const { login, userId } = await loginOf(admin, text);
  const name = nameOf(newName);
  await changeAccount(admin, { userId, revokes: login }, { act: "account.name" }, (tx) =>
    setAccountName(tx, login, name),
  );
  return { login, name };
}

export async function setPassword(admin: Admin, text: string, password: string): Promise<void> {
  const { login, userId } = await loginOf(admin, text);
  const passwordHash = await hashPassword(password);
  await changeAccount(admin, { userId, revokes: login }, { act: "account.password" }, async (_, place) => {
    if (!(await writePassword(place, login, passwordHash))) throw new Refused({ type: "noAccount", login });
  });
}

/** Counts what `removeAccount` would remove. */
export async function previewRemoval(admin: Admin, text: string): Promise<Removal> {
  const { userId } = await loginOf(admin, text);
  return preview(admin.store.database, userId);
}

/**
 * Removes the account: it opens no more and gets no more mail. It can be had back for a while (`undeleteAccount`); then its rows,
 * its audit chain and its bodies go. The installation's chain records the account's number, nothing else of it.
 */
export async function removeAccount(admin: Admin, text: string): Promise<Removal & { login: string }> {
  const { login, userId } = await loginOf(admin, text);
  const removed = await setAccountAside(admin.store, { userId, login }, async (tx) => {
    await record(tx, admin, { act: "account.set-aside" });
    await recordForAll(tx, admin, { act: "account.remove", account: userId });
  }).catch((error: unknown) => {
    if (error instanceof CommitError) announceRevoked(admin, [login]);
    throw error;
  });
  announceRevoked(admin, removed.logins);
  return { login, ...removed };
}
