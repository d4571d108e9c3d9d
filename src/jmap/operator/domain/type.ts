import { dkimRecord } from "../../../admin/dkim-keys.ts";
import { stsRecords, zoneLine } from "../../../admin/dns-records.ts";
import { checkDomain, recordsOf } from "../../../admin/domain-check.ts";
import { ensureDomain, keysOf, mtaStsOf, removeDomain, setMtaSts } from "../../../admin/domains.ts";
import { rotateKeys, rotationStateOf } from "../../../admin/rotation.ts";
import { type DomainRow, domainsByName, pageOfDomains } from "../../../store/directory/lists.ts";
import { stsModes } from "../../../store/directory/mta-sts.ts";
import { utcDateText } from "../../dates.ts";
import { SetError } from "../../errors.ts";
import * as schema from "../../schema.ts";
import type { JmapObject } from "../../standard/type.ts";
import type { Acting } from "../means.ts";
import { idOfText, type OperatorType, pageOf, textOfId } from "../records.ts";

const { exactly, list, nullable, object, oneOf, optional, textUpTo } = schema;
const prefix = "d";
export const domainIdOf = ({ name }: { name: string }) => idOfText(prefix, name);

const filter = object({ begins: optional(textUpTo(255)) });
const create = object({ name: textUpTo(255) });
const update = object({
  /** The next step of it. */
  rotation: optional(exactly("go-on")),
  /** RFC 8461; null: no policy is published. */
  mtaSts: optional(nullable(object({ mode: oneOf(...stsModes), mx: list(textUpTo(255)) }))),
});

/** Ours (docs/jmap.md): a domain whose mail is taken here. */
export const domain: OperatorType = {
  name: "Domain",
  properties: ["name", "createdAt", "selector"],
  onRequest: ["records", "zone", "check", "rotation", "mtaSts"],

  async find(ids, operator, wanted) {
    const { call, scope } = operator;
    const names = ids.flatMap((id) => textOfId(prefix, id) ?? []).filter((name) => scope.coversDomain(name));
    const rows = await domainsByName(call.services.store.database, names);
    return Promise.all(rows.map((row) => shown(row, operator, wanted)));
  },

  query: {
    filter,
    async run({ begins = "" }: schema.Static<typeof filter>, { after = "", limit }, { call, scope }) {
      const { domains } = scope;
      const wanted = { after, domains, begins: begins.trim().toLowerCase(), limit: limit + 1 };
      const rows = domains?.length === 0 ? [] : await pageOfDomains(call.services.store.database, wanted);
      return pageOf(rows, limit, ({ name }) => name, domainIdOf);
    },
  },

  create: {
    schema: create,
    async run({ name }: schema.Static<typeof create>, { scope, admin }) {
      scope.mustChangeAll();
      const { domain: made, isNew } = await ensureDomain(admin, name);
      if (!isNew) throw new SetError("alreadyExists", "taken", { existingId: domainIdOf(made) });
      return { id: domainIdOf(made), name: made.name };
    },
  },

  update: {
    schema: update,
    async run(id, { rotation, mtaSts }: schema.Static<typeof update>, { scope, admin, means }) {
      scope.mustChangeAll();
      const name = textOfId(prefix, id);
      if (name === undefined) throw new SetError("notFound");
      if (mtaSts !== undefined) await setMtaSts(admin, name, mtaSts ?? undefined);
      if (rotation) await rotateKeys(admin, name, means);
      return null;
    },
  },

  destroy: {
    async run(id, { scope, admin }) {
      scope.mustChangeAll();
      const name = textOfId(prefix, id);
      if (name === undefined) throw new SetError("notFound");
      await removeDomain(admin, name);
    },
  },
};

async function shown(row: DomainRow, operator: Acting, wanted: ReadonlySet<string>): Promise<JmapObject> {
  const { name, createdAt, dkimSelector } = row;
  const one: JmapObject = { id: domainIdOf(row), name, createdAt: utcDateText(createdAt), selector: dkimSelector };
  if (!domain.onRequest!.some((property) => wanted.has(property))) return one;
  const { admin, means } = operator;
  const about = { domain: row, keys: await keysOf(admin, name) };
  const records = recordsOf(about, means.site);
  Object.assign(one, { records, zone: records.map(zoneLine).join("\n") });
  if (wanted.has("check")) one.check = await checkDomain(about, means);
  if (wanted.has("mtaSts")) one.mtaSts = await stsOf(name, operator);
  if (wanted.has("rotation")) one.rotation = await rotationShown(name, operator);
  return one;
}

/** `mx`: without a policy, the hosts that one would name. */
async function stsOf(name: string, { admin, means }: Acting): Promise<JmapObject> {
  const { hostname } = means.site;
  const policy = await mtaStsOf(admin, name);
  if (!policy) return { mode: null, mx: [hostname], records: [] };
  return { ...policy, records: stsRecords({ name }, hostname, policy) };
}

async function rotationShown(name: string, { admin, means }: Acting): Promise<JmapObject> {
  const { step, fresh, retired, missing, until } = await rotationStateOf(admin, name, means);
  return {
    step,
    fresh: fresh.map((key) => ({ ...dkimRecord(key), isPublished: !missing.includes(key) })),
    retired: retired.map((key) => dkimRecord(key).name),
    until: until ? utcDateText(until) : null,
  };
}
