import { type ChangesResult, core, type GetResult, type Json, mail, type QueryResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, excludes, includes, isString, isUnsignedInt, ok, oneOf, same, sameMembers } from "../runner/expect.ts";

const quota = "urn:ietf:params:jmap:quota";
const rfc = "rfc9425";
const requires = [core, quota];
const using = [core, mail, quota];

type Quota = Json & { id: string; used: number; resourceType: string; types: string[]; name: string };

async function all(t: TestContext): Promise<Quota[]> {
  const { list } = await t.one<GetResult<Quota>>("Quota/get", { ids: null }, using);
  return list.length > 0 ? list : t.skip("the account has no quota");
}

const gets = defineTests({ rfc, section: "4.2", title: "Quota/get", requires }, [
  {
    id: "properties",
    level: "MUST",
    says: "A Quota has id, resourceType, used, hardLimit, scope, name and types, and may have warnLimit, softLimit and description.",
    run: async (t) => {
      for (const one of await all(t)) {
        oneOf(one.resourceType, ["count", "octets"], "resourceType");
        oneOf(one.scope, ["account", "domain", "global"], "scope");
        isUnsignedInt(one.used, "used");
        isUnsignedInt(one.hardLimit, "hardLimit");
        isString(one.name, "name");
        ok(Array.isArray(one.types), "types");
        for (const name of ["warnLimit", "softLimit"]) if (one[name] != null) isUnsignedInt(one[name], name);
      }
    },
  },
  {
    id: "needs-capability",
    level: "MUST",
    says: "The capability must be in “using” (RFC 8620 §1.8).",
    run: (t) => t.error("Quota/get", { ids: null }, "unknownMethod", [core, mail]),
  },
  {
    id: "used-grows",
    level: "MUST",
    says: "used: the current usage of the defined quota.",
    exclusive: true,
    requires: [mail],
    run: async (t) => {
      const octets = (list: Quota[]) => list.find((one) => one.resourceType === "octets" && counts(one.types));
      const counts = (types: string[]): boolean => types.some((type) => type === "Mail" || type === "Email");
      const before = octets(await all(t)) ?? t.skip("no quota counts the octets of mail");
      await t.email({ text: "x".repeat(70).concat("\n").repeat(1000) });
      const after = octets(await all(t));
      ok((after?.used ?? 0) > before.used, `used was ${before.used} and is ${after?.used}`);
    },
  },
]);

const filtered = defineTests({ rfc, section: "4.1", title: "Quota properties", requires }, [
  {
    id: "types-of-using",
    level: "MUST",
    says: "The server MUST filter out any types for which the client did not request the associated capability in “using”, and MUST NOT return Quota objects for which there are no types recognised by the client.",
    run: async (t) => {
      const { list } = await t.one<GetResult<Quota>>("Quota/get", { ids: null }, [core, quota]);
      for (const { types } of list) {
        ok(types.length > 0, "a quota without types");
        for (const type of ["Mail", "Email", "Mailbox", "Thread"]) excludes(types, type, "types without mail in using");
      }
    },
  },
  {
    id: "limits-in-order",
    level: "SHOULD",
    says: "warnLimit SHOULD be lower than softLimit and hardLimit, softLimit lower than hardLimit.",
    run: async (t) => {
      for (const one of await all(t)) {
        const limits = [one.warnLimit, one.softLimit, one.hardLimit].filter((limit) => limit != null).map(Number);
        same(
          limits,
          limits.toSorted((a, b) => a - b),
          "warnLimit, softLimit, hardLimit",
        );
        equal(new Set(limits).size, limits.length, "number of different limits");
      }
    },
  },
]);

const pushes = defineTests({ rfc, section: "6", title: "Push", requires: [...requires, mail] }, [
  {
    id: "state-change",
    level: "MUST",
    says: "Servers MUST support the JMAP push mechanisms, to allow clients to receive notifications when the state changes for the Quota type.",
    exclusive: true,
    run: async (t) => {
      const before = await all(t);
      const events = await t.eventSource({ types: ["Quota"] });
      await t.sleep(200);
      await t.email();
      const after = await all(t);
      if (after.every(({ id, used }) => used === before.find((one) => one.id === id)?.used)) {
        t.skip("an email changed the usage of no quota");
      }
      const { changed } = await events.nextState(10_000);
      isString(changed[t.accountId]?.Quota, "state of Quota");
    },
  },
]);

const changes = defineTests({ rfc, section: "4.3", title: "Quota/changes", requires: [...requires, mail] }, [
  {
    id: "updated-properties",
    level: "MUST",
    says: "updatedProperties: if only the “used” property has changed since the old state, this will be a list containing only that property. If the server is unable to tell, it MUST be null.",
    exclusive: true,
    run: async (t) => {
      const before = await all(t);
      const { state: sinceState } = await t.one<GetResult>("Quota/get", { ids: [] }, using);
      await t.email();
      const after = await all(t);
      const grown = after.filter(({ id, used }) => used !== before.find((one) => one.id === id)?.used);
      const [first] = grown;
      const { id } = first ?? t.skip("an email changed the usage of no quota");
      const answer = await t.one<ChangesResult & Json>("Quota/changes", { sinceState }, using);
      includes(answer.updated, id, "updated");
      ok("updatedProperties" in answer, "no updatedProperties");
      if (answer.updatedProperties !== null) includes(answer.updatedProperties, "used", "updatedProperties");
    },
  },
]);

const queries = defineTests({ rfc, section: "4.4", title: "Quota/query", requires }, [
  {
    id: "filters",
    level: "MUST",
    says: "name: contains the given string; scope and resourceType: match exactly; type: types contains it. All the given conditions must match.",
    run: async (t) => {
      const list = await all(t);
      const [{ name, scope, resourceType, types }] = list as [Quota];
      const find = async (filter: Json) => (await t.one<QueryResult>("Quota/query", { filter }, using)).ids;
      const ids = (keep: (one: Quota) => boolean): string[] => list.filter(keep).map((one) => one.id);
      sameMembers(
        await find({}),
        ids(() => true),
        "ids without a condition",
      );
      sameMembers(
        await find({ resourceType }),
        ids((one) => one.resourceType === resourceType),
        "ids by resourceType",
      );
      sameMembers(
        await find({ scope }),
        ids((one) => one.scope === scope),
        "ids by scope",
      );
      sameMembers(
        await find({ name }),
        ids((one) => one.name.includes(name)),
        "ids by name",
      );
      if (types[0])
        sameMembers(
          await find({ type: types[0] }),
          ids((one) => one.types.includes(types[0]!)),
          "ids by type",
        );
      same(await find({ name: t.unique("none") }), [], "ids by a name that none has");
      excludes(
        await find({ resourceType: resourceType === "count" ? "octets" : "count" }),
        list[0]?.id,
        "ids by the other",
      );
    },
  },
  {
    id: "sorts",
    level: "MUST",
    says: "The following Quota properties MUST be supported for sorting: name, used.",
    run: async (t) => {
      const list = await all(t);
      for (const property of ["name", "used"]) {
        const { ids } = await t.one<QueryResult>("Quota/query", { sort: [{ property, isAscending: false }] }, using);
        equal(ids.length, list.length, "number of ids");
        if (property === "used") {
          const used = ids.map((id) => list.find((one) => one.id === id)?.used ?? 0);
          same(
            used,
            used.toSorted((a, b) => b - a),
            "usage in order",
          );
        }
      }
    },
  },
]);

export const quotas = [...filtered, ...gets, ...changes, ...queries, ...pushes];
