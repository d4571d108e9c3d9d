import type { Json } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { same, sameMembers } from "../runner/expect.ts";
import { mailGroup, query } from "./support.ts";

const group = mailGroup("4.4.1", "Email/query: filters on the Thread");

/** A server may be able to count no other keywords by Thread than the known ones. */
const conditions: [string, string, string, readonly number[]][] = [
  [
    "allInThreadHaveKeyword",
    "$flagged",
    "All Emails (including this one) in the same Thread as this Email must have the given keyword to match the condition.",
    [0, 1, 4],
  ],
  [
    "someInThreadHaveKeyword",
    "$flagged",
    "At least one Email (possibly this one) in the same Thread as this Email must have the given keyword to match the condition.",
    [0, 1, 2, 3, 4],
  ],
  [
    "noneInThreadHaveKeyword",
    "$flagged",
    "All Emails (including this one) in the same Thread as this Email must *not* have the given keyword to match the condition.",
    [5, 6, 7],
  ],
];

/** A Thread with the keyword on both Emails, one with it on one, one alone with it, one of two without, one alone without. */
async function threads(t: TestContext): Promise<string[]> {
  const pair = (): [Json, Json] => {
    const subject = t.unique("Pair");
    const messageId = `<${t.unique("pair")}@conformance.example>`;
    return [
      { subject, messageId },
      { subject: `Re: ${subject}`, inReplyTo: messageId, references: messageId },
    ];
  };
  const [both, half, none] = [pair(), pair(), pair()];
  const flagged = { keywords: ["$flagged"] };
  const list = [
    { ...both[0], ...flagged },
    { ...both[1], ...flagged },
    { ...half[0], ...flagged },
    half[1],
    flagged,
    none[0],
    none[1],
    {},
  ];
  const made = await t.emails(list);
  if (made[0]?.threadId !== made[1]?.threadId) t.skip("the server makes two Threads of a message and its answer");
  return made.map(({ id }) => id);
}

const inThread = defineTests(
  group,
  conditions.map(([name, keyword, says, expected]) => ({
    id: `filter-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    level: "MUST" as const,
    says: `${name}: ${says}`,
    run: async (t: TestContext) => {
      const ids = await threads(t);
      sameMembers(
        (await query(t, { [name]: keyword })).ids,
        expected.map((one) => ids[one]),
        "ids",
      );
    },
  })),
);

const others = defineTests(group, [
  {
    id: "filter-thread-other-mailbox",
    level: "MUST",
    says: "someInThreadHaveKeyword: At least one Email (possibly this one) in the same Thread as this Email must have the given keyword. (In whichever Mailbox it is.)",
    run: async (t) => {
      const subject = t.unique("Pair");
      const messageId = `<${t.unique("pair")}@conformance.example>`;
      const [a, b] = await t.emails([
        { subject, messageId },
        { subject: `Re: ${subject}`, references: messageId, keywords: ["$flagged"], in: await t.mailbox() },
      ]);
      if (a?.threadId !== b?.threadId) t.skip("the server makes two Threads of a message and its answer");
      same((await query(t, { someInThreadHaveKeyword: "$flagged" })).ids, [a?.id], "someInThreadHaveKeyword");
      same((await query(t, { allInThreadHaveKeyword: "$flagged" })).ids, [], "allInThreadHaveKeyword");
      same((await query(t, { noneInThreadHaveKeyword: "$flagged" })).ids, [], "noneInThreadHaveKeyword");
    },
  },
]);

export const threadFilters = [...inThread, ...others];
