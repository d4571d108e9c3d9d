import { encodeId, idPrefix } from "../../base/ids.ts";
import type { Reader } from "../../store/core/store.ts";
import { findQuota, type Quota } from "../../store/mail/quota.ts";
import { capabilities } from "../capability-names.ts";
import type { ReadCall } from "../method.ts";
import { list, nullable, type Schema, text, unsignedInt } from "../schema.ts";
import { compare, compareText } from "../standard/collation.ts";
import { inMemoryQuery } from "../standard/memory-query.ts";
import type { DataType, JmapObject, QueryHooks } from "../standard/type.ts";

type Criterion = (quota: Quota) => boolean;
type SortName = "name" | "used";

const fixed = { resourceType: "octets", scope: "account", types: ["Email"] };
const description = "Storage for mail. At the hard limit nothing is taken in until some mail is destroyed.";
/** Shares of the hard limit; nothing is refused below it. */
const shares = { warnLimit: 0.8, softLimit: 0.95 };

/** RFC 9425 §4: an account has at most one Quota; a client that does not use mail sees none. */
async function load(reader: Reader, call: ReadCall): Promise<Quota[]> {
  if (!call.using.has(capabilities.mail)) return [];
  const quota = await findQuota(reader, reader.accountId);
  return quota ? [quota] : [];
}

function toObject({ id, name, used, limit }: Quota): JmapObject {
  const limits = Object.entries(shares).map(([property, share]) => [property, Math.floor(limit * share)]);
  return {
    id: encodeId(idPrefix.quota, id),
    ...fixed,
    name,
    description,
    used,
    hardLimit: limit,
    ...Object.fromEntries(limits),
  };
}

const is = (property: "resourceType" | "scope") => (value: string) => () => fixed[property] === value;

/** RFC 9425 §4.4, §4.5 */
const query: QueryHooks<Criterion, SortName> = {
  filters: {
    name: { schema: text, criterion: (value: string) => (quota) => quota.name.includes(value) },
    scope: { schema: text, criterion: is("scope") },
    resourceType: { schema: text, criterion: is("resourceType") },
    type: { schema: text, criterion: (value: string) => () => fixed.types.includes(value) },
  },
  sorts: { name: { by: () => "name" }, used: { by: () => "used" } },
  ...inMemoryQuery<Quota, Criterion, SortName>({
    type: "Quota",
    load,
    matches: (criterion, quota) => criterion(quota),
    compare: ({ by, collation }, a, b) =>
      by === "name" ? compareText(a.name, b.name, collation) : compare(a.used, b.used),
  }),
};

const serverSet = <T>(schema: Schema<T>) => ({ schema, serverSet: true }) as const;

/** RFC 9425 §4 */
export const quota = {
  name: "Quota",
  capability: capabilities.quota,
  prefix: idPrefix.quota,
  properties: {
    resourceType: serverSet(text),
    used: serverSet(unsignedInt),
    hardLimit: serverSet(unsignedInt),
    scope: serverSet(text),
    name: serverSet(text),
    types: serverSet(list(text)),
    warnLimit: serverSet(nullable(unsignedInt)),
    softLimit: serverSet(nullable(unsignedInt)),
    description: serverSet(nullable(text)),
  },
  countProperties: ["used"],
  query,
  async fetch(ids, _want, call) {
    const quotas = await load(call.reader, call);
    return quotas.filter(({ id }) => ids === null || ids.includes(id)).map(toObject);
  },
} satisfies DataType<Criterion, SortName>;
