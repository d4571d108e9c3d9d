import { addSuppression, removeSuppression } from "../../../admin/feedback.ts";
import { decodeId, idPrefix } from "../../../base/ids.ts";
import { pageOfSuppressions, suppressionsNamed } from "../../../store/queues/suppressions.ts";
import { utcDateText } from "../../dates.ts";
import { SetError } from "../../errors.ts";
import * as schema from "../../schema.ts";
import { accountIdOf, accountsInScope, accountToChange } from "../accounts.ts";
import type { Acting } from "../means.ts";
import { idOfText, type OperatorType, pageOf, textOfId } from "../records.ts";

const { id: idSchema, lineUpTo, nullable, object, optional, textUpTo } = schema;
const prefix = "x";
/** Of the list of the installation. */
const everybody = "all";

const filter = object({ accountId: optional(nullable(idSchema)) });
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
    async run({ accountId }: schema.Static<typeof filter>, { after = "", limit }, operator) {
      const list = accountId ?? everybody;
      const owner = await ownerOf(list, operator);
      if (!owner) return { ids: [], next: undefined };
      const { database } = operator.call.services.store;
      const rows = await pageOfSuppressions(database, owner.userId, { after, limit: limit + 1 });
      return pageOf(
        rows,
        limit,
        ({ address }) => address,
        ({ address }) => idOf({ list, address }),
      );
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
    async run(id, operator) {
      const key = keyOf(id);
      if (!key) throw new SetError("notFound");
      if (key.list === everybody) operator.scope.mustChangeAll();
      const account = key.list === everybody ? undefined : (await accountToChange(key.list, operator)).login;
      await removeSuppression(operator.admin, key.address, account);
    },
  },
};

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
