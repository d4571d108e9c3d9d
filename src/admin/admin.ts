import type { Random } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Bus } from "../push/bus.ts";
import { CommitError } from "../store/core/errors.ts";
import type { Executor } from "../store/core/sql.ts";
import type { Store, Tx } from "../store/core/store.ts";
import { appendAudit, appendInstallationAudit, writeInstallation } from "../store/directory/audit.ts";
import type { Place } from "../store/directory/place.ts";

/** What every act of an operator needs. */
export interface Admin {
  store: Store;
  /** Carries revocations to the running servers. */
  bus: Pick<Bus, "publish">;
  random: Random;
  log: Log;
  /** Who acts, as the audit names them. */
  who: string;
}

/** What the audit records of an act on an account. Other accounts are named by id, since their addresses are removed with them. */
type AccountAct =
  | { act: "account.add"; address: string }
  | { act: "account.name" }
  | { act: "account.password" }
  | { act: "account.sign-out" }
  | { act: "account.quota"; limit: number | null }
  | { act: "account.export"; format: string }
  | { act: "account.import"; source: string }
  | { act: "account.undelete"; emails: number; since: string }
  | { act: "account.set-aside" | "account.put-back" }
  | { act: "account.share" | "account.unshare"; login: number }
  | { act: "address.forward"; address: string; to: number; keepsCopy: "yes" | "no" }
  | { act: "mask.add" }
  | { act: "mask.pause" | "mask.resume"; address: string }
  | { act: "address.add" | "address.remove" | "suppression.add" | "suppression.remove"; address: string }
  | { act: "queue.hold" | "queue.release" | "queue.retry"; submissions: string }
  | { act: "queue.bounce"; submissions: string; reply: string }
  | { act: "queue.reroute"; submissions: string; host: string }
  | { act: "spam.learn"; mails: number; kind: "ham" | "spam" }
  | { act: "second-factor.reset" }
  | { act: "spam.forget" }
  | { act: "standing.hold"; reason: string }
  | { act: "standing.lift" }
  | { act: "standing.limits"; hourly: number | null; daily: number | null }
  | { act: "token.add" | "app-password.add" | "credential.revoke"; id: string };

/** What the audit records of an act on the installation. */
type InstallationAct =
  | { act: "domain.add" | "domain.remove" | "domain.need-second-factor" | "domain.free-second-factor"; domain: string }
  | { act: "invite.add"; invite: string; domain: string; address: string | null }
  | { act: "invite.revoke"; invite: string }
  | { act: "backup.take" | "backup.prune"; place: string }
  | { act: "backup.restore-account"; account: number; moment: string }
  | { act: "domain.mta-sts"; domain: string; mode: string; mx: string }
  | { act: "oauth-client.add" | "oauth-client.remove"; id: string; name: string }
  | { act: "dkim.publish" | "dkim.switch" | "dkim.retire"; domain: string }
  | { act: "suppression.add" | "suppression.remove"; address: string }
  | { act: "account.remove" | "account.erase" | "account.undelete" | "account.isolate"; account: number }
  | { act: "hold.place"; hold: string; scope: string; reason: string }
  | { act: "hold.lift"; hold: string; scope: string }
  | {
      act: "retention.set";
      rule: string;
      scope: string;
      mailbox: string | null;
      destroyAfter: number | null;
      keepFor: number | null;
    }
  | { act: "retention.remove"; rule: string; scope: string }
  | { act: "account.move"; account: number; node: string }
  | { act: "node.add" | "node.drain"; node: string }
  | { act: "nodes.rebalance" }
  | { act: "operator.add"; account: number; role: string; domains: string | null }
  | { act: "operator.remove"; account: number }
  | { act: "quarantine.release" | "quarantine.delete"; message: string }
  | { act: "queue.retry"; mail: string };

/** Appends the act to the account's chain, in the transaction of the act. */
export function record(tx: Tx, { who }: Admin, what: AccountAct): Promise<void> {
  return appendAudit(tx, { who, what });
}

/** Appends the act to the installation's chain, in the transaction of the act. */
export function recordForAll(tx: Tx, { who }: Admin, what: InstallationAct): Promise<void> {
  return appendInstallationAudit(tx, { at: tx.now, who, what });
}

/** Changes what belongs to no account, and records the act. */
export async function changeInstallation<T>(
  { store, bus, who }: Admin,
  what: InstallationAct,
  work: (executor: Executor) => Promise<T>,
): Promise<T> {
  const result = await writeInstallation(store, { who, what }, work);
  bus.publish({ watched: "acts" });
  return result;
}

/** Records an act that can't share a transaction with its row, such as a run of moves: call it before. */
export function recordBefore(admin: Admin, what: InstallationAct): Promise<void> {
  return changeInstallation(admin, what, async () => {});
}

/**
 * Changes an account, and records the act. `revokes` names the login whose credentials, or the accounts they open, change:
 * it is announced after the commit, and also when the outcome of the commit is unknown.
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
    admin.bus.publish({ watched: "acts" });
    return result;
  } catch (error) {
    if (error instanceof CommitError) announce();
    throw error;
  }
}

/** Makes every process drop its cached credentials of these logins and end pushes whose credential no longer exists. */
export function announceRevoked({ bus }: Admin, logins: string[]): void {
  for (const credential of logins) bus.publish({ credential });
}
