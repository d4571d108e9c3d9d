import { listMaskedAddresses, maskAddress, pauseMaskedAddress } from "../../../admin/masked-addresses.ts";
import type { MaskedAddress } from "../../../store/directory/masked-addresses.ts";
import { utcDateText } from "../../dates.ts";
import { SetError } from "../../errors.ts";
import * as schema from "../../schema.ts";
import { accountIdOf, accountsInScope, accountToChange } from "../accounts.ts";
import { idOfText, type OperatorType, textOfId } from "../records.ts";

const { bool, id: idSchema, object, textUpTo } = schema;
const prefix = "k";

const filter = object({ accountId: idSchema });
const create = object({ accountId: idSchema, label: textUpTo(1_000) });
const update = object({ isPaused: bool });

interface Key {
  accountId: string;
  email: string;
}
const idOf = ({ accountId, email }: Key) => idOfText(prefix, `${accountId} ${email}`);

function keyOf(id: string): Key | undefined {
  const [, accountId, email] = /^(\S+) (.+)$/.exec(textOfId(prefix, id) ?? "") ?? [];
  return accountId === undefined || email === undefined ? undefined : { accountId, email };
}

/** Ours (docs/jmap.md): an address that an account gives away. Only its owner deletes it, since its name is never given again. */
export const maskedAddress: OperatorType = {
  name: "MaskedAddress",
  properties: ["accountId", "email", "label", "state", "createdAt", "messages", "lastMessageAt"],

  async find(ids, operator) {
    const accounts = [...new Set(ids.flatMap((id) => keyOf(id)?.accountId ?? []))].slice(0, maxAccounts);
    const known = await accountsInScope(accounts, operator);
    const lists = await Promise.all(
      [...known.values()].map(async ({ login, userId }) => {
        const rows = await listMaskedAddresses(operator.admin, login);
        return rows.map((row) => shown(accountIdOf(userId), row));
      }),
    );
    const wanted = new Set(ids);
    return lists.flat().filter(({ id }) => wanted.has(id));
  },

  query: {
    filter,
    async run({ accountId }: schema.Static<typeof filter>, _page, operator) {
      const [account] = (await accountsInScope([accountId], operator)).values();
      const rows = account ? await listMaskedAddresses(operator.admin, account.login) : [];
      return { ids: rows.map(({ email }) => idOf({ accountId, email })), next: undefined };
    },
  },

  create: {
    schema: create,
    async run({ accountId, label }: schema.Static<typeof create>, operator) {
      const { login } = await accountToChange(accountId, operator);
      const email = await maskAddress(operator.admin, login, label);
      return { id: idOf({ accountId, email }), email };
    },
  },

  update: {
    schema: update,
    async run(id, { isPaused }: schema.Static<typeof update>, operator) {
      const key = keyOf(id);
      if (!key) throw new SetError("notFound");
      const { login } = await accountToChange(key.accountId, operator);
      // The address may be another account's, whatever the id says.
      const own = await listMaskedAddresses(operator.admin, login);
      if (!own.some(({ email }) => email === key.email)) throw new SetError("notFound");
      await pauseMaskedAddress(operator.admin, key.email, isPaused);
      return null;
    },
  },
};

/** Whose addresses one call shows. */
const maxAccounts = 20;

function shown(accountId: string, { email, label, state, createdAt, messages, lastMessageAt }: MaskedAddress) {
  return {
    id: idOf({ accountId, email }),
    ...{ accountId, email, label, state, messages },
    createdAt: utcDateText(createdAt),
    lastMessageAt: lastMessageAt && utcDateText(lastMessageAt),
  };
}
