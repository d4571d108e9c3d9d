import { addAccount, nameAccount, removeAccount, setPassword } from "../../../admin/accounts.ts";
import { setQuota } from "../../../admin/quota.ts";
import { share, unshare } from "../../../admin/shares.ts";
import { endSignIns } from "../../../admin/sign-out.ts";
import { normalizeAddress } from "../../../base/address.ts";
import { findAccountFacts } from "../../../store/directory/account-facts.ts";
import {
  addressesOfAccounts,
  type ListedLogin,
  pageOfLogins,
  sharesOfAccounts,
} from "../../../store/directory/lists.ts";
import { accountCapability } from "../../capabilities.ts";
import { utcDateText } from "../../dates.ts";
import { invalidProperties, SetError } from "../../errors.ts";
import * as schema from "../../schema.ts";
import type { JmapObject } from "../../standard/type.ts";
import { accountIdOf, accountsInScope, accountToChange, domainsOf } from "../accounts.ts";
import type { Acting } from "../means.ts";
import { type OperatorType, pageOf } from "../records.ts";

const { exactly, list, nullable, object, optional, textUpTo, unsignedInt } = schema;

/** Of one account, with those of other accounts that are shown beside it. */
const maxShown = 500;

const domain = optional(textUpTo(255));
const filter = object({ domain, begins: optional(textUpTo(320)) });

const fields = { name: optional(textUpTo(1000)), quota: optional(nullable(unsignedInt)) };
const password = textUpTo(1000);
const create = object({ ...fields, login: textUpTo(320), password });
const update = object({
  ...fields,
  password: optional(password),
  /** The browsers that are signed in are signed out. */
  signIns: optional(exactly("end")),
  shares: optional(object({ add: optional(list(textUpTo(320))), remove: optional(list(textUpTo(320))) })),
});

/** Ours (docs/jmap.md): an account with its login. */
export const account: OperatorType = {
  name: "Account",
  properties: ["login", "name", "createdAt", "used", "quota", "isHeld", "operator"],
  onRequest: ["addresses", "shares"],

  async find(ids, operator, wanted) {
    const { database } = operator.call.services.store;
    const accounts = [...(await accountsInScope(ids, operator)).values()];
    const facts = await findAccountFacts(database, accounts);
    const found = accounts.flatMap((one) => {
      const known = facts.get(one.userId);
      return known ? [shown(one, known)] : [];
    });
    if (wanted.has("addresses")) await addAddresses(found, accounts, operator);
    if (wanted.has("shares")) await addShares(found, accounts, operator);
    return found;
  },

  query: {
    filter,
    async run(given: schema.Static<typeof filter>, { after = "", limit }, { call, scope }) {
      const domains = domainsOf(given.domain, scope.domains);
      const begins = (given.begins ?? "").trim().toLowerCase();
      const wanted = { after, domains, begins, limit: limit + 1 };
      const rows = domains?.length === 0 ? [] : await pageOfLogins(call.services.store.database, wanted);
      return pageOf(
        rows,
        limit,
        ({ login }) => login,
        ({ userId }) => accountIdOf(userId),
      );
    },
  },

  create: {
    schema: create,
    async run(given: schema.Static<typeof create>, { scope, admin, means }) {
      const login = normalizeAddress(given.login);
      if (login !== undefined) scope.mustCover(login);
      mustBeLong(given.password);
      const { name = "", password, quota = means.defaultQuota || null } = given;
      const { userId } = await addAccount(admin, { address: given.login, name, password, quota: quota ?? 0 });
      return { id: accountIdOf(userId), login: login ?? given.login, quota };
    },
  },

  update: {
    schema: update,
    async run(id, patch: schema.Static<typeof update>, operator) {
      const { admin, scope } = operator;
      const { login } = await accountToChange(id, operator);
      if (patch.password !== undefined) mustBeLong(patch.password);
      const { add = [], remove = [] } = patch.shares ?? {};
      for (const other of [...add, ...remove]) scope.mustCover(other);
      if (patch.name !== undefined) await nameAccount(admin, login, patch.name);
      if (patch.quota !== undefined) await setQuota(admin, login, patch.quota || null);
      if (patch.password !== undefined) await setPassword(admin, login, patch.password);
      if (patch.signIns !== undefined) await endSignIns(admin, login);
      for (const other of add) await share(admin, login, other);
      for (const other of remove) await unshare(admin, login, other);
      return null;
    },
  },

  destroy: {
    async run(id, operator) {
      const { login } = await accountToChange(id, operator);
      if (login === operator.call.login.login) throw new SetError("forbidden", "this is your own account");
      await removeAccount(operator.admin, login);
    },
  },
};

function shown({ userId, login, createdAt }: ListedLogin, facts: AccountFacts): JmapObject {
  const { name, used, quota, isHeld, role } = facts;
  return {
    id: accountIdOf(userId),
    login,
    name,
    createdAt: utcDateText(createdAt),
    used,
    quota,
    isHeld,
    operator: role,
  };
}
type AccountFacts = NonNullable<ReturnType<Awaited<ReturnType<typeof findAccountFacts>>["get"]>>;

async function addAddresses(found: JmapObject[], accounts: ListedLogin[], { call, scope }: Acting): Promise<void> {
  const ids = accounts.map(({ userId }) => userId);
  const rows = await addressesOfAccounts(call.services.store.database, ids, maxShown);
  const own = Map.groupBy(
    rows.filter(({ address }) => scope.covers(address)),
    ({ userId }) => accountIdOf(userId),
  );
  for (const one of found) {
    const addresses = own.get(one.id as string) ?? [];
    one.addresses = addresses.map(({ address, forwards, keepsCopy }) => ({
      address,
      forwards: forwards ?? [],
      keepsCopy,
    }));
  }
}

async function addShares(found: JmapObject[], accounts: ListedLogin[], { call }: Acting): Promise<void> {
  const ids = accounts.map(({ userId }) => userId);
  const rows = await sharesOfAccounts(call.services.store.database, ids, maxShown);
  const own = Map.groupBy(rows, ({ accountId }) => accountIdOf(accountId));
  for (const one of found) one.shares = (own.get(one.id as string) ?? []).map(({ login }) => login);
}

function mustBeLong(given: string): void {
  const { minPasswordLength } = accountCapability;
  if ([...given].length >= minPasswordLength) return;
  throw invalidProperties(`a password has at least ${minPasswordLength} characters`, "password");
}
