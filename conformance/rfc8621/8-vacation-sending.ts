import { one } from "../client/client.ts";
import type { GetResult, Json, SetResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, ok, same, show } from "../runner/expect.ts";
import { rawMessage } from "../runner/message.ts";
import { table } from "./support.ts";
import { set, singleton, vacationGroup } from "./vacation.ts";

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

/**
 * The first user is away; a message comes whose return path is the second one's. Its From is not: a server may well file
 * to Junk what claims to be written by a user of its own and comes from outside.
 */
async function answered(
  t: TestContext,
  settings: Json,
  headers: readonly string[] = [],
  wanted = 1,
  from?: string,
  to?: string,
): Promise<{ list: Reply[]; messageId: string }> {
  const mark = t.unique("vacationmark").replaceAll("-", "");
  const sender = await secondAddress(t);
  await singleton(t);
  const open = { isEnabled: true, fromDate: null, toDate: null, htmlBody: null };
  await set(t, { ...open, subject: `Away ${mark}`, textBody: `I am away ${mark}`, ...settings });
  const messageId = `${mark}@conformance.example`;
  const raw = rawMessage({
    to: to ?? t.smtp.address,
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

export const vacationSending = defineTests(vacationGroup("8", "Vacation responses that are sent"), [
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
  {
    id: "sends-not-to-null-sender",
    level: "MUST",
    exclusive: true,
    needs,
    says: `${rfc3834} (There: an automatic response must not be sent to the null return path.)`,
    run: async (t) => equal((await answered(t, {}, [], 0, "")).list.length, 0, "number of answers"),
  },
  {
    id: "sends-not-when-not-named",
    level: "SHOULD",
    exclusive: true,
    needs,
    says: `${rfc3834} (There: a personal responder should answer only if one of the recipient's addresses is named in To, Cc or Bcc.)`,
    run: async (t) => {
      const { list } = await answered(t, {}, [], 0, undefined, "Others <others@conformance.example>");
      equal(list.length, 0, "number of answers");
    },
  },
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
  {
    id: "sends-within-dates",
    level: "MUST",
    exclusive: true,
    needs,
    says: 'fromDate, toDate: messages that arrive on or after this date-time (but before the "toDate") should receive the user\'s vacation response.',
    run: async (t) => {
      const dates = { fromDate: "2001-01-01T00:00:00Z", toDate: "2100-01-01T00:00:00Z" };
      if ((await answered(t, dates)).list.length === 0) t.skip("the sender has been answered lately");
    },
  },
  {
    id: "sends-once",
    level: "SHOULD",
    exclusive: true,
    needs,
    says: `${rfc3834} (There: the same response should not be sent to the same sender more than once within a period of several days.)`,
    run: async (t) => {
      const { list } = await answered(t, {});
      if (list.length === 0) t.skip("the sender has been answered lately");
      const sender = await secondAddress(t);
      const messageId = t.unique("second");
      const raw = rawMessage({ to: t.smtp.address, messageId: `<${messageId}@conformance.example>` });
      await t.deliver(raw, sender);
      const mark = String(list[0]?.subject).replace("Away ", "");
      t.defer(async () => {
        const { ids } = await t.one<{ ids: string[] }>("Email/query", {
          filter: { header: ["Message-ID", messageId] },
        });
        await t.set("Email", { destroy: ids });
      });
      await t.sleep(3000);
      equal((await replies(t, mark, 0, 0)).length, 1, "number of answers");
    },
  },
]);
