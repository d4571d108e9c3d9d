import type { ChangesResult } from "../client/types.ts";
import type { MadeEmail, TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, includes, isId, ok, same, sameMembers } from "../runner/expect.ts";
import { mailGroup, nowhere, update, yes } from "./support.ts";

type Thread = { id: string; emailIds: string[] };
const group = mailGroup("3", "Threads");

function day(number: number): string {
  return `2024-03-${String(number).padStart(2, "0")}T12:00:00Z`;
}

/** A message and answers to it, received at these days. */
async function conversation(t: TestContext, days: readonly number[]): Promise<MadeEmail[]> {
  const subject = t.unique("Plan");
  const first = `<${t.unique("first")}@conformance.example>`;
  return await t.emails(
    days.map((received, at) => ({
      subject: at === 0 ? subject : `Re: ${subject}`,
      receivedAt: day(received),
      ...(at === 0 ? { messageId: first } : { inReplyTo: first, references: first }),
    })),
  );
}

/** The Thread of these Emails; skips when they are in several. */
async function threadOf(t: TestContext, emails: readonly MadeEmail[]): Promise<Thread> {
  const ids = new Set(emails.map(({ threadId }) => threadId));
  if (ids.size > 1) t.skip("the server makes several Threads of a message and its answers");
  return await t.find<Thread>("Thread", [...ids][0] as string);
}

const order = defineTests(group, [
  {
    id: "single",
    level: "MUST",
    says: "Every Email MUST belong to a Thread, even if it is the only Email in the Thread.",
    run: async (t) => {
      const { id, threadId } = await t.email();
      isId(threadId, "threadId");
      same(await t.find("Thread", threadId), { id: threadId, emailIds: [id] }, "Thread");
    },
  },
  {
    id: "order",
    level: "MUST",
    says: 'emailIds: The ids of the Emails in the Thread, sorted by the "receivedAt" date of the Email, oldest first.',
    run: async (t) => {
      const emails = await conversation(t, [5, 2, 9, 3]);
      const expected = [1, 3, 0, 2].map((at) => emails[at]?.id);
      same((await threadOf(t, emails)).emailIds, expected, "emailIds");
    },
  },
  {
    id: "order-stable",
    level: "MUST",
    says: "If two Emails have an identical date, the sort is server dependent but MUST be stable.",
    run: async (t) => {
      const emails = await conversation(t, [4, 4, 4, 4]);
      const { id, emailIds } = await threadOf(t, emails);
      sameMembers(
        emailIds,
        emails.map((email) => email.id),
        "emailIds",
      );
      await update(t, "Email", emails[2]?.id as string, { "keywords/$seen": true });
      for (let round = 0; round < 3; round++) same((await t.find<Thread>("Thread", id)).emailIds, emailIds, "emailIds");
    },
  },
  {
    id: "destroyed-email-leaves",
    level: "MUST",
    says: "emailIds: The ids of the Emails in the Thread.",
    run: async (t) => {
      const emails = await conversation(t, [1, 2]);
      const { id } = await threadOf(t, emails);
      await t.set("Email", { destroy: [emails[0]?.id] });
      same((await t.find<Thread>("Thread", id)).emailIds, [emails[1]?.id], "emailIds");
    },
  },
  {
    id: "last-email-destroyed",
    level: "MUST",
    says: "A Thread is simply a flat list of Emails. (Without an Email there is none.)",
    run: async (t) => {
      const { id, threadId } = await t.email();
      await t.set("Email", { destroy: [id] });
      same(await t.get("Thread", [threadId]), [], "Thread");
    },
  },
  {
    id: "moved-email-stays",
    level: "MUST",
    says: 'threadId: "Id" (immutable; server-set).',
    run: async (t) => {
      const emails = await conversation(t, [1, 2]);
      const before = await threadOf(t, emails);
      await update(t, "Email", emails[0]?.id as string, { mailboxIds: yes(await t.mailbox()) });
      same(await t.find("Thread", before.id), before, "Thread");
      equal((await t.find("Email", emails[0]?.id as string, ["threadId"])).threadId, before.id, "threadId");
    },
  },
]);

const condition1 =
  "An identical message id [RFC5322] appears in both messages in any of the Message-Id, In-Reply-To, and References header fields.";

