import { core, type GetResult, mail } from "../client/types.ts";
import { defineTests, type TestDefinition } from "../runner/define.ts";
import { differs, equal, isString, methodError, ok, same, sameMembers } from "../runner/expect.ts";
import { noSuchId, type Subject, subjects, updateOne } from "./support.ts";

const group = { rfc: "rfc8620", section: "5.1", title: "/get", requires: [core, mail] };

const basics = ({ type, make, some }: Subject): TestDefinition[] => [
  {
    id: `response[${type}]`,
    level: "MUST",
    says: "The response has the following arguments: accountId, state, list, notFound.",
    run: async (t) => {
      const id = await make(t);
      const answer = await t.one<GetResult<{ id: string }>>(`${type}/get`, { ids: [id] });
      equal(answer.accountId, t.accountId, "accountId");
      isString(answer.state, "state");
      same(
        answer.list.map((one) => one.id),
        [id],
        "ids of the list",
      );
      same(answer.notFound, [], "notFound");
    },
  },
  {
    id: `ids-empty[${type}]`,
    level: "MUST",
    says: "list is the empty array if no objects were found or if the “ids” argument passed in was also an empty array; notFound is empty then.",
    run: async (t) => {
      const { list, notFound } = await t.one<GetResult>(`${type}/get`, { ids: [] });
      same([list, notFound], [[], []], "list and notFound");
    },
  },
  {
    id: `not-found[${type}]`,
    level: "MUST",
    says: "notFound contains the ids passed to the method for records that do not exist.",
    run: async (t) => {
      const id = await make(t);
      const answer = await t.one<GetResult<{ id: string }>>(`${type}/get`, { ids: [noSuchId, id], properties: ["id"] });
      same(answer.list, [{ id }], "list");
      same(answer.notFound, [noSuchId], "notFound");
    },
  },
  {
    id: `same-id-twice[${type}]`,
    level: "MUST",
    says: "If an identical id is included more than once in the request, the server MUST only include it once in either the “list” or the “notFound” argument of the response.",
    run: async (t) => {
      const id = await make(t);
      const ids = [id, noSuchId, id, noSuchId];
      const answer = await t.one<GetResult>(`${type}/get`, { ids, properties: ["id"] });
      same(answer.list, [{ id }], "list");
      same(answer.notFound, [noSuchId], "notFound");
    },
  },
  {
    id: `properties[${type}]`,
    level: "MUST",
    says: "If supplied, only the properties listed in the array are returned. The id property of the object is *always* returned.",
    run: async (t) => {
      const record = await t.find(type, await make(t), some);
      sameMembers(Object.keys(record), ["id", ...some], "names of the properties");
    },
  },
  {
    id: `properties-empty[${type}]`,
    level: "MUST",
    says: "The id property of the object is *always* returned, even if not explicitly requested.",
    run: async (t) => {
      const id = await make(t);
      same(await t.get(type, [id], []), [{ id }], "list");
    },
  },
  {
    id: `invalid-property[${type}]`,
    level: "MUST",
    says: "If an invalid property is requested, the call MUST be rejected with an “invalidArguments” error.",
    run: async (t) => {
      const ids = [await make(t)];
      await t.error(`${type}/get`, { ids, properties: ["id", "noSuchProperty"] }, "invalidArguments");
      await t.error(`${type}/get`, { ids: [], properties: ["constructor"] }, "invalidArguments");
    },
  },
];

const limits = ({ type, make, change, destroy }: Subject): TestDefinition[] => [
  {
    id: `request-too-large[${type}]`,
    level: "MUST",
    says: "requestTooLarge: the number of ids requested by the client exceeds the maximum number the server is willing to process in a single method call.",
    run: async (t) => {
      const count = t.limit("maxObjectsInGet");
      if (count > 20_000) t.skip(`maxObjectsInGet is ${count}`);
      const ids = Array.from({ length: count + 1 }, (_, at) => `${noSuchId}-${at}`);
      await t.error(`${type}/get`, { ids, properties: ["id"] }, "requestTooLarge");
    },
  },
  {
    id: `limit-reached[${type}]`,
    level: "MUST",
    says: "maxObjectsInGet: the maximum number of objects that the client may request in a single /get type method call.",
    run: async (t) => {
      const count = t.limit("maxObjectsInGet");
      if (count > 20_000) t.skip(`maxObjectsInGet is ${count}`);
      const ids = Array.from({ length: count }, (_, at) => `${noSuchId}-${at}`);
      equal((await t.one<GetResult>(`${type}/get`, { ids, properties: ["id"] })).notFound.length, count, "notFound");
    },
  },
  {
    id: `state-stays[${type}]`,
    level: "SHOULD",
    says: "If the Foo data is unchanged, servers SHOULD return the same state string on subsequent requests for this data type.",
    exclusive: true,
    run: async (t) => {
      await make(t);
      equal(await t.state(type), await t.state(type), "state");
    },
  },
  {
    id: `state-changes[${type}]`,
    level: "MUST",
    says: "State represents *all* the data of this type in the account. If the data changes, this string MUST change.",
    exclusive: true,
    run: async (t) => {
      const states = [await t.state(type)];
      const id = await make(t);
      states.push(await t.state(type));
      await updateOne(t, type, id, change(t));
      states.push(await t.state(type));
      await destroy(t, id);
      states.push(await t.state(type));
      equal(new Set(states).size, 4, `number of states among ${states}`);
    },
  },
];

const whole = defineTests(group, [
  {
    id: "ids-null[Mailbox]",
    level: "MUST",
    says: "If null, then *all* records of the data type are returned, if this is supported and the number of records does not exceed the maxObjectsInGet limit.",
    run: async (t) => {
      const made = await t.mailboxes([{}, {}]);
      const [answer] = await t.call([["Mailbox/get", { accountId: t.accountId, ids: null }, "0"]]);
      ok(answer, "no response");
      if (answer[0] === "error") return methodError(answer, "requestTooLarge");
      const { list, notFound } = answer[1] as GetResult<{ id: string }>;
      for (const id of made)
        ok(
          list.some((one) => one.id === id),
          `${id} is not in the list`,
        );
      return same(notFound, [], "notFound");
    },
  },
  {
    id: "all-properties[Mailbox]",
    level: "MUST",
    says: "If null, all properties of the object are returned.",
    run: async (t) => {
      const names = ["id", "name", "parentId", "role", "sortOrder", "totalEmails", "unreadEmails", "totalThreads"];
      const [record] = await t.get("Mailbox", [await t.mailbox()]);
      for (const name of [...names, "unreadThreads", "myRights", "isSubscribed"])
        ok(name in (record ?? {}), `no ${name}`);
    },
  },
  {
    id: "state-is-of-the-type",
    level: "MUST",
    says: "The state is the one of all the data of this type in the account (another account's is another).",
    needs: ["user2"],
    exclusive: true,
    run: async (t) => {
      const before = await t.client2.call([["Mailbox/get", { accountId: t.client2.accountId, ids: [] }, "0"]]);
      const own = await t.state("Mailbox");
      await t.mailbox();
      differs(await t.state("Mailbox"), own, "the first user's state");
      const after = await t.client2.call([["Mailbox/get", { accountId: t.client2.accountId, ids: [] }, "0"]]);
      equal(after[0]?.[1].state, before[0]?.[1].state, "the second user's state");
    },
  },
]);

export const get = [
  ...subjects.flatMap((subject) => defineTests(group, [...basics(subject), ...limits(subject)])),
  ...whole,
];
