import { core, type Invocation, type JmapResponse, type Json, mail } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, isObject, isString, matches, ok, same, setError } from "../runner/expect.ts";
import { createdId, mediaType, parse } from "./support.ts";

const rfc = "rfc8620";
const echo = (id: string, args: Json = {}): Invocation => ["Core/echo", args, id];

const making = defineTests({ rfc, section: "3.1", title: "Making an API request", requires: [core] }, [
  {
    id: "json-response",
    level: "MUST",
    says: "If successful, the response MUST also be of type application/json and consist of a single Response object.",
    run: async (t) => {
      const answer = await t.client.request(JSON.stringify({ using: [core], methodCalls: [echo("a")] }));
      equal(answer.status, 200, "HTTP status");
      equal(mediaType(answer), "application/json", "Content-Type");
      matches(parse(answer), { methodResponses: [["Core/echo", {}, "a"]] }, "the response");
    },
  },
  {
    id: "content-type-parameter",
    level: "MUST",
    says: "The request MUST be of type application/json (a charset parameter does not change the type).",
    run: async (t) => {
      const body = JSON.stringify({ using: [core], methodCalls: [echo("a")] });
      const answer = await t.client.request(body, { "content-type": "application/json; charset=utf-8" });
      equal(answer.status, 200, "HTTP status");
    },
  },
]);

const invocations = defineTests({ rfc, section: "3.2", title: "The Invocation data type", requires: [core] }, [
  {
    id: "call-id-echoed",
    level: "MUST",
    says: "A method call id: an arbitrary string from the client to be echoed back with the responses emitted by that method call.",
    run: async (t) => {
      const ids = ["", "0", "ünï 😀", "a/b#c", "x".repeat(500), "0"];
      same(
        (await t.call(ids.map((id) => echo(id)))).map(([, , id]) => id),
        ids,
        "method call ids",
      );
    },
  },
  {
    id: "call-id-of-errors",
    level: "MUST",
    says: "All responses initiated by this method call get the same method call id in the response.",
    run: async (t) => {
      const [answer] = await t.call([["No/such", {}, "the id"]]);
      matches(answer, ["error", { type: "unknownMethod" }, "the id"], "response");
    },
  },
]);

const requests = defineTests({ rfc, section: "3.3", title: "The Request object", requires: [core] }, [
  {
    id: "in-order",
    level: "MUST",
    says: "The method calls MUST be processed sequentially, in order.",
    requires: [mail],
    run: async (t) => {
      const id = await t.mailbox();
      const { accountId } = t;
      const get: Invocation = ["Mailbox/get", { accountId, ids: [id], properties: ["sortOrder"] }, "get"];
      const set = (sortOrder: number): Invocation => [
        "Mailbox/set",
        { accountId, update: { [id]: { sortOrder } } },
        "set",
      ];
      const answers = await t.call([set(11), get, set(12), get]);
      const seen = answers.flatMap(([, args]) => ((args.list as Json[]) ?? []).map(({ sortOrder }) => sortOrder));
      same(seen, [11, 12], "sortOrder between the changes");
    },
  },
  {
    id: "unneeded-capability",
    level: "MUST",
    says: "The client MAY include capability identifiers even if the method calls it makes do not utilise those capabilities.",
    run: async (t) => {
      const [answer] = await t.call([echo("a")], Object.keys(t.session.capabilities));
      equal(answer?.[0], "Core/echo", "response");
    },
  },
  {
    id: "unknown-property-ignored",
    level: "MUST",
    says: "A server MUST ignore any other properties it does not understand on the JMAP Request object.",
    run: async (t) => {
      const more = { "https://conformance.example/x": { y: [1] }, future: true };
      const answer = await t.client.callRaw({ using: [core], methodCalls: [echo("a")], ...more });
      equal(answer.methodResponses[0]?.[0], "Core/echo", "response");
    },
  },
  {
    id: "no-calls",
    level: "MUST",
    says: "methodCalls: an array of method calls to process on the server (an empty one has nothing to process).",
    run: async (t) => {
      same((await t.client.callRaw({ using: [core], methodCalls: [] })).methodResponses, [], "methodResponses");
    },
  },
]);

