import { core, type GetResult, type Json } from "../client/types.ts";
import { defineTests } from "../runner/define.ts";
import { equal, matches, ok, same, setError, show } from "../runner/expect.ts";
import { nowhere, table } from "./support.ts";
import { set, settable, singleton, type Vacation, vacationGroup } from "./vacation.ts";

const get = defineTests(vacationGroup("8.1", "VacationResponse/get"), [
  {
    id: "singleton",
    level: "MUST",
    says: 'There MUST only be exactly one VacationResponse object in an account. It MUST have the id "singleton".',
    run: async (t) => {
      for (const args of [{ ids: null }, {}, { ids: ["singleton"] }]) {
        const { list, notFound } = await t.one<GetResult>("VacationResponse/get", args);
        same(
          list.map(({ id }) => id),
          ["singleton"],
          "ids",
        );
        same(notFound, [], "notFound");
      }
    },
  },
  {
    id: "properties",
    level: "MUST",
    says: 'isEnabled: "Boolean"; fromDate, toDate: "UTCDate|null"; subject, textBody, htmlBody: "String|null".',
    run: async (t) => {
      const found = await t.find<Vacation>("VacationResponse", "singleton");
      equal(typeof found.isEnabled, "boolean", "type of isEnabled");
      for (const name of settable.slice(1)) {
        ok(found[name] === null || typeof found[name] === "string", `${name} is ${show(found[name])}`);
      }
    },
  },
  {
    id: "not-found",
    level: "MUST",
    says: 'There is only ever one VacationResponse object, and its id is "singleton".',
    run: async (t) => {
      const { list, notFound } = await t.one<GetResult>("VacationResponse/get", { ids: [nowhere], properties: ["id"] });
      same([list, notFound], [[], [nowhere]], "list and notFound");
    },
  },
  {
    id: "needs-capability",
    level: "MUST",
    says: "This represents support for the VacationResponse data type and associated API methods.",
    run: async (t) => {
      await t.error("VacationResponse/get", { ids: null }, "unknownMethod", [core]);
    },
  },
]);

const full = {
  fromDate: "2030-01-01T00:00:00Z",
  toDate: "2030-02-01T00:00:00Z",
  subject: "Żółw away",
  textBody: "I am away\nuntil later",
  htmlBody: "<p>I am <b>away</b></p>",
};
const invalid: [string, Json][] = [
  ["enabled-type", { isEnabled: "yes" }],
  ["from-date", { fromDate: "tomorrow" }],
  ["to-date-zone", { toDate: "2030-01-01T00:00:00+01:00" }],
  ["subject-type", { subject: 5 }],
  ["text-type", { textBody: ["a"] }],
  ["unknown-property", { colour: "red" }],
  ["id", { id: "another" }],
];

const sets = defineTests(vacationGroup("8.2", "VacationResponse/set"), [
  {
    id: "update",
    level: "MUST",
    exclusive: true,
    says: 'This is a standard "/set" method.',
    run: async (t) => {
      await singleton(t);
      await set(t, { isEnabled: false, ...full });
      matches(await t.find("VacationResponse", "singleton"), { isEnabled: false, ...full }, "VacationResponse");
      const nulls = { fromDate: null, toDate: null, subject: null, textBody: null, htmlBody: null };
      await set(t, nulls);
      matches(await t.find("VacationResponse", "singleton"), nulls, "VacationResponse");
      await set(t, { isEnabled: true });
      matches(await t.find("VacationResponse", "singleton"), { isEnabled: true, ...nulls }, "VacationResponse");
    },
  },
  {
    id: "state",
    level: "MUST",
    exclusive: true,
    says: 'This is a standard "/set" method: the state changes with the data.',
    run: async (t) => {
      await singleton(t);
      const before = await t.state("VacationResponse");
      await set(t, { subject: t.unique("subject") });
      ok((await t.state("VacationResponse")) !== before, "the state did not change");
      await t.error(
        "VacationResponse/set",
        { ifInState: before, update: { singleton: { subject: "x" } } },
        "stateMismatch",
      );
    },
  },
  {
    id: "create",
    level: "MUST",
    says: "VacationResponse and other singletons: create and destroy answer the SetError singleton.",
    run: async (t) =>
      setError((await t.set("VacationResponse", { create: { k: { isEnabled: false } } })).notCreated, "k", "singleton"),
  },
  {
    id: "destroy",
    level: "MUST",
    says: "VacationResponse and other singletons: create and destroy answer the SetError singleton.",
    run: async (t) =>
      setError((await t.set("VacationResponse", { destroy: ["singleton"] })).notDestroyed, "singleton", "singleton"),
  },
  {
    id: "update-not-found",
    level: "MUST",
    says: 'This is a standard "/set" method: notFound.',
    run: async (t) =>
      setError(
        (await t.set("VacationResponse", { update: { [nowhere]: { isEnabled: false } } })).notUpdated,
        nowhere,
        "notFound",
      ),
  },
  ...table(invalid, ([name, patch]) => ({
    id: `refused-${name}`,
    level: "MUST",
    exclusive: true,
    says: 'This is a standard "/set" method: invalidProperties.',
    run: async (t) => {
      await singleton(t);
      const { notUpdated } = await t.set("VacationResponse", { update: { singleton: patch } });
      setError(notUpdated, "singleton", "invalidProperties");
    },
  })),
]);

export const vacationResponse = [...get, ...sets];
