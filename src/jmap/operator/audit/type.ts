import { decodeId, idPrefix } from "../../../base/ids.ts";
import { type AuditRow, auditBefore, installation } from "../../../store/directory/audit.ts";
import { utcDateText } from "../../dates.ts";
import * as schema from "../../schema.ts";
import { accountIdOf, accountsInScope } from "../accounts.ts";
import type { Acting } from "../means.ts";
import { type OperatorType, pageOf } from "../records.ts";

const { id: idSchema, nullable, object, optional } = schema;

const filter = object({ accountId: optional(nullable(idSchema)) });
/** The chain of the installation. */
const whole = "all";

const idOf = ({ userId, seq }: Pick<AuditRow, "userId" | "seq">) =>
  `${userId === installation ? whole : accountIdOf(userId)}_${seq}`;

/** Ours (docs/jmap.md): what was done to an account or, without one, to the installation; the newest first. */
export const audit: OperatorType = {
  name: "AuditEntry",
  properties: ["accountId", "at", "who", "what"],

  async find(ids, operator) {
    const wanted = new Set(ids);
    const keys = ids.map((id) => ({ chain: id.replace(/_\d+$/, ""), seq: Number(/_(\d{1,15})$/.exec(id)?.[1] ?? 0) }));
    const chains = [...Map.groupBy(keys, ({ chain }) => chain)].slice(0, maxChains);
    const rows = await Promise.all(
      chains.map(async ([chain, own]) => {
        const userId = await chainOf(chain, operator);
        if (userId === undefined) return [];
        const before = Math.max(...own.map(({ seq }) => seq)) + 1;
        const limit = Math.min(before - Math.min(...own.map(({ seq }) => seq)), maxSpan);
        return auditBefore(operator.call.services.store.database, userId, { before, limit });
      }),
    );
    return rows
      .flat()
      .filter((row) => wanted.has(idOf(row)))
      .map((row) => ({
        id: idOf(row),
        accountId: row.userId === installation ? null : accountIdOf(row.userId),
        at: utcDateText(row.at),
        who: row.who,
        what: row.what,
      }));
  },

  query: {
    filter,
    async run({ accountId }: schema.Static<typeof filter>, { after, limit }, operator) {
      const userId = await chainOf(accountId ?? whole, operator);
      if (userId === undefined) return { ids: [], next: undefined };
      const before = after !== undefined && /^\d{1,15}$/.test(after) ? Number(after) : Number.MAX_SAFE_INTEGER;
      const rows = await auditBefore(operator.call.services.store.database, userId, { before, limit: limit + 1 });
      return pageOf(rows, limit, ({ seq }) => String(seq), idOf);
    },
  },
};

/** So many chains, and rows of each, are read in one call. */
const maxChains = 20;
const maxSpan = 500;

/** The chain's number, if it is in the operator's scope. */
async function chainOf(chain: string, operator: Acting): Promise<number | undefined> {
  if (chain === whole) return operator.scope.isForAll ? installation : undefined;
  const userId = decodeId(idPrefix.account, chain);
  if (userId === undefined) return undefined;
  return (await accountsInScope([accountIdOf(userId)], operator)).has(userId) ? userId : undefined;
}
