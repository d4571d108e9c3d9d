import { ref } from "../client/client.ts";
import { core, type Invocation, type Json, mail } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests, type TestDefinition } from "../runner/define.ts";
import { equal, methodError, same, sameMembers } from "../runner/expect.ts";

const group = { rfc: "rfc8620", section: "3.7", title: "References to previous method results", requires: [core] };

const source = {
  ids: ["a", "b"],
  list: [
    { id: "x", tags: ["t1", "t2"], one: 1 },
    { id: "y", tags: ["t3"], one: 2 },
    { id: "z", tags: [], one: 3 },
  ],
  nested: [[1, 2], [[3], 4], 5],
  keyed: { "a/b": 1, "m~n": 2, "*": "star", "": "empty", 0: "zero" },
  no: null,
  deep: [{ rows: [{ v: [1, 2] }, { v: [3] }] }, { rows: [{ v: [] }, { v: [4] }] }],
};

/** What the pointer finds in the arguments of an echo, which a second echo shows. */
async function resolved(t: TestContext, path: string): Promise<Invocation | undefined> {
  const [, answer] = await t.call([
    ["Core/echo", source, "t0"],
    ["Core/echo", { "#value": ref("t0", "Core/echo", path) }, "t1"],
  ]);
  return answer;
}

const found: readonly [string, string, unknown, string][] = [
  [
    "property",
    "/ids",
    ["a", "b"],
    "Apply the “path” to the arguments object of the response following the JSON Pointer algorithm.",
  ],
  ["index", "/list/1/id", "y", "Apply the “path” following the JSON Pointer algorithm."],
  ["null-value", "/no", null, "Apply the “path” following the JSON Pointer algorithm."],
  ["root", "", source, "The empty JSON Pointer is the whole document (RFC 6901)."],
  ["slash-escape", "/keyed/a~1b", 1, "~1 is / in a JSON Pointer (RFC 6901)."],
  ["tilde-escape", "/keyed/m~0n", 2, "~0 is ~ in a JSON Pointer (RFC 6901)."],
  ["empty-key", "/keyed/", "empty", "A reference token may be empty (RFC 6901)."],
  ["star-key", "/keyed/*", "star", "Only if the currently referenced value is a JSON array does * map."],
  ["number-key", "/keyed/0", "zero", "In an object a token of digits is a member's name (RFC 6901)."],
  [
    "star",
    "/list/*/id",
    ["x", "y", "z"],
    "* applies the rest of the pointer tokens to every item in the array and returns the results in the same order in a new array.",
  ],
  [
    "star-flattens",
    "/list/*/tags",
    ["t1", "t2", "t3"],
    "If the result of applying the rest of the pointer tokens to each item was itself an array, the contents of this array are added to the output.",
  ],
  [
    "star-last",
    "/nested/*",
    [1, 2, [3], 4, 5],
    "Its items should be included individually in the output rather than including the array itself (flattened by one level).",
  ],
  [
    "star-twice",
    "/deep/*/rows/*/v",
    [1, 2, 3, 4],
    "The result is flattened from an array of arrays to a single array.",
  ],
];

const lost: readonly [string, string][] = [
  ["missing-property", "/nothing"],
  ["index-past-end", "/ids/2"],
  ["index-of-append", "/ids/-"],
  ["index-leading-zero", "/ids/01"],
  ["into-string", "/list/0/id/0"],
  ["into-null", "/no/x"],
  ["star-missing-property", "/list/*/nothing"],
  ["no-leading-slash", "ids"],
  ["inherited", "/constructor"],
  ["array-length", "/ids/length"],
];

const pointers: TestDefinition[] = [
  ...found.map(([name, path, value, says]) => ({
    id: `pointer-${name}`,
    level: "MUST" as const,
    says,
    run: async (t: TestContext) => same(await resolved(t, path), ["Core/echo", { value }, "t1"], `value at "${path}"`),
  })),
  ...lost.map(([name, path]) => ({
    id: `unresolved-${name}`,
    level: "MUST" as const,
    says: "If any result reference fails to resolve, the whole method MUST be rejected with an “invalidResultReference” error.",
    run: async (t: TestContext) => methodError(await resolved(t, path), "invalidResultReference"),
  })),
];

async function second(t: TestContext, args: Json, first: Invocation[] = [["Core/echo", source, "t0"]]) {
  return (await t.call([...first, ["Core/echo", args, "last"]])).at(-1);
}

