import type { Json } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { differs, equal } from "../runner/expect.ts";
import { mailGroup } from "./support.ts";

type Pair = {
  id: string;
  level: "MUST" | "SHOULD";
  says: string;
  together: boolean;
  answer: (m: string, s: string) => Json;
};
const condition1 =
  "An identical message id [RFC5322] appears in both messages in any of the Message-Id, In-Reply-To, and References header fields.";
const condition2 =
  'After stripping automatically added prefixes such as "Fwd:", "Re:", "[List-Tag]", etc., and ignoring white space, the subjects are the same.';

const pairs: Pair[] = [
  {
    id: "in-reply-to",
    level: "SHOULD",
    says: condition1,
    together: true,
    answer: (inReplyTo, s) => ({ inReplyTo, subject: `Re: ${s}` }),
  },
  {
    id: "references",
    level: "SHOULD",
    says: condition1,
    together: true,
    answer: (m, s) => ({ references: `<other@conformance.example> ${m}`, subject: s }),
  },
  {
    id: "prefix-fwd",
    level: "SHOULD",
    says: condition2,
    together: true,
    answer: (references, s) => ({ references, subject: `Fwd: ${s}` }),
  },
  {
    id: "prefixes-many",
    level: "SHOULD",
    says: condition2,
    together: true,
    answer: (references, s) => ({ references, subject: `RE: [List-Tag] Re: ${s}` }),
  },
  {
    id: "subject-white-space",
    level: "SHOULD",
    says: condition2,
    together: true,
    answer: (references, s) => ({ references, subject: `Re:  ${s.replaceAll(" ", "   ")} ` }),
  },
  {
    id: "other-subject",
    level: "SHOULD",
    says: "This avoids the situation where a person replies to an old message as a convenient way of finding the right recipient to send to but changes the subject and starts a new conversation.",
    together: false,
    answer: (references, s) => ({ references, subject: `Something else than ${s}` }),
  },
  {
    id: "same-subject-only",
    level: "SHOULD",
    says: "It is suggested that two messages belong in the same Thread if both of the following conditions apply.",
    together: false,
    answer: (_, subject) => ({ subject }),
  },
];

/** What programs of many languages, lists and gateways put before a subject. */
const prefixes: [string, string][] = [
  ["german", "AW: "],
  ["german-forward", "WG: "],
  ["swedish", "SV: "],
  ["finnish", "VS: "],
  ["dutch", "Antw: "],
  ["italian", "R: "],
  ["italian-reply", "RIF: "],
  ["portuguese", "RES: "],
  ["portuguese-forward", "ENC: "],
  ["french", "Rép : "],
  ["french-forward", "TR : "],
  ["spanish-forward", "RV: "],
  ["polish", "Odp: "],
  ["turkish", "YNT: "],
  ["turkish-forward", "İLT: "],
  ["hungarian", "Vá: "],
  ["hungarian-forward", "Továbbítás: "],
  ["greek", "ΑΠ: "],
  ["greek-forward", "ΠΡΘ: "],
  ["russian", "Отв: "],
  ["russian-short", "НА: "],
  ["hebrew", "תשובה: "],
  ["hebrew-forward", "הועבר: "],
  ["arabic", "رد: "],
  ["chinese", "回复: "],
  ["chinese-full-width", "答复："],
  ["chinese-forward", "转发："],
  ["chinese-traditional", "轉寄: "],
  ["japanese", "返信: "],
  ["full-width-colon", "Re："],
  ["counted", "Re[2]: "],
  ["counted-caret", "Re^2: "],
  ["counted-parentheses", "Re(2): "],
  ["counted-star", "RE*2: "],
  ["outside", "[EXT] Re: "],
  ["outside-colon", "Re: EXTERNAL: "],
  ["spam", "[SPAM] Re: "],
  ["spam-stars", "***SPAM*** Re: "],
  ["tags-between", "Re: [List-Tag] AW: [EXTERNAL] Fwd: "],
];

/** Things that look the same, or differ in white space alone. */
const spaces: [string, (subject: string) => string][] = [
  ["none", (s) => s.replaceAll(" ", "")],
  ["no-break", (s) => s.replaceAll(" ", "\u00a0")],
  ["case", (s) => s.toUpperCase()],
];

const all: Pair[] = [
  ...pairs,
  ...prefixes.map(
    ([name, prefix]): Pair => ({
      id: `prefix-${name}`,
      level: "SHOULD",
      says: condition2,
      together: true,
      answer: (references, s) => ({ references, subject: `${prefix}${s}` }),
    }),
  ),
  ...spaces.map(
    ([name, change]): Pair => ({
      id: `white-space-${name}`,
      level: "SHOULD",
      says: condition2,
      together: true,
      answer: (references, s) => ({ references, subject: `Re: ${change(s)}` }),
    }),
  ),
];

/** RFC 8621 §3: a message and another one, and whether they belong together. */
export const threadPairs = defineTests(
  mailGroup("3", "Threads"),
  all.map(({ id, level, says, together, answer }) => ({
    id: `threading-${id}`,
    level,
    says,
    run: async (t: TestContext) => {
      const subject = `The plan ${t.unique("for")}`;
      const messageId = `<${t.unique("first")}@conformance.example>`;
      const [a, b] = await t.emails([{ subject, messageId }, answer(messageId, subject)]);
      if (together) equal(b?.threadId, a?.threadId, "threadId of the second Email");
      else differs(b?.threadId, a?.threadId, "threadId of the second Email");
    },
  })),
);