async function createWith(t: TestContext, createdIds: Json, create: Json): Promise<JmapResponse> {
  const response = await t.client.callRaw({
    using: t.client.using,
    createdIds,
    methodCalls: [["Mailbox/set", { accountId: t.accountId, create }, "0"]],
  });
  const created = response.methodResponses[0]?.[1].created as Record<string, { id: string }> | null | undefined;
  t.destroyLater("Mailbox", ...Object.values(created ?? {}).map(({ id }) => id));
  return response;
}

const createdIds = defineTests({ rfc, section: "3.3", requires: [core, mail] }, [
  {
    id: "created-ids-initial",
    level: "MUST",
    says: "The client can pass an initial value for this map as the createdIds property of the Request object.",
    run: async (t) => {
      const parent = await t.mailbox();
      const response = await createWith(t, { given: parent }, { c: { name: "child", parentId: "#given" } });
      const made = createdId(response.methodResponses[0]?.[1] as never, "c");
      equal((await t.find("Mailbox", made, ["parentId"])).parentId, parent, "parentId");
    },
  },
  {
    id: "created-ids-across-requests",
    level: "MUST",
    says: "By passing the createdIds of the previous response to the next request, it can ensure all of these still resolve.",
    run: async (t) => {
      const parentId = await t.mailbox();
      const first = await createWith(t, {}, { one: { name: "one", parentId } });
      isObject(first.createdIds, "createdIds");
      const second = await createWith(t, first.createdIds, { two: { name: "two", parentId: "#one" } });
      const two = createdId(second.methodResponses[0]?.[1] as never, "two");
      equal((await t.find("Mailbox", two, ["parentId"])).parentId, first.createdIds.one, "parentId");
    },
  },
]);

const responses = defineTests({ rfc, section: "3.4", title: "The Response object", requires: [core] }, [
  {
    id: "response-order",
    level: "MUST",
    says: "The output of the methods MUST be added to the methodResponses array in the same order that the methods are processed.",
    run: async (t) => {
      const calls: Invocation[] = ["c", "a", "b", "a"].map((id, at) => echo(id, { at }));
      same(
        await t.call([calls[0]!, ["No/such", {}, "x"], ...calls.slice(1)]).then((all) => all.map(([, , id]) => id)),
        ["c", "x", "a", "b", "a"],
        "ids",
      );
    },
  },
  {
    id: "created-ids-only-if-given",
    level: "MUST",
    says: "createdIds: optional; only returned if given in the request.",
    run: async (t) => {
      const without = await t.client.callRaw({ using: [core], methodCalls: [echo("a")] });
      ok(!("createdIds" in without), "createdIds came without being asked for");
      const withThem = await t.client.callRaw({ using: [core], methodCalls: [echo("a")], createdIds: {} });
      same(withThem.createdIds, {}, "createdIds");
    },
  },
  {
    id: "created-ids-complete",
    level: "MUST",
    says: "This MUST include all creation ids passed in the original createdIds parameter, as well as any additional ones added for newly created records.",
    requires: [mail],
    run: async (t) => {
      const parentId = await t.mailbox();
      const response = await createWith(t, { old: "some-id" }, { fresh: { name: "fresh", parentId } });
      const id = createdId(response.methodResponses[0]?.[1] as never, "fresh");
      same(response.createdIds, { old: "some-id", fresh: id }, "createdIds");
    },
  },
  {
    id: "session-state",
    level: "MUST",
    says: "sessionState: the current value of the state string on the Session object.",
    run: async (t) => {
      isString((await t.client.callRaw({ using: [core], methodCalls: [] })).sessionState, "sessionState");
    },
  },
  {
    id: "response-name",
    level: "MUST",
    says: "Unless otherwise specified, the response name is the same as the method name in the request.",
    requires: [mail],
    run: async (t) => {
      const { accountId } = t;
      const answers = await t.call([
        ["Mailbox/get", { accountId, ids: [] }, "0"],
        ["Mailbox/query", { accountId, limit: 1 }, "1"],
        ["Mailbox/set", { accountId }, "2"],
      ]);
      same(
        answers.map(([name]) => name),
        ["Mailbox/get", "Mailbox/query", "Mailbox/set"],
        "response names",
      );
    },
  },
]);

