import { addSuppression, removeSuppression } from "../../../admin/feedback.ts";
import { decodeId, idPrefix } from "../../../base/ids.ts";
import { pageOfSuppressions, suppressionsNamed } from "../../../store/queues/suppressions.ts";
import { utcDateText } from "../../dates.ts";
import { SetError } from "../../errors.ts";
import * as schema from "../../schema.ts";
import { accountIdOf, accountsInScope, accountToChange } from "../accounts.ts";
import type { Acting } from "../means.ts";
import { idOfText, type OperatorType, textOfId } from "../records.ts";
import { each } from "../sweep.ts";

const { id: idSchema, lineUpTo, nullable, object, optional, textUpTo } = schema;
const prefix = "x";
/** Of the list of the installation. */
const everybody = "all";

const filter = object({
  accountId: optional(nullable(idSchema)),
  /** In the address or the reason. */
  contains: optional(textUpTo(320)),
});
const create = object({ accountId: optional(nullable(idSchema)), address: textUpTo(320), reason: lineUpTo(500) });

interface Key {
  /** An account's id, or "all". */
  list: string;
  address: string;
}
const idOf = ({ list, address }: Key) => idOfText(prefix, `${list} ${address}`);

function keyOf(id: string): Key | undefined {
  const [, list, address] = /^(\S+) (.+)$/.exec(textOfId(prefix, id) ?? "") ?? [];
  return list === undefined || address === undefined ? undefined : { list, address };
}

/** Ours (docs/jmap.md): an address that gets no mail from an account or, without one, from nobody here. */
export const suppression: OperatorType = {
  name: "Suppression",
  properties: ["accountId", "login", "address", "reason", "since"],

  async find(ids, operator) {
    const keys = ids.flatMap((id) => keyOf(id) ?? []);
    const lists = await Promise.all(
      [...Map.groupBy(keys, ({ list }) => list)].slice(0, maxLists).map(async ([list, own]) => {
        const owner = await ownerOf(list, operator);
        if (!owner) return [];
        const { database } = operator.call.services.store;
        const addresses = own.map(({ address }) => address);
        const rows = await suppressionsNamed(database, owner.userId, addresses);
        return rows.map(({ address, reason, since }) => ({
          id: idOf({ list, address }),
          accountId: owner.userId === undefined ? null : list,
          login: owner.login,
          address,
          reason,
          since: utcDateText(since),
        }));
      }),
    );
    return lists.flat();
  },

  query: {
    filter,
    async run({ accountId, contains = "" }: schema.Static<typeof filter>, { after = "", limit }, operator) {
      const list = accountId ?? everybody;
      const owner = await ownerOf(list, operator);
      if (!owner) return { ids: [], next: undefined };
      const { database } = operator.call.services.store;
      const sought = contains.trim().toLowerCase();
      const found: string[] = [];
      let last = after;
      for (let seen = 0; seen < maxLookedAt; seen += chunk) {
        const rows = await pageOfSuppressions(database, owner.userId, { after: last, limit: chunk });
        for (const { address, reason } of rows) {
          if (found.length === limit) return { ids: found, next: last };
          last = address;
          if (address.includes(sought) || reason.toLowerCase().includes(sought)) found.push(idOf({ list, address }));
        }
        if (rows.length < chunk) return { ids: found, next: undefined };
      }
      return { ids: found, next: last };
    },
  },

  sweep: {
    name: "lift",
    args: {},
    limit: 100,
    async run(ids, given, operator) {
      return each(ids, given, { may: (id) => mayLift(id, operator), act: (id) => lift(id, operator) });
    },
  },

  create: {
    schema: create,
    async run({ accountId, address, reason }: schema.Static<typeof create>, operator) {
      const account = accountId ? (await accountToChange(accountId, operator)).login : undefined;
      if (account === undefined) operator.scope.mustChangeAll();
      const kept = await addSuppression(operator.admin, address, { account, reason });
      return { id: idOf({ list: accountId ?? everybody, address: kept }), address: kept };
    },
  },

  destroy: {
    run: lift,
  },
};

async function lift(id: string, operator: Acting): Promise<void> {
  const { address, account } = await mayLift(id, operator);
  await removeSuppression(operator.admin, address, account);
}

/** `account`: undefined for the list of all. */
async function mayLift(id: string, operator: Acting): Promise<{ address: string; account: string | undefined }> {
  const key = keyOf(id);
  if (!key) throw new SetError("notFound");
  const { address, list } = key;
  if (list !== everybody) return { address, account: (await accountToChange(list, operator)).login };
  operator.scope.mustChangeAll();
  return { address, account: undefined };
}

/** So many are read at a time, and looked at for one page. */
const chunk = 500;
const maxLookedAt = 5_000;

/** So many lists are read in one call. */
const maxLists = 20;

/** Whose list it is, if it is there and in the operator's scope; `userId` is undefined for that of all. */
async function ownerOf(list: string, operator: Acting): Promise<{ userId?: number; login: string | null } | undefined> {
  if (list === everybody) return operator.scope.isForAll ? { login: null } : undefined;
  const userId = decodeId(idPrefix.account, list);
  if (userId === undefined) return undefined;
  const found = (await accountsInScope([accountIdOf(userId)], operator)).get(userId);
  return found && { userId, login: found.login };
}
