import { splitAddress } from "../base/address.ts";
import { restoreEmails } from "../mail/undelete/restore.ts";
import type { Blobs } from "../store/blobs/blobs.ts";
import { findLogin } from "../store/directory/logins.ts";
import { countDeleted, listDeleted } from "../store/mail/deleted-emails.ts";
import {
  findRemovedAccount,
  putAccountBack,
  type RemovedAccount,
  takenSince,
} from "../store/upkeep/removed-accounts.ts";
import { type Admin, changeAccount, changeInstallation } from "./admin.ts";
import { ensureDomain } from "./domains.ts";
import { addressOf, loginOf } from "./names.ts";
import { Refused } from "./refused.ts";

interface Undeleted {
  login: string;
  /** How many emails came back. */
  restored: number;
  /** How many did not, for want of room in the account's quota. */
  overQuota: number;
  /** How many did not, since the object store has lost their bodies. */
  bodyMissing: number;
}

/** Counts what `undeleteEmails` would bring back, and its octets. */
export async function previewUndelete(
  { store }: Admin,
  text: string,
  since: Date,
): Promise<{ login: string; count: number; bytes: number }> {
  const { login, userId } = await loginOf({ store }, text);
  return { login, ...(await countDeleted(store.reader(userId, "server"), since)) };
}

const pageSize = 500;

/**
 * Brings back what was destroyed in the account after `since`. An interrupted run may be repeated: nothing comes back twice.
 * What is destroyed meanwhile stays destroyed.
 */
export async function undeleteEmails(
  admin: Admin,
  blobs: Blobs,
  { text, since, tell = () => {} }: { text: string; since: Date; tell?: (progress: string) => void },
): Promise<Undeleted> {
  const { store } = admin;
  const { login, userId } = await loginOf(admin, text);
  const reader = store.reader(userId, "server");
  const until = store.clock.now();
  const { count } = await countDeleted(reader, since);
  const done: Undeleted = { login, restored: 0, overQuota: 0, bodyMissing: 0 };
  let seen = 0;
  let after: { deletedAt: Date; id: number } | undefined;
  for (;;) {
    const rows = await listDeleted(reader, { since, until, after, limit: pageSize });
    if (rows.length === 0) break;
    const ids = rows.map(({ id }) => id);
    const outcomes = await restoreEmails(
      { store, blobs },
      { accountId: userId, viewer: "server", ids, since, tell: (n) => tell(`emails: ${seen + n} of ${count}`) },
    );
    for (const outcome of outcomes.values()) {
      if (typeof outcome === "object") done.restored++;
      else if (outcome !== "notFound") done[outcome]++;
    }
    seen += rows.length;
    after = rows.at(-1)!;
  }
  if (done.restored > 0) {
    const act = { act: "account.undelete", emails: done.restored, since: since.toISOString() } as const;
    await changeAccount(admin, { userId }, act, async () => {});
  }
  return done;
}

/** The removed account of this main address; undefined if an account has it now. */
export async function removedAccountOf({ store }: Admin, text: string): Promise<RemovedAccount | undefined> {
  const login = addressOf(text);
  const found = await findRemovedAccount(store.database, login);
  // Where the removal was interrupted, the login is still there.
  const owner = found && (await findLogin(store.database, login));
  return owner && owner.userId !== found.accountId ? undefined : found;
}

/**
 * Brings back a removed account with all that was in it; programs sign in anew, and what waited to be sent stays canceled.
 * Resolves with the addresses that others have by now.
 */
export async function undeleteAccount(admin: Admin, text: string): Promise<{ login: string; taken: string[] }> {
  const login = addressOf(text);
  const removed = await removedAccountOf(admin, text);
  if (!removed) throw new Refused({ type: "notRemoved", login });
  const { database } = admin.store;
  const taken = await takenSince(database, removed);
  if (taken.includes(login)) throw new Refused({ type: "taken", address: login });
  const names = [...removed.what.addresses, { address: login }].map(({ address }) => splitAddress(address)!.domain);
  for (const name of new Set(names)) await ensureDomain(admin, name);
  await changeAccount(
    admin,
    { userId: removed.accountId, revokes: login },
    { act: "account.put-back" },
    async () => {},
  );
  await changeInstallation(admin, { act: "account.undelete", account: removed.accountId }, async (executor) => {
    if (!(await putAccountBack(executor, removed))) throw new Refused({ type: "notRemoved", login });
  });
  return { login, taken };
}