const omitting = defineTests({ rfc, section: "3.5", title: "Omitting arguments", requires: [core, mail] }, [
  {
    id: "null-is-default",
    level: "MUST",
    says: "If omitted by the client, the server MUST treat the method call the same as if the default value had been specified; null is the default where the signature allows it.",
    exclusive: true,
    run: async (t) => {
      const id = await t.mailbox();
      const [omitted] = await t.call([["Mailbox/get", { accountId: t.accountId, ids: [id] }, "0"]]);
      const [given] = await t.call([["Mailbox/get", { accountId: t.accountId, ids: [id], properties: null }, "0"]]);
      same(given, omitted, "Mailbox/get with properties: null");
    },
  },
  {
    id: "null-accepted-by-query",
    level: "MUST",
    says: "Unless otherwise specified, null is the default value for any argument where this is allowed by the type signature.",
    run: async (t) => {
      const nulls = { filter: null, sort: null, anchor: null, limit: null };
      const [answer] = await t.call([["Mailbox/query", { accountId: t.accountId, ...nulls }, "0"]]);
      equal(answer?.[0], "Mailbox/query", "response");
    },
  },
  {
    id: "null-accepted-by-set",
    level: "MUST",
    says: "Unless otherwise specified, null is the default value for any argument where this is allowed by the type signature.",
    run: async (t) => {
      const nulls = { ifInState: null, create: null, update: null, destroy: null };
      const answer = await t.set("Mailbox", nulls);
      for (const name of ["created", "updated", "destroyed", "notCreated", "notUpdated", "notDestroyed"] as const) {
        equal(answer[name] ?? null, null, name);
      }
    },
  },
  {
    id: "mandatory-argument",
    level: "MUST",
    says: "Other arguments may only be omitted if an explicit default value is defined in the method description.",
    run: async (t) => {
      await t.error("Mailbox/changes", {}, "invalidArguments");
      await t.error("Mailbox/get", { accountId: undefined, ids: [] }, "invalidArguments");
    },
  },
  {
    id: "null-not-accepted",
    level: "MUST",
    says: "null is the default value only where this is allowed by the type signature.",
    run: async (t) => {
      await t.error("Mailbox/changes", { sinceState: null }, "invalidArguments");
      await t.error("Mailbox/get", { accountId: null, ids: [] }, "invalidArguments");
    },
  },
]);

const sequence = defineTests({ rfc, section: "3.10", title: "Concurrency", requires: [core, mail] }, [
  {
    id: "creation-then-use",
    level: "MUST",
    says: "Method calls within a single request MUST be executed in order.",
    run: async (t) => {
      const { accountId } = t;
      const parentId = await t.mailbox();
      const answers = await t.call([
        ["Mailbox/set", { accountId, create: { p: { name: "p", parentId } } }, "0"],
        ["Mailbox/set", { accountId, create: { q: { name: "q", parentId: "#p" } } }, "1"],
        ["Mailbox/set", { accountId, create: { r: { name: "r", parentId: "#later" } } }, "2"],
        ["Mailbox/set", { accountId, create: { later: { name: "later", parentId } } }, "3"],
      ]);
      const made = answers.flatMap(([, args]) => Object.values((args.created ?? {}) as Record<string, { id: string }>));
      t.destroyLater("Mailbox", ...made.map(({ id }) => id));
      equal(made.length, 3, "number of mailboxes made");
      setError(answers[2]?.[1].notCreated as never, "r", ["invalidProperties", "notFound"]);
    },
  },
]);

export const request = [...making, ...invocations, ...requests, ...createdIds, ...responses, ...omitting, ...sequence];
