import { normalizeDomain } from "../../base/address.ts";
import { decodeId, encodeId, idPrefix } from "../../base/ids.ts";
import type { ListedLogin } from "../../store/directory/lists.ts";
import { loginsOf } from "../../store/directory/lists.ts";
import { findOperator } from "../../store/directory/operators.ts";
import { SetError } from "../errors.ts";
import type { Acting } from "./means.ts";

export const accountIdOf = (userId: number) => encodeId(idPrefix.account, userId);

/** The logins of these accounts that are in the operator's scope, by account. */
export async function accountsInScope(
  ids: readonly string[],
  { call, scope }: Acting,
): Promise<Map<number, ListedLogin>> {
  const numbers = ids.flatMap((id) => decodeId(idPrefix.account, id) ?? []);
  const logins = await loginsOf(call.services.store.database, numbers);
  return new Map([...logins].filter(([, { login }]) => scope.covers(login)));
}

/** The account's login, to change something of it. */
export async function accountToChange(id: string, operator: Acting): Promise<ListedLogin> {
  const [found] = (await accountsInScope([id], operator)).values();
  if (!found) throw new SetError("notFound");
  await mustBeBelow(found.login, operator);
  return found;
}

/**
 * A domain-admin changes no account of an operator who may more than itself: with its password, it would be that operator.
 */
export async function mustBeBelow(login: string, { call, scope }: Acting): Promise<void> {
  if (scope.isForAll || login === call.login.login) return;
  const other = await findOperator(call.services.store.database, login);
  if (!other) return;
  if (other.domains === null || !other.domains.every((name) => scope.coversDomain(name))) {
    throw new SetError("forbidden", "this account is an operator's who may more than you");
  }
}

/** The domains of a filter within those of the operator; null for all. */
export function domainsOf(given: string | undefined, own: readonly string[] | null): readonly string[] | null {
  if (given === undefined || given.trim() === "") return own;
  const name = normalizeDomain(given.trim().replace(/^@/, ""));
  return name === undefined || (own !== null && !own.includes(name)) ? [] : [name];
}
