import { normalizeDomain } from "../base/address.ts";
import { AccountMissing } from "../store/core/errors.ts";
import { listAccounts } from "../store/directory/directory.ts";
import {
  deleteHold,
  deleteRule,
  insertHold,
  insertRule,
  type LegalHold,
  listHolds,
  listRules,
  noteKeeping,
  type RetentionRule,
} from "../store/directory/keeping.ts";
import { listRemoved } from "../store/upkeep/removed-accounts.ts";
import { destroyOld, type OldMail } from "../store/upkeep/retention.ts";
import { type Admin, changeInstallation } from "./admin.ts";
import { addressOf } from "./names.ts";
import { Refused } from "./refused.ts";

const idLength = 6;
const newId = ({ random }: Admin) => random(idLength).toString("hex");

/** An account's main address, or a domain, with or without "@" in front. */
function scopeOf(text: string): string {
  const domain = normalizeDomain(text.replace(/^@/, ""));
  if (!text.includes("@") || text.startsWith("@")) {
    if (domain === undefined) throw new Refused({ type: "notAnAddressOrDomain", text });
    return `@${domain}`;
  }
  return addressOf(text);
}

/** The accounts in a scope, removed ones too. */
async function accountsIn({ store }: Admin, scope: string): Promise<{ userId: number; login: string }[]> {
  const living = await listAccounts(store.database);
  const removed = (await listRemoved(store.database)).map(({ accountId, login }) => ({ userId: accountId, login }));
  const isIn = ({ login }: { login: string }) => login === scope || (scope.startsWith("@") && login.endsWith(scope));
  return [...new Map([...living, ...removed].filter(isIn).map((one) => [one.userId, one])).values()];
}

/** Notes on each account's row what covers it. An interrupted run is repeated by giving the same order again. */
async function noteAll(admin: Admin, scope: string, tell: (progress: string) => void): Promise<number> {
  const accounts = await accountsIn(admin, scope);
  for (const [index, { userId, login }] of accounts.entries()) {
    tell(`account ${index + 1} of ${accounts.length}`);
    await admin.store
      .write(userId, "server", (tx) => noteKeeping(tx, login))
      .catch((error: unknown) => {
        if (!(error instanceof AccountMissing)) throw error;
      });
  }
  return accounts.length;
}

type Tell = (progress: string) => void;

/**
 * Places a legal hold: what its scope destroys from now on is kept until it is lifted, and nobody but operators can tell. Given
 * again with the same reason, it is the same hold.
 */
export async function placeHold(
  admin: Admin,
  { scope: text, reason }: { scope: string; reason: string },
  tell: Tell = () => {},
): Promise<LegalHold & { accounts: number }> {
  const scope = scopeOf(text);
  if (!scope.startsWith("@") && (await accountsIn(admin, scope)).length === 0) {
    throw new Refused({ type: "noAccount", login: scope });
  }
  const known = (await listHolds(admin.store.database)).find((one) => one.scope === scope && one.reason === reason);
  const hold = known ?? { id: newId(admin), scope, reason, who: admin.who, placedAt: admin.store.clock.now() };
  if (!known) {
    await changeInstallation(admin, { act: "hold.place", hold: hold.id, scope, reason }, (executor) =>
      insertHold(executor, hold),
    );
  }
  return { ...hold, accounts: await noteAll(admin, scope, tell) };
}

export function holdsOf({ store }: Pick<Admin, "store">): Promise<LegalHold[]> {
  return listHolds(store.database);
}

/** Lifts a hold: what it kept beyond its time goes with the sweeps, unless another covers it. */
export async function liftHold(admin: Admin, id: string, tell: Tell = () => {}): Promise<LegalHold> {
  const hold = (await listHolds(admin.store.database)).find((one) => one.id === id);
  if (!hold) throw new Refused({ type: "noHold", id });
  await changeInstallation(admin, { act: "hold.lift", hold: id, scope: hold.scope }, async (executor) => {
    if (!(await deleteHold(executor, id))) throw new Refused({ type: "noHold", id });
  });
  await noteAll(admin, hold.scope, tell);
  return hold;
}

interface NewRule {
  scope: string;
  /** A role or a name; null for all mailboxes. */
  mailbox: string | null;
  /** Days since the mail came; null for no such rule. */
  destroyAfter: number | null;
  keepFor: number | null;
}

/** Sets a rule for how long mail is kept, in the place of one for the same mailbox of the same scope. */
export async function setRule(admin: Admin, given: NewRule, tell: Tell = () => {}): Promise<RetentionRule> {
  const scope = scopeOf(given.scope);
  const rule = { ...given, scope, id: newId(admin), who: admin.who, createdAt: admin.store.clock.now() };
  const { id, mailbox, destroyAfter, keepFor } = rule;
  const before = (await listRules(admin.store.database)).filter(
    (one) => one.scope === scope && one.mailbox === mailbox,
  );
  await changeInstallation(
    admin,
    { act: "retention.set", rule: id, scope, mailbox, destroyAfter, keepFor },
    async (executor) => {
      for (const one of before) await deleteRule(executor, one.id);
      await insertRule(executor, rule);
    },
  );
  await noteAll(admin, scope, tell);
  return rule;
}

export function rulesOf({ store }: Pick<Admin, "store">): Promise<RetentionRule[]> {
  return listRules(store.database);
}

export async function removeRule(admin: Admin, id: string, tell: Tell = () => {}): Promise<RetentionRule> {
  const rule = (await listRules(admin.store.database)).find((one) => one.id === id);
  if (!rule) throw new Refused({ type: "noRule", id });
  await changeInstallation(admin, { act: "retention.remove", rule: id, scope: rule.scope }, async (executor) => {
    if (!(await deleteRule(executor, id))) throw new Refused({ type: "noRule", id });
  });
  await noteAll(admin, rule.scope, tell);
  return rule;
}

/**
 * Destroys what the rules say, or counts it. What a rule destroys does not come back, but a hold keeps it. An account that fails
 * holds up no other; the first failure is thrown at the end.
 */
export async function runRetention(
  admin: Pick<Admin, "store">,
  { isDry, tell = () => {} }: { isDry: boolean; tell?: Tell },
): Promise<{ rule: string; login: string; emails: number }[]> {
  const done: { rule: string; login: string; emails: number }[] = [];
  const { store } = admin;
  const now = store.clock.now().getTime();
  const failures: unknown[] = [];
  for (const rule of await listRules(store.database)) {
    if (rule.destroyAfter === null) continue;
    for (const { userId, login } of await accountsIn(admin as Admin, rule.scope)) {
      const before = new Date(now - rule.destroyAfter * 24 * 3_600_000);
      const old: OldMail = { accountId: userId, mailbox: rule.mailbox, before };
      const told = (emails: number) => tell(`${login}: ${emails} emails`);
      const emails = await destroyOld(store, old, { isDry, tell: told }).catch((error: unknown) => {
        if (!(error instanceof AccountMissing)) failures.push(error);
        return 0;
      });
      if (emails > 0) done.push({ rule: rule.id, login, emails });
    }
  }
  if (failures.length > 0) throw failures[0];
  return done;
}
