import { core, type Invocation, type Json, mail } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, isString, matches, methodError, same } from "../runner/expect.ts";
import { noSuchId } from "./support.ts";

const group = { rfc: "rfc8620", section: "3.6.2", title: "Method-level errors", requires: [core] };

const general = defineTests(group, [
  {
    id: "unknown-method",
    level: "MUST",
    says: "unknownMethod: the server does not recognise this method name.",
    run: async (t) => {
      for (const name of ["Core/nothing", "Nothing/get", "echo", "", "Core/echo/x", "constructor", "__proto__"]) {
        methodError((await t.call([[name, {}, "0"]]))[0], "unknownMethod");
      }
    },
  },
  {
    id: "further-calls",
    level: "MUST",
    says: "Any further method calls in the request MUST then be processed as normal. Errors at the method level MUST NOT generate an HTTP-level error.",
    run: async (t) => {
      const answers = await t.call([
        ["Core/echo", { a: 1 }, "0"],
        ["No/such", {}, "1"],
        ["Core/echo", { a: 2 }, "2"],
      ]);
      matches(answers[1], ["error", { type: "unknownMethod" }, "1"], "second response");
      same(
        [answers[0], answers[2]],
        [
          ["Core/echo", { a: 1 }, "0"],
          ["Core/echo", { a: 2 }, "2"],
        ],
        "the others",
      );
    },
  },
  {
    id: "type-property",
    level: "MUST",
    says: "The response name is “error”, and it MUST have a type property.",
    run: async (t) => {
      const [answer] = await t.call([["Core/nothing", {}, "0"]]);
      equal(answer?.[0], "error", "name");
      isString(answer?.[1].type, "type");
    },
  },
]);

const wrong: readonly [string, string, Json][] = [
  ["ids-string", "Mailbox/get", { ids: "a" }],
  ["ids-of-numbers", "Mailbox/get", { ids: [1] }],
  ["ids-object", "Mailbox/get", { ids: {} }],
  ["properties-string", "Mailbox/get", { ids: [], properties: "name" }],
  ["create-array", "Mailbox/set", { create: [] }],
  ["update-array", "Mailbox/set", { update: [] }],
  ["destroy-object", "Mailbox/set", { destroy: {} }],
  ["state-number", "Mailbox/changes", { sinceState: 1 }],
  ["filter-array", "Mailbox/query", { filter: [] }],
  ["sort-object", "Mailbox/query", { sort: { property: "name" } }],
  ["position-string", "Mailbox/query", { position: "0" }],
  ["total-string", "Mailbox/query", { calculateTotal: "yes" }],
  ["account-number", "Mailbox/get", { accountId: 1, ids: [] }],
];

const args = defineTests({ ...group, requires: [core, mail] }, [
  ...wrong.map(([name, method, given]) => ({
    id: `invalid-arguments[${name}]`,
    level: "MUST" as const,
    says: "invalidArguments: one of the arguments is of the wrong type or is otherwise invalid, or a required argument is missing.",
    run: (t: TestContext) => t.error(method, given, "invalidArguments"),
  })),
  {
    id: "account-id-missing",
    level: "MUST",
    says: "invalidArguments: a required argument is missing (no default account is guessed).",
    run: (t) => t.error("Mailbox/get", { accountId: undefined, ids: [] }, "invalidArguments"),
  },
  {
    id: "account-not-found",
    level: "MUST",
    says: "accountNotFound: the accountId does not correspond to a valid account.",
    run: async (t) => {
      const accountId = noSuchId;
      await t.error("Mailbox/get", { accountId, ids: [] }, "accountNotFound");
      await t.error("Mailbox/set", { accountId }, "accountNotFound");
      await t.error("Mailbox/changes", { accountId, sinceState: "0" }, "accountNotFound");
      await t.error("Email/query", { accountId }, "accountNotFound");
    },
  },
  {
    id: "account-of-another",
    level: "MUST",
    says: "A user has a set of permissions determining the data that they can see; accountNotFound or forbidden.",
    needs: ["user2"],
    run: async (t) => {
      const { accountId } = t.client2;
      if (accountId in t.session.accounts) t.skip("the first user may open the second user's account");
      const refusal = ["accountNotFound", "forbidden"];
      await t.error("Mailbox/get", { accountId, ids: null }, refusal);
      await t.error("Email/query", { accountId }, refusal);
      await t.error("Mailbox/set", { accountId, create: { m: { name: "intruder" } } }, refusal);
    },
  },
  {
    id: "account-read-only",
    level: "MUST",
    says: "accountReadOnly: this method modifies state, but the account is read-only.",
    run: async (t) => {
      const readOnly = Object.entries(t.session.accounts).find(([, { isReadOnly }]) => isReadOnly);
      const accountId = readOnly?.[0] ?? t.skip("the session has no read-only account");
      await t.error("Mailbox/set", { accountId, create: { m: { name: t.unique() } } }, "accountReadOnly");
    },
  },
  {
    id: "account-not-supported",
    level: "MUST",
    says: "accountNotSupportedByMethod: the accountId given corresponds to a valid account, but the account does not support this method or data type.",
    run: async (t) => {
      const without = Object.entries(t.session.accounts).find(([, account]) => !(mail in account.accountCapabilities));
      const accountId = without?.[0] ?? t.skip("every account of the session has mail");
      await t.error("Mailbox/get", { accountId, ids: [] }, "accountNotSupportedByMethod");
    },
  },
  {
    id: "no-change-on-error",
    level: "MUST",
    says: "The externally visible state of the server MUST NOT have changed if an error is returned at the method level.",
    run: async (t) => {
      const name = t.unique("never");
      const create = { m: { name, parentId: await t.box() } };
      await t.error("Mailbox/set", { create, destroy: "wrong" }, "invalidArguments");
      await t.error("Mailbox/set", { create, ifInState: noSuchId }, "stateMismatch");
      const { ids } = await t.one<{ ids: string[] }>("Mailbox/query", { filter: { name } });
      same(ids, [], "mailboxes made by the refused calls");
    },
  },
]);

const security = defineTests({ ...group, section: "3.9", title: "Security", requires: [core, mail] }, [
  {
    id: "unknown-argument",
    level: "MUST",
    says: "In case of invalid arguments (unknown/insufficient/wrong type for data, etc.), the method MUST return an “invalidArguments” error and terminate.",
    run: async (t) => {
      await t.error("Mailbox/get", { ids: [], noSuchArgument: true }, "invalidArguments");
      await t.error("Mailbox/set", { noSuchArgument: true }, "invalidArguments");
      await t.error("Mailbox/query", { noSuchArgument: true }, "invalidArguments");
    },
  },
  {
    id: "prototype-arguments",
    level: "MUST",
    says: "The server must be strict about data received from the client (names that mean something to a programming language).",
    run: async (t) => {
      const call: Invocation = ["Mailbox/get", { accountId: t.accountId, ids: ["constructor", "__proto__"] }, "0"];
      const [answer] = await t.call([call]);
      if (answer?.[0] === "error") methodError(answer, "invalidArguments");
      else same(answer?.[1].list, [], "list");
    },
  },
]);

export const methodErrors = [...general, ...args, ...security];
