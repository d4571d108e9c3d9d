import { expect, test } from "vitest";
import { parseSearch, withBeginnings, without } from "../inbox/search/parse.ts";
import { readSnippet } from "../inbox/search/snippet.ts";
import { suggest } from "../inbox/search/suggest.ts";

const mailboxes = [
  { id: "m1", name: "Inbox", role: "inbox", parentId: null },
  { id: "m2", name: "Junk", role: "junk", parentId: null },
  { id: "m3", name: "Trash", role: "trash", parentId: null },
  { id: "m4", name: "Work", role: null, parentId: null },
  { id: "m5", name: "Old bills", role: null, parentId: "m4" },
];
const now = new Date(2026, 11, 24, 15, 30).getTime();
const context = { mailboxes, now };
const day = (year: number, month: number, date: number) =>
  new Date(year, month - 1, date).toISOString().replace(".000", "");
/** The condition of a search for one thing, without that on Junk and Trash. */
const one = (text: string) => {
  const { filter } = parseSearch(text, context);
  if (!filter || !("operator" in filter)) return filter;
  return filter.conditions.length === 2 ? filter.conditions[0] : filter.conditions.slice(0, -1);
};

test.each<[string, unknown]>([
  ["from:bob", { from: "bob" }],
  ["TO:Ann@x.test", { to: "Ann@x.test" }],
  ['cc:"Ann Lee"', { cc: '"Ann Lee"' }],
  ["bcc:b", { bcc: "b" }],
  ['subject:"a \\"b\\""', { subject: '"a \\"b\\""' }],
  ["body:word*", { body: "word*" }],
  ["is:unread", { notKeyword: "$seen" }],
  ["is:read", { hasKeyword: "$seen" }],
  ["is:Flagged", { hasKeyword: "$flagged" }],
  ["is:draft", { hasKeyword: "$draft" }],
  ["has:attachment", { hasAttachment: true }],
  ["before:2026-01-01", { before: day(2026, 1, 1) }],
  ["after:2025", { after: day(2025, 1, 1) }],
  ["after:31.12.2025", { after: day(2025, 12, 31) }],
  ["after:7d", { after: day(2026, 12, 17) }],
  ["before:yesterday", { before: day(2026, 12, 23) }],
  ["larger:5M", { minSize: 5_000_000 }],
  ["smaller:1.5kb", { maxSize: 1_500 }],
  ["-from:bob", { operator: "NOT", conditions: [{ from: "bob" }] }],
  ['-"not this"', { operator: "NOT", conditions: [{ text: '"not this"' }] }],
  ["word", { text: "word" }],
  ["https://x.test/?a:b", { text: "https://x.test/?a:b" }],
  ["is:nonsense", { text: "is nonsense" }],
  ["before:2026-02-31", { text: "before 2026-02-31" }],
])("%s", (text, condition) => {
  expect(one(text)).toEqual(condition);
});

test("all conditions hold at once, in all mailboxes but Junk and Trash", () => {
  expect(parseSearch('from:bob has:attachment -draft "exact words"', context).filter).toEqual({
    operator: "AND",
    conditions: [
      { from: "bob" },
      { hasAttachment: true },
      { operator: "NOT", conditions: [{ text: "draft" }] },
      { text: '"exact words"' },
      { inMailboxOtherThan: ["m2", "m3"] },
    ],
  });
});

test("a mailbox is named by role, name, path or its beginning, and is then searched alone", () => {
  const found = (text: string) => parseSearch(text, context).filter;
  expect(found("in:junk")).toEqual({ inMailbox: "m2" });
  expect(found('in:"Work/Old bills"')).toEqual({ inMailbox: "m5" });
  expect(found("in:old")).toEqual({ inMailbox: "m5" });
  expect(found("in:anywhere x")).toEqual({ text: "x" });
  expect(found("-in:work")).toEqual({
    operator: "AND",
    conditions: [{ operator: "NOT", conditions: [{ inMailbox: "m4" }] }, { inMailboxOtherThan: ["m2", "m3"] }],
  });
  expect(found("in:anywhere")).toEqual({});
  expect(found("  from: ")).toBeUndefined();
});

test("words without an operator are widened to all that begin so", () => {
  expect(withBeginnings("boiler kra")).toBe("boiler* kra*");
  const asked = 'from:bob "by the river" -draft kra* 7% is:unread';
  expect(withBeginnings(asked)).toBe(asked);
});

test("each condition is a chip that can be taken away", () => {
  const text = 'from:bob  is:nonsense -"a b"';
  const { chips } = parseSearch(text, context);
  expect(chips.map(({ kind, value, isNot, isUnknown }) => [kind, value, isNot, isUnknown])).toEqual([
    ["from", "bob", false, undefined],
    ["is", "nonsense", false, true],
    ["text", "a b", true, undefined],
  ]);
  expect(chips.map((chip) => without(text, chip))).toEqual([
    'is:nonsense -"a b"',
    'from:bob -"a b"',
    "from:bob  is:nonsense",
  ]);
});

test("what is half typed is completed", () => {
  const people = [
    { name: "Bob Best", email: "bob@x.test" },
    { name: "", email: "ann@best.test" },
  ];
  const texts = (text: string) => suggest(text, { people, mailboxes }).map((one) => one.text);
  expect(texts("hello su")).toEqual(["hello subject:"]);
  expect(texts("fro")).toEqual(["from:"]);
  expect(texts("-from:best")).toEqual(["-from:bob@x.test ", "-from:ann@best.test "]);
  expect(texts("best")).toEqual(["from:bob@x.test ", "from:ann@best.test "]);
  expect(texts("in:bill")).toEqual(['in:"Work/Old bills" ']);
  expect(texts("is:un")).toEqual(["is:unread "]);
  expect(texts("done ")).toEqual([]);
});

test("a snippet is text with marks, whatever the mail says", () => {
  expect(readSnippet("a &lt;mark&gt; <mark>b</mark> &amp;amp; <img src=x onerror=1>")).toEqual([
    { text: "a <mark> ", isHit: false },
    { text: "b", isHit: true },
    { text: " &amp; <img src=x onerror=1>", isHit: false },
  ]);
});
