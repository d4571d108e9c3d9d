import { one } from "../client/client.ts";
import { core, type GetResult, type Json, type SetResult, vacation } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, matches, ok, same, setError, show } from "../runner/expect.ts";
import { rawMessage } from "../runner/message.ts";
import { nowhere, table, update } from "./support.ts";

type Vacation = Json & { id: string; isEnabled: boolean };
const group = (section: string, title: string) => ({ rfc: "rfc8621", section, title, requires: [core, vacation] });
const settable = ["isEnabled", "fromDate", "toDate", "subject", "textBody", "htmlBody"];

/** There is only one, which is put back as it was. */
async function singleton(t: TestContext): Promise<Vacation> {
  const found = await t.find<Vacation>("VacationResponse", "singleton");
  const before = Object.fromEntries(settable.map((name) => [name, found[name]]));
  t.defer(() => t.set("VacationResponse", { update: { singleton: before } }));
  return found;
}

async function set(t: TestContext, patch: Json): Promise<void> {
  await update(t, "VacationResponse", "singleton", patch);
}

const get = defineTests(group("8.1", "VacationResponse/get"), [
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

const sets = defineTests(group("8.2", "VacationResponse/set"), [
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

type Reply = Json & { id: string; subject: string };

/** The address of the second user, to whom the answers go. */
async function secondAddress(t: TestContext): Promise<string> {
  const { username, accounts } = t.client2.session;
  const address = [username, accounts[t.client2.accountId]?.name].find((name) => name?.includes("@"));
  return address ?? t.skip("the second user's address is not known");
}

/** What the second user has got that names the mark, waiting for it or for the time that it could have come in. */
async function replies(t: TestContext, mark: string, wanted: number, waitMs: number): Promise<Reply[]> {
  const end = Date.now() + waitMs;
  for (;;) {
    const { ids } = await one<{ ids: string[] }>(t.client2, "Email/query", { filter: { text: mark } });
    if ((wanted > 0 && ids.length >= wanted) || Date.now() > end) {
      t.defer(() => one<SetResult>(t.client2, "Email/set", { destroy: ids }));
      const properties = [
        "subject",
        "from",
        "to",
        "inReplyTo",
        "references",
        "preview",
        "header:Auto-Submitted:asText",
      ];
      return (await one<GetResult<Reply>>(t.client2, "Email/get", { ids, properties })).list;
    }
    await t.sleep(250);
  }
}

/** The first user is away; a message comes from the second one. */
async function answered(
  t: TestContext,
  settings: Json,
  headers: readonly string[] = [],
  wanted = 1,
  from?: string,
): Promise<{ list: Reply[]; messageId: string }> {
  const mark = t.unique("vacationmark").replaceAll("-", "");
  const sender = await secondAddress(t);
  await singleton(t);
  const open = { isEnabled: true, fromDate: null, toDate: null, htmlBody: null };
  await set(t, { ...open, subject: `Away ${mark}`, textBody: `I am away ${mark}`, ...settings });
  const messageId = `${mark}@conformance.example`;
  const raw = rawMessage({
    from: `Second <${sender}>`,
    to: t.smtp.address,
    subject: "Are you there?",
    messageId: `<${messageId}>`,
    headers,
  });
  await t.deliver(raw, from ?? sender);
  t.defer(async () => {
    const { ids } = await t.one<{ ids: string[] }>("Email/query", { filter: { header: ["Message-ID", messageId] } });
    await t.set("Email", { destroy: ids });
  });
  return { list: await replies(t, mark, wanted, wanted > 0 ? 10_000 : 3000), messageId };
}

const needs = ["user2", "smtp"] as const;
const rfc3834 =
  "Automated message sending can produce undesirable behaviour. To avoid this, implementors MUST follow the recommendations set forth in [RFC3834].";

const sending = defineTests(group("8", "Vacation responses that are sent"), [
  ...table<[string, string, Json, readonly string[]]>(
    [
      [
        "disabled",
        'isEnabled: Should a vacation response be sent if a message arrives between the "fromDate" and "toDate"?',
        { isEnabled: false },
        [],
      ],
      [
        "before-from-date",
        "fromDate: messages that arrive on or after this date-time should receive the user's vacation response.",
        { fromDate: "2100-01-01T00:00:00Z" },
        [],
      ],
      [
        "after-to-date",
        "toDate: messages that arrive before this date-time should receive the user's vacation response.",
        { toDate: "2001-01-01T00:00:00Z" },
        [],
      ],
      ["to-automatic", rfc3834, {}, ["Auto-Submitted: auto-generated"]],
      ["to-list", rfc3834, {}, ["List-Id: <list.conformance.example>", "Precedence: list"]],
    ],
    ([name, says, settings, headers]) => ({
      id: `sends-not-${name}`,
      level: "MUST",
      exclusive: true,
      needs,
      says,
      run: async (t) => equal((await answered(t, settings, headers, 0)).list.length, 0, "number of answers"),
    }),
  ),
  // The last of them: a sender is answered once in a while only.
  {
    id: "sends",
    level: "MUST",
    exclusive: true,
    needs,
    says: 'A vacation response sends an automatic reply when a message is delivered to the mail store. If "isEnabled" is true, messages that arrive on or after the fromDate (but before the "toDate" if defined) should receive the user\'s vacation response.',
    run: async (t) => {
      const { list, messageId } = await answered(t, {});
      equal(list.length, 1, "number of answers");
      const [reply] = list as [Reply];
      ok(reply.subject.startsWith("Away "), `subject is ${reply.subject}`);
      ok(String(reply.preview).includes("I am away"), `preview is ${reply.preview}`);
      same(reply.inReplyTo, [messageId], "inReplyTo");
      ok(
        String(reply["header:Auto-Submitted:asText"]).startsWith("auto-replied"),
        "Auto-Submitted is not auto-replied",
      );
    },
  },
  ...table<[string, string, Json, (reply: Reply) => boolean]>(
    [
      [
        "default-subject",
        "subject: If null, an appropriate subject SHOULD be set by the server.",
        { subject: null },
        ({ subject }) => typeof subject === "string" && subject !== "",
      ],
      [
        "html-as-text",
        'textBody: If this is null, the server SHOULD generate a plaintext body part from the "htmlBody" when sending vacation responses.',
        { textBody: null, htmlBody: "<p>I am <b>far</b> away</p>" },
        ({ preview }) => String(preview).includes("I am far away"),
      ],
      [
        "default-body",
        'textBody: If both "textBody" and "htmlBody" are null, an appropriate default body SHOULD be generated for responses by the server.',
        { textBody: null, htmlBody: null },
        ({ preview }) => preview !== "",
      ],
    ],
    ([name, says, settings, good]) => ({
      id: `sends-${name}`,
      level: "SHOULD",
      exclusive: true,
      needs,
      says,
      run: async (t) => {
        const [reply] = (await answered(t, settings)).list;
        if (!reply) return t.skip("the sender has been answered lately");
        ok(good(reply), `the answer is ${show(reply)}`);
      },
    }),
  ),
]);

export const vacationResponse = [...get, ...sets, ...sending];
