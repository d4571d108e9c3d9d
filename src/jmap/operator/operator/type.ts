import { addOperator, type ListedOperator, listOperators, removeOperator, roles } from "../../../admin/operators.ts";
import { utcDateText } from "../../dates.ts";
import { SetError } from "../../errors.ts";
import * as schema from "../../schema.ts";
import { idOfText, type OperatorType, textOfId } from "../records.ts";

const { list, object, oneOf, optional, textUpTo } = schema;
const prefix = "o";

const create = object({ login: textUpTo(320), role: oneOf(...roles), domains: optional(list(textUpTo(255))) });

/** Ours (docs/jmap.md): a login that looks after the installation, or some of its domains. For operators of all domains. */
export const operator: OperatorType = {
  name: "Operator",
  properties: ["login", "role", "domains", "createdAt"],

  async find(ids, { scope, admin }) {
    scope.mustBeForAll();
    const wanted = new Set(ids.flatMap((id) => textOfId(prefix, id) ?? []));
    return (await listOperators(admin)).filter(({ login }) => wanted.has(login)).map(shown);
  },

  query: {
    filter: object({}),
    async run(_filter, _page, { scope, admin }) {
      scope.mustBeForAll();
      return { ids: (await listOperators(admin)).map(({ login }) => idOfText(prefix, login)), next: undefined };
    },
  },

  create: {
    schema: create,
    async run({ login: text, role, domains = [] }: schema.Static<typeof create>, { scope, admin, call }) {
      scope.mustChangeAll();
      mustNotBeSelf(text, call.login.login);
      const { login } = await addOperator(admin, text, { role, domains });
      return { id: idOfText(prefix, login), login };
    },
  },

  destroy: {
    async run(id, { scope, admin, call }) {
      scope.mustChangeAll();
      const login = textOfId(prefix, id);
      if (login === undefined) throw new SetError("notFound");
      mustNotBeSelf(login, call.login.login);
      await removeOperator(admin, login);
    },
  },
};

/** Or a slip would leave nobody who can mend it. */
function mustNotBeSelf(text: string, self: string): void {
  if (text.trim().toLowerCase() === self) throw new SetError("forbidden", "ownRole");
}

function shown({ login, role, domains, createdAt }: ListedOperator) {
  return { id: idOfText(prefix, login), login, role, domains, createdAt: utcDateText(createdAt) };
}