const rules: TestDefinition[] = [
  {
    id: "unknown-call-id",
    level: "MUST",
    says: "Find the first response with a method call id identical to the “resultOf” property. If none, evaluation fails.",
    run: async (t) => methodError(await second(t, { "#v": ref("t1", "Core/echo", "/ids") }), "invalidResultReference"),
  },
  {
    id: "own-call-id",
    level: "MUST",
    says: "The method call id of a previous method call in the current request.",
    run: async (t) => methodError(await second(t, { "#v": ref("last", "Core/echo", "") }), "invalidResultReference"),
  },
  {
    id: "later-call-id",
    level: "MUST",
    says: "From previously processed method calls in the same request.",
    run: async (t) => {
      const [first] = await t.call([
        ["Core/echo", { "#v": ref("t1", "Core/echo", "/ids") }, "t0"],
        ["Core/echo", source, "t1"],
      ]);
      methodError(first, "invalidResultReference");
    },
  },
  {
    id: "wrong-name",
    level: "MUST",
    says: "If the response name is not identical to the “name” property of the ResultReference, evaluation fails.",
    run: async (t) => methodError(await second(t, { "#v": ref("t0", "Core/get", "/ids") }), "invalidResultReference"),
  },
  {
    id: "failed-call",
    level: "MUST",
    says: "If the response name is not identical to the “name” property, evaluation fails (an error's name is “error”).",
    run: async (t) => {
      const answer = await second(t, { "#v": ref("e", "No/such", "/ids") }, [["No/such", {}, "e"]]);
      methodError(answer, "invalidResultReference");
    },
  },
  {
    id: "first-of-same-call-id",
    level: "MUST",
    says: "Find the first response with a method call id identical to the “resultOf” property.",
    run: async (t) => {
      const answer = await second(t, { "#v": ref("same", "Core/echo", "/n") }, [
        ["Core/echo", { n: 1 }, "same"],
        ["Core/echo", { n: 2 }, "same"],
      ]);
      same(answer?.[1], { v: 1 }, "arguments");
    },
  },
  {
    id: "first-has-other-name",
    level: "MUST",
    says: "Find the first response with that method call id; if its name is not identical, evaluation fails.",
    run: async (t) => {
      const answer = await second(t, { "#v": ref("same", "Core/echo", "/n") }, [
        ["No/such", {}, "same"],
        ["Core/echo", { n: 2 }, "same"],
      ]);
      methodError(answer, "invalidResultReference");
    },
  },
  {
    id: "both-forms",
    level: "MUST",
    says: "If an arguments object contains the same argument name in normal and referenced form, the method MUST return an “invalidArguments” error.",
    run: async (t) => {
      const answer = await second(t, { v: 1, "#v": ref("t0", "Core/echo", "/ids") });
      methodError(answer, "invalidArguments");
    },
  },
  {
    id: "one-of-several-fails",
    level: "MUST",
    says: "If any result reference fails to resolve, the whole method MUST be rejected.",
    run: async (t) => {
      const good = ref("t0", "Core/echo", "/ids");
      const answer = await second(t, { "#good": good, "#bad": ref("t0", "Core/echo", "/nothing") });
      methodError(answer, "invalidResultReference");
    },
  },
  {
    id: "malformed-reference",
    level: "MUST",
    says: "A ResultReference object has the properties resultOf, name and path.",
    run: async (t) => {
      const refusal = ["invalidArguments", "invalidResultReference"];
      methodError(await second(t, { "#v": { resultOf: "t0", name: "Core/echo" } }), refusal);
      methodError(await second(t, { "#v": "t0" }), refusal);
      methodError(await second(t, { "#v": null }), refusal);
    },
  },
  {
    id: "only-argument-names",
    level: "MUST",
    says: "The server MUST first check the arguments object for any names beginning with “#” (not the objects inside it).",
    run: async (t) => {
      const inner = { "#v": ref("t0", "Core/echo", "/ids") };
      same((await second(t, { inner }))?.[1], { inner }, "arguments");
    },
  },
];

const chains = defineTests({ ...group, requires: [core, mail] }, [
  {
    id: "query-get-thread-get",
    level: "MUST",
    says: "Fetch the “from”/“date”/“subject” for every Email in the first 10 Threads in the inbox (the example of the section).",
    run: async (t) => {
      const box = await t.box();
      const mails = await t.emails([{ subject: "one" }, { subject: "two" }, { subject: "three" }]);
      const { accountId } = t;
      const answers = await t.call([
        ["Email/query", { accountId, filter: { inMailbox: box }, collapseThreads: true, limit: 10 }, "t0"],
        ["Email/get", { accountId, "#ids": ref("t0", "Email/query", "/ids"), properties: ["threadId"] }, "t1"],
        ["Thread/get", { accountId, "#ids": ref("t1", "Email/get", "/list/*/threadId") }, "t2"],
        [
          "Email/get",
          { accountId, "#ids": ref("t2", "Thread/get", "/list/*/emailIds"), properties: ["subject"] },
          "t3",
        ],
      ]);
      const list = (answers[3]?.[1].list ?? []) as { id: string; subject: string }[];
      sameMembers(
        list.map(({ id }) => id),
        mails.map(({ id }) => id),
        "ids of the last Email/get",
      );
      sameMembers(
        list.map(({ subject }) => subject),
        ["one", "two", "three"],
        "subjects",
      );
    },
  },
  {
    id: "changes-get",
    level: "MUST",
    says: "To execute the Foo/get call, the reference selects the “created” property of Foo/changes.",
    run: async (t) => {
      const sinceState = await t.state("Mailbox");
      const id = await t.mailbox();
      const [, answer] = await t.call([
        ["Mailbox/changes", { accountId: t.accountId, sinceState }, "t0"],
        ["Mailbox/get", { accountId: t.accountId, "#ids": ref("t0", "Mailbox/changes", "/created") }, "t1"],
      ]);
      const list = (answer?.[1].list ?? []) as { id: string }[];
      equal(
        list.some((one) => one.id === id),
        true,
        "whether the new mailbox is in the list",
      );
    },
  },
  {
    id: "wrong-type",
    level: "MUST",
    says: "The value is used as the “real” argument; the method is then processed as normal.",
    run: async (t) => {
      const [, answer] = await t.call([
        ["Core/echo", { v: 5 }, "t0"],
        ["Mailbox/get", { accountId: t.accountId, "#ids": ref("t0", "Core/echo", "/v") }, "t1"],
      ]);
      methodError(answer, "invalidArguments");
    },
  },
]);

export const references = [...defineTests(group, [...pointers, ...rules]), ...chains];