const threading = defineTests(group, [
  {
    id: "threading-common-reference",
    level: "SHOULD",
    says: condition1,
    run: async (t) => {
      const subject = t.unique("Lost");
      const references = `<${t.unique("never-seen")}@conformance.example>`;
      const [a, b] = await t.emails([
        { subject, references },
        { subject: `Re: ${subject}`, references },
      ]);
      equal(b?.threadId, a?.threadId, "threadId of the second Email");
    },
  },
  {
    id: "threading-late-first",
    level: "SHOULD",
    says: condition1,
    run: async (t) => {
      const subject = t.unique("Late");
      const messageId = `<${t.unique("first")}@conformance.example>`;
      const [answer, first] = await t.emails([
        { subject: `Re: ${subject}`, inReplyTo: messageId },
        { subject, messageId },
      ]);
      equal(first?.threadId, answer?.threadId, "threadId of the message that came after its answer");
    },
  },
  {
    id: "threading-merge-immutable",
    level: "MUST",
    says: 'Since the "threadId" of an Email is immutable, if the server wishes to merge the Threads, it MUST handle this by deleting and reinserting (with a new Email id) the Emails that change "threadId".',
    run: async (t) => {
      const subject = t.unique("Joined");
      const [one, two] = [`<${t.unique("one")}@conformance.example>`, `<${t.unique("two")}@conformance.example>`];
      const made = await t.emails([
        { subject, messageId: one },
        { subject: `Re: ${subject}`, messageId: two },
        { subject: `Re: ${subject}`, references: `${one} ${two}` },
      ]);
      const found = await t.get<{ id: string; threadId: string }>(
        "Email",
        made.map(({ id }) => id),
        ["threadId"],
      );
      for (const { id, threadId } of found) {
        equal(threadId, made.find((email) => email.id === id)?.threadId, `threadId of the Email ${id}`);
      }
      const { ids } = await t.one<{ ids: string[] }>("Email/query", { filter: { inMailbox: await t.box() } });
      equal(ids.length, 3, "number of Emails in the Mailbox");
    },
  },
]);

const methods = [
  ...defineTests(mailGroup("3.1", "Thread/get"), [
    {
      id: "get",
      level: "MUST",
      says: 'This is a standard "/get" method.',
      run: async (t) => {
        const made = await t.emails([{}, {}]);
        const ids = [...made.map(({ threadId }) => threadId), nowhere];
        const answer = await t.one<{ list: Thread[]; notFound: string[]; state: string }>("Thread/get", { ids });
        sameMembers(
          answer.list,
          made.map(({ id, threadId }) => ({ id: threadId, emailIds: [id] })),
          "list",
        );
        same(answer.notFound, [nowhere], "notFound");
        equal(typeof answer.state, "string", "type of state");
      },
    },
    {
      id: "get-properties",
      level: "MUST",
      says: 'This is a standard "/get" method.',
      run: async (t) => {
        const { threadId } = await t.email();
        same(await t.get("Thread", [threadId], ["id"]), [{ id: threadId }], "list");
        await t.error("Thread/get", { ids: [threadId], properties: ["noSuchProperty"] }, "invalidArguments");
      },
    },
  ]),
  ...defineTests(mailGroup("3.2", "Thread/changes"), [
    {
      id: "changes",
      level: "MUST",
      says: 'This is a standard "/changes" method.',
      run: async (t) => {
        const subject = t.unique("Plan");
        const messageId = `<${t.unique("first")}@conformance.example>`;
        const [kept, gone] = await t.emails([{ subject, messageId }, {}]);
        const sinceState = await t.state("Thread");
        const [fresh, joined] = await t.emails([{}, { subject: `Re: ${subject}`, references: messageId }]);
        await t.set("Email", { destroy: [gone?.id] });
        const answer = await t.one<ChangesResult>("Thread/changes", { sinceState });
        includes(answer.created, fresh?.threadId, "created");
        includes(answer.destroyed, gone?.threadId, "destroyed");
        if (joined?.threadId === kept?.threadId) includes(answer.updated, kept?.threadId, "updated");
      },
    },
    {
      id: "changes-keywords",
      level: "SHOULD",
      exclusive: true,
      says: "A Thread object has the following properties: id, emailIds. (A keyword is none of them.)",
      run: async (t) => {
        const { id, threadId } = await t.email();
        const sinceState = await t.state("Thread");
        await update(t, "Email", id, { "keywords/$seen": true });
        const { updated } = await t.one<ChangesResult>("Thread/changes", { sinceState });
        ok(!updated.includes(threadId), "the Thread is in updated");
      },
    },
  ]),
];

export const thread = [...order, ...threading, ...methods];
