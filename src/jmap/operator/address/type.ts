import { addAddress, forwardAddress, removeAddress } from "../../../admin/addresses.ts";
import { normalizeAddress } from "../../../base/address.ts";
import { type AddressRow, addressesByName, loginsOf, pageOfAddresses } from "../../../store/directory/lists.ts";
import { SetError } from "../../errors.ts";
import * as schema from "../../schema.ts";
import { accountIdOf, domainsOf, mustBeBelow } from "../accounts.ts";
import type { Acting } from "../means.ts";
import { idOfText, type OperatorType, pageOf, textOfId } from "../records.ts";

const { bool, list, object, optional, textUpTo } = schema;
const prefix = "a";
const idOf = ({ address }: Pick<AddressRow, "address">) => idOfText(prefix, address);

const filter = object({ domain: optional(textUpTo(255)), begins: optional(textUpTo(320)) });
const forwarding = { forwards: optional(list(textUpTo(320))), keepsCopy: optional(bool) };
/** `login`: the account that it belongs to. */
const create = object({ ...forwarding, address: textUpTo(320), login: textUpTo(320) });
const update = object(forwarding);

/** Ours (docs/jmap.md): an address, an alias, or a catch-all (@example.org), and where its mail goes. Masked ones are not shown. */
export const address: OperatorType = {
  name: "Address",
  properties: ["address", "accountId", "login", "forwards", "keepsCopy", "isMain"],

  async find(ids, { call, scope }) {
    const { database } = call.services.store;
    const names = ids.flatMap((id) => textOfId(prefix, id) ?? []).filter((name) => scope.covers(name));
    const rows = (await addressesByName(database, names)).filter(({ maskedId }) => maskedId === null);
    const logins = await loginsOf(
      database,
      rows.map(({ userId }) => userId),
    );
    return rows.map(({ userId, forwards, keepsCopy, ...row }) => {
      const login = logins.get(userId)?.login ?? null;
      return {
        id: idOf(row),
        address: row.address,
        accountId: accountIdOf(userId),
        // Of another domain's account, a domain-admin learns no more than that it is one.
        login: login !== null && scope.covers(login) ? login : null,
        forwards: forwards ?? [],
        keepsCopy,
        isMain: login === row.address,
      };
    });
  },

  query: {
    filter,
    async run(given: schema.Static<typeof filter>, { after = "", limit }, { call, scope }) {
      const domains = domainsOf(given.domain, scope.domains);
      const begins = (given.begins ?? "").trim().toLowerCase();
      const wanted = { after, domains, begins, limit: limit + 1 };
      const rows = domains?.length === 0 ? [] : await pageOfAddresses(call.services.store.database, wanted);
      return pageOf(rows, limit, (row) => row.address, idOf);
    },
  },

  create: {
    schema: create,
    async run({ address: text, login, forwards = [], keepsCopy = true }: schema.Static<typeof create>, operator) {
      const { scope, admin } = operator;
      scope.mustCover(text);
      scope.mustCover(login);
      const owner = normalizeAddress(login);
      if (owner !== undefined) await mustBeBelow(owner, operator);
      const made = await addAddress(admin, text, login, { to: forwards, keepsCopy });
      return { id: idOf(made), address: made.address };
    },
  },

  update: {
    schema: update,
    async run(id, patch: schema.Static<typeof update>, operator) {
      const known = await toChange(id, operator);
      const { forwards = known.forwards ?? [], keepsCopy = known.keepsCopy } = patch;
      await forwardAddress(operator.admin, known.address, { to: forwards, keepsCopy });
      return null;
    },
  },

  destroy: {
    async run(id, operator) {
      await removeAddress(operator.admin, (await toChange(id, operator)).address);
    },
  },
};

/** The address, if it is the operator's to change: so must be the account that it belongs to. */
async function toChange(id: string, operator: Acting): Promise<AddressRow> {
  const { call, scope } = operator;
  const { database } = call.services.store;
  const name = textOfId(prefix, id);
  const [row] = name !== undefined && scope.covers(name) ? await addressesByName(database, [name]) : [];
  if (!row || row.maskedId !== null) throw new SetError("notFound");
  const login = (await loginsOf(database, [row.userId])).get(row.userId)?.login;
  if (login !== undefined) {
    scope.mustCover(login);
    await mustBeBelow(login, operator);
  }
  return row;
}
