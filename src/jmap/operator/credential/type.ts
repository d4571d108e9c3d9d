import { addAppPassword, addToken, revokeCredential } from "../../../admin/tokens.ts";
import type { Store } from "../../../store/core/store.ts";
import { findAppPasswords, findSignIns } from "../../../store/directory/sign-ins.ts";
import { utcDateText } from "../../dates.ts";
import * as schema from "../../schema.ts";
import type { JmapObject } from "../../standard/type.ts";
import { accountIdOf, accountsInScope, accountToChange } from "../accounts.ts";
import type { OperatorType } from "../records.ts";

const { id: idSchema, object, oneOf, optional, nullable, positiveInt, textUpTo } = schema;

const filter = object({ accountId: idSchema });
const create = object({
  accountId: idSchema,
  kind: oneOf("token", "app-password"),
  label: textUpTo(200),
  /** Of a token; null for no end. */
  days: optional(nullable(positiveInt)),
});

const split = (id: string) => {
  const [account = "", name = ""] = id.split("_");
  return { account, name };
};

/** Ours (docs/jmap.md): what a login signs in with beside its password. Its secret is told once, to whoever makes it. */
export const credential: OperatorType = {
  name: "Credential",
  properties: ["accountId", "kind", "label", "agent", "createdAt", "expiresAt", "lastUsedAt", "network"],

  async find(ids, operator) {
    const accounts = new Set(ids.map((id) => split(id).account));
    const known = await accountsInScope([...accounts].slice(0, maxAccounts), operator);
    const found: JmapObject[] = [];
    for (const login of known.values()) found.push(...(await credentialsOf(login, operator.call.services.store)));
    const wanted = new Set(ids);
    return found.filter(({ id }) => wanted.has(id as string));
  },

  query: {
    filter,
    async run({ accountId }: schema.Static<typeof filter>, _page, operator) {
      const [login] = (await accountsInScope([accountId], operator)).values();
      const found = login ? await credentialsOf(login, operator.call.services.store) : [];
      return { ids: found.map(({ id }) => id as string), next: undefined };
    },
  },

  create: {
    schema: create,
    async run({ accountId, kind, label, days }: schema.Static<typeof create>, operator) {
      const { login } = await accountToChange(accountId, operator);
      const made =
        kind === "token"
          ? await addToken(operator.admin, login, { label, days: days ?? undefined })
          : await addAppPassword(operator.admin, login, label);
      return { id: `${accountId}_${made.id}`, secret: made.secret };
    },
  },

  destroy: {
    async run(id, operator) {
      const { account, name } = split(id);
      const { login } = await accountToChange(account, operator);
      await revokeCredential(operator.admin, login, name);
    },
  },
};

/** Whose credentials one call shows. */
const maxAccounts = 20;

async function credentialsOf(
  { login, userId }: { login: string; userId: number },
  store: Store,
): Promise<JmapObject[]> {
  const owner = { login, userId };
  const [signIns, apps] = await Promise.all([
    findSignIns(store.database, owner, store.clock.now()),
    findAppPasswords(store.database, owner),
  ]);
  const accountId = accountIdOf(userId);
  const date = (value: Date | null) => value && utcDateText(value);
  const all = [
    ...signIns.map((row) => ({ ...row, kind: row.agent === null ? "token" : "sign-in" })),
    ...apps.map((row) => ({ ...row, kind: "app-password", agent: null, expiresAt: null })),
  ];
  return all.map(({ id, kind, label, agent, createdAt, expiresAt, usedAt, network }) => ({
    id: `${accountId}_${id}`,
    accountId,
    kind,
    label,
    agent,
    createdAt: utcDateText(createdAt),
    expiresAt: date(expiresAt),
    lastUsedAt: date(usedAt),
    network,
  }));
}
