import type { Json } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, matches, same } from "../runner/expect.ts";
import { mailGroup, query, update, yes } from "./support.ts";

const group = mailGroup("2", "Mailboxes: counts");
const names = ["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"];

/** totalEmails, unreadEmails, totalThreads and unreadThreads. */
async function counts(t: TestContext, box: string): Promise<unknown[]> {
  const found = await t.find("Mailbox", box, names);
  return names.map((name) => found[name]);
}

/** Headers of a message and of an answer to it, which any server that threads at all puts together. */
function conversation(t: TestContext): [Json, Json] {
  const subject = t.unique("Plan");
  const messageId = `<${t.unique("first")}@conformance.example>`;
  return [
    { subject, messageId },
    { subject: `Re: ${subject}`, inReplyTo: messageId, references: messageId },
  ];
}

const simple = defineTests(group, [
  {
    id: "total-emails",
    level: "MUST",
    says: "totalEmails: The number of Emails in this Mailbox.",
    run: async (t) => {
      const box = await t.box();
      const made = await t.emails([{}, {}, {}]);
      equal((await counts(t, box))[0], 3, "totalEmails after three imports");
      await t.set("Email", { destroy: [made[0]?.id] });
      equal((await counts(t, box))[0], 2, "totalEmails after a destroy");
    },
  },
  {
    id: "unread-emails",
    level: "MUST",
    says: 'unreadEmails: The number of Emails in this Mailbox that have neither the "$seen" keyword nor the "$draft" keyword.',
    run: async (t) => {
      const keywords = [[], ["$seen"], ["$draft"], ["$seen", "$draft"], ["$flagged"]];
      await t.emails(keywords.map((list) => ({ keywords: list })));
      equal((await counts(t, await t.box()))[1], 2, "unreadEmails");
    },
  },
  {
    id: "unread-emails-updates",
    level: "MUST",
    says: 'unreadEmails: The number of Emails in this Mailbox that have neither the "$seen" keyword nor the "$draft" keyword.',
    run: async (t) => {
      const { id } = await t.email();
      const steps: [Json, number][] = [
        [{ "keywords/$seen": true }, 0],
        [{ "keywords/$draft": true }, 0],
        [{ "keywords/$seen": null }, 0],
        [{ "keywords/$draft": null }, 1],
        [{ keywords: yes("$SEEN") }, 0],
        [{ keywords: {} }, 1],
      ];
      for (const [patch, expected] of steps) {
        await update(t, "Email", id, patch);
        equal((await counts(t, await t.box()))[1], expected, `unreadEmails after ${JSON.stringify(patch)}`);
      }
    },
  },
  {
    id: "total-threads",
    level: "MUST",
    says: "totalThreads: The number of Threads where at least one Email in the Thread is in this Mailbox.",
    run: async (t) => {
      const [first, answer] = conversation(t);
      const made = await t.emails([first, answer, {}]);
      const threads = new Set(made.map(({ threadId }) => threadId)).size;
      equal((await counts(t, await t.box()))[2], threads, "totalThreads");
    },
  },
  {
    id: "total-threads-partly",
    level: "MUST",
    says: "totalThreads: The number of Threads where at least one Email in the Thread is in this Mailbox.",
    run: async (t) => {
      const [first, answer] = conversation(t);
      const other = await t.mailbox();
      await t.emails([first, { ...answer, in: other }]);
      equal((await counts(t, await t.box()))[2], 1, "totalThreads of one Mailbox");
      equal((await counts(t, other))[2], 1, "totalThreads of the other");
    },
  },
  {
    id: "moved",
    level: "MUST",
    says: "totalEmails: The number of Emails in this Mailbox. unreadEmails: The number of Emails in this Mailbox that […].",
    run: async (t) => {
      const [box, other] = [await t.box(), await t.mailbox()];
      const { id } = await t.email();
      await update(t, "Email", id, { mailboxIds: yes(other) });
      same(await counts(t, box), [0, 0, 0, 0], "counts of the Mailbox that it left");
      same(await counts(t, other), [1, 1, 1, 1], "counts of the Mailbox that it came to");
      await update(t, "Email", id, { [`mailboxIds/${box}`]: true });
      same(await counts(t, box), [1, 1, 1, 1], "counts of the first Mailbox when the Email is in both");
      same(await counts(t, other), [1, 1, 1, 1], "counts of the second Mailbox when the Email is in both");
    },
  },
  {
    id: "total-equals-query",
    level: "MUST",
    says: "Within one unchanged state, totalEmails of a Mailbox equals the total of Email/query with only inMailbox.",
    run: async (t) => {
      const [first, answer] = conversation(t);
      await t.emails([first, answer, {}, {}]);
      const [emails, , threads] = await counts(t, await t.box());
      equal((await query(t, null, { calculateTotal: true })).total, emails as number, "total");
      const collapsed = await query(t, null, { calculateTotal: true, collapseThreads: true });
      equal(collapsed.total, threads as number, "total with collapseThreads");
    },
  },
]);

