import type { Login } from "../auth/login.ts";
import { normalizeDomain } from "../base/address.ts";
import type { Store } from "../store/core/store.ts";
import { findDomain } from "../store/directory/directory.ts";
import type { LoginName } from "../store/directory/login-name.ts";
import {
  allOperators,
  findOperator,
  type OperatorRow,
  putOperator,
  removeOperator as remove,
} from "../store/directory/operators.ts";
import { hasSecondFactor } from "../store/directory/second-factors.ts";
import { isWebToken } from "../store/directory/sign-ins.ts";
import { type Admin, announceRevoked, changeInstallation } from "./admin.ts";
import { loginOf } from "./names.ts";
import { Refused } from "./refused.ts";

/** What an operator may do: everything; all that concerns some domains; or only look. */
export const roles = ["admin", "domain-admin", "read-only"] as const;
export type Role = (typeof roles)[number];

/** What a login may do as an operator. */
export interface Operator {
  login: string;
  role: Role;
  /** Of a domain-admin: the domains that it looks after; null for all. */
  domains: readonly string[] | null;
}

export interface ListedOperator extends Operator {
  createdAt: Date;
}

/** The label of the sign-ins at the operator's door: those of the inbox do not open it. */
export const operatorSignIn = "operator";

const maxOperators = 1_000;
const maxDomains = 1_000;

/** Makes the account an operator, or changes what it may do. `domains`: those of a domain-admin, which must exist. */
export async function addOperator(
  admin: Admin,
  text: string,
  { role, domains: given }: { role: Role; domains: readonly string[] },
): Promise<Operator> {
  const { login, userId } = await loginOf(admin, text);
  const domains = role === "domain-admin" ? await domainsOf(admin, given) : null;
  if (role !== "domain-admin" && given.length > 0) throw new Refused({ type: "roleOfAllDomains", role });
  const row = { login, userId, role, domains, createdAt: admin.store.clock.now() };
  const what = { account: userId, role, domains: domains?.join(" ") ?? null };
  await changeInstallation(admin, { act: "operator.add", ...what }, (executor) => putOperator(executor, row));
  announceRevoked(admin, [login]);
  return { login, role, domains };
}

async function domainsOf({ store }: Admin, given: readonly string[]): Promise<string[]> {
  if (given.length === 0) throw new Refused({ type: "domainsMissing" });
  const names = [...new Set(given)].slice(0, maxDomains).map((text) => {
    const name = normalizeDomain(text);
    if (name === undefined) throw new Refused({ type: "notADomain", text });
    return name;
  });
  for (const name of names)
    if (!(await findDomain(store.database, name))) throw new Refused({ type: "noDomain", text: name });
  return names;
}

/** From now on the account is no operator. Its mail stays as it is. */
export async function removeOperator(admin: Admin, text: string): Promise<string> {
  const { login, userId } = await loginOf(admin, text);
  await changeInstallation(admin, { act: "operator.remove", account: userId }, async (executor) => {
    if (!(await remove(executor, login))) throw new Refused({ type: "noOperator", login });
  });
  announceRevoked(admin, [login]);
  return login;
}

export async function listOperators({ store }: Pick<Admin, "store">): Promise<ListedOperator[]> {
  const rows = await allOperators(store.database, maxOperators);
  return rows.map((row) => ({ ...operatorOf(row), createdAt: row.createdAt }));
}

const operatorOf = ({ login, role, domains }: OperatorRow): Operator => ({ login, role: role as Role, domains });

/** What the account may do as an operator, however it signed in; undefined if it is none. */
export async function roleOf({ database }: Pick<Store, "database">, login: LoginName): Promise<Operator | undefined> {
  const row = await findOperator(database, login.login);
  // The account of that name may have been removed and made anew.
  return row?.userId === login.userId ? operatorOf(row) : undefined;
}

/**
 * What a login that was verified may do as an operator; undefined if it is none; "secondFactor" if the account has none now, so
 * that it has to get one first. This alone decides: the account must be marked as an operator's, have a second factor, and be signed in
 * with a browser at the operators' door. No password, nor what a program or the inbox signs in with, is enough.
 */
export async function mayOperate(
  { database }: Pick<Store, "database">,
  login: Login,
): Promise<Operator | "secondFactor" | undefined> {
  const operator = await roleOf({ database }, login);
  const id = /^token:(.*)$/.exec(login.credential)?.[1];
  if (!operator || id === undefined) return undefined;
  const { userId } = login;
  if (!(await isWebToken(database, { login: login.login, userId, id, labels: [operatorSignIn] }))) return undefined;
  return (await hasSecondFactor(database, userId)) ? operator : "secondFactor";
}
