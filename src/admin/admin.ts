import type { Random } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Bus } from "../push/bus.ts";
import { CommitError } from "../store/core/errors.ts";
import type { Executor } from "../store/core/sql.ts";
import type { Store, Tx } from "../store/core/store.ts";
import { appendAudit, appendInstallationAudit, writeInstallation } from "../store/directory/audit.ts";
import type { Place } from "../store/directory/place.ts";

/** What operators' acts are done with. */
export interface Admin {
  store: Store;
  /** Hears of revocations. */
  bus: Pick<Bus, "publish">;
  random: Random;
  log: Log;
  /** Who acts, as the audit names them. */
  who: string;
}

/** What the audit tells of an act on an account: with ids of others where it must name them, since their addresses go with them. */
type AccountAct =
  | { act: "account.add"; address: string }
  | { act: "account.name" }
  | { act: "account.password" }
  | { act: "account.quota"; limit: number | null }
  | { act: "account.share" | "account.unshare"; login: number }
  | { act: "address.add" | "address.remove"; address: string }
  | { act: "token.add" | "app-password.add" | "credential.revoke"; id: string };

/** And of one on the installation. */
type InstallationAct =
  | { act: "domain.add" | "domain.remove"; domain: string }
  | { act: "account.remove"; account: number };

/** Puts the row of the act into the account's chain, in the transaction that it is done in. */
export function record(tx: Tx, { who }: Admin, what: AccountAct): Promise<void> {
  return appendAudit(tx, { who, what });
}

/** Likewise into the chain of the installation. */
export function recordForAll(tx: Tx, { who }: Admin, what: InstallationAct): Promise<void> {
  return appendInstallationAudit(tx, { at: tx.now, who, what });
}

/** Does something to what belongs to no account, and records it. */
export function changeInstallation<T>(
  { store, who }: Admin,
  what: InstallationAct,
  work: (executor: Executor) => Promise<T>,
): Promise<T> {
  return writeInstallation(store, { who, what }, work);
}

/**
 * Does something to an account, and records it. `revokes`: the login whose credentials, or what they open, it changes. That
 * is announced after the commit, and also where nobody knows whether the commit took hold.
 */
export async function changeAccount<T>(
  admin: Admin,
  { userId, revokes }: { userId: number; revokes?: string },
  what: AccountAct,
  work: (tx: Tx, place: Place) => Promise<T>,
): Promise<T> {
  const announce = () => announceRevoked(admin, revokes === undefined ? [] : [revokes]);
  try {
    const result = await admin.store.write(userId, "server", async (tx) => {
      const done = await work(tx, { database: tx, clock: admin.store.clock });
      await record(tx, admin, what);
      return done;
    });
    announce();
    return result;
  } catch (error) {
    if (error instanceof CommitError) announce();
    throw error;
  }
}

/** Every process forgets what it verified of the logins, and ends the pushes whose credential is gone. */
export function announceRevoked({ bus }: Admin, logins: string[]): void {
  for (const credential of logins) bus.publish({ credential });
}