const threads = defineTests(group, [
  {
    id: "unread-threads-simple",
    level: "MUST",
    says: 'unreadThreads: An indication of the number of "unread" Threads in the Mailbox.',
    run: async (t) => {
      await t.emails([{}, { keywords: ["$seen"] }, { keywords: ["$draft"] }]);
      equal((await counts(t, await t.box()))[3], 1, "unreadThreads");
    },
  },
  {
    id: "unread-threads-once",
    level: "MUST",
    says: 'The simplest solution is the number of Threads where at least one Email in the Thread is both in this Mailbox and has neither the "$seen" nor "$draft" keywords.',
    run: async (t) => {
      const [first, answer] = conversation(t);
      const made = await t.emails([first, answer]);
      const different = new Set(made.map(({ threadId }) => threadId)).size;
      equal((await counts(t, await t.box()))[3], different, "unreadThreads");
    },
  },
  {
    id: "unread-threads-elsewhere",
    level: "SHOULD",
    says: '"unreadThreads" should be the number of Threads where at least one Email in the Thread has neither the "$seen" nor the "$draft" keyword AND at least one Email in the Thread is in this Mailbox. Note that the unread Email does not need to be the one in this Mailbox.',
    run: async (t) => {
      const [first, answer] = conversation(t);
      const other = await t.mailbox();
      const [a, b] = await t.emails([
        { ...first, keywords: ["$seen"] },
        { ...answer, in: other },
      ]);
      if (a?.threadId !== b?.threadId) t.skip("the server makes two Threads of a message and its answer");
      equal((await counts(t, await t.box()))[3], 1, "unreadThreads of the Mailbox of the read Email");
      equal((await counts(t, other))[3], 1, "unreadThreads of the Mailbox of the unread Email");
      await update(t, "Email", b?.id as string, { "keywords/$seen": true });
      equal((await counts(t, await t.box()))[3], 0, "unreadThreads when all is read");
    },
  },
  {
    id: "unread-threads-trash-ignored",
    level: "SHOULD",
    says: 'Emails that are only in the trash (and no other Mailbox) are ignored when calculating the "unreadThreads" count of other Mailboxes.',
    run: async (t) => {
      const trash = await t.role("trash");
      const [first, answer] = conversation(t);
      await t.emails([
        { ...first, keywords: ["$seen"] },
        { ...answer, in: trash },
      ]);
      equal((await counts(t, await t.box()))[3], 0, "unreadThreads");
    },
  },
  {
    id: "unread-threads-trash-and-other",
    level: "SHOULD",
    says: "Emails that are *only* in the trash (and no other Mailbox) are ignored. (One that is in another Mailbox, too, is not.)",
    run: async (t) => {
      const [trash, other] = [await t.role("trash"), await t.mailbox()];
      const [first, answer] = conversation(t);
      const [a, b] = await t.emails([
        { ...first, keywords: ["$seen"] },
        { ...answer, in: [trash, other] },
      ]);
      if (a?.threadId !== b?.threadId) t.skip("the server makes two Threads of a message and its answer");
      equal((await counts(t, await t.box()))[3], 1, "unreadThreads");
    },
  },
  {
    id: "unread-threads-of-trash",
    level: "SHOULD",
    exclusive: true,
    says: 'Emails that are not in the trash are ignored when calculating the "unreadThreads" count for the trash Mailbox.',
    run: async (t) => {
      const trash = await t.role("trash");
      const before = (await counts(t, trash))[3] as number;
      const [first, answer] = conversation(t);
      const [, b] = await t.emails([first, { ...answer, in: trash, keywords: ["$seen"] }]);
      equal((await counts(t, trash))[3], before, "unreadThreads of the trash with a read Email");
      await update(t, "Email", b?.id as string, { "keywords/$seen": null });
      equal((await counts(t, trash))[3], before + 1, "unreadThreads of the trash with an unread Email");
    },
  },
  {
    id: "unread-threads-trash-example",
    level: "SHOULD",
    exclusive: true,
    says: 'Suppose a single Thread with 2 Emails: an unread Email in the trash and a read Email in the inbox. The "unreadThreads" count would be 1 for the trash and 0 for the inbox.',
    run: async (t) => {
      const trash = await t.role("trash");
      const before = (await counts(t, trash))[3] as number;
      const [first, answer] = conversation(t);
      const [, b] = await t.emails([
        { ...first, keywords: ["$seen"] },
        { ...answer, keywords: [] },
      ]);
      await update(t, "Email", b?.id as string, { mailboxIds: yes(trash) });
      t.destroyLater("Email", b?.id as string);
      equal((await counts(t, trash))[3], before + 1, "unreadThreads of the trash");
      matches(await t.find("Mailbox", await t.box()), { unreadThreads: 0, totalThreads: 1 }, "the other Mailbox");
    },
  },
]);

export const mailboxCounts = [...simple, ...threads];
