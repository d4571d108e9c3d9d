import { expect, test } from "vitest";
import { readPlainText, withLinks, wrappingOf } from "../inbox/conversation/plain-text.ts";

const plain = { isFlowed: false, isSpaceDeleted: false };
const read = (text: string, wrapping = plain) => readPlainText(text, wrapping);
const folded = (text: string) => {
  const { blocks, foldFrom } = read(text);
  return {
    open: blocks.slice(0, foldFrom).map(({ text }) => text),
    folded: blocks.slice(foldFrom).map(({ text }) => text),
  };
};

test("the earlier mail at the end of an answer is folded, with the line that names its author", () => {
  expect(folded("Yes.\n\nOn Monday, Ann wrote:\n> Well?\n>\n> > Before")).toEqual({
    open: ["Yes."],
    folded: ["On Monday, Ann wrote:", "Well?\n", "Before"],
  });
  expect(folded("Ja.\n\nAm Montag schrieb Ann\n<ann@x.test>:\n> Und?").folded).toEqual([
    "Am Montag schrieb Ann\n<ann@x.test>:",
    "Und?",
  ]);
});

test("answers between quoted lines, and quotes without an answer, stay open", () => {
  expect(folded("> One?\nYes.\n> Two?\nNo.").folded).toEqual([]);
  expect(folded("> All quoted\n> to the end").folded).toEqual([]);
  expect(folded("Ann wrote:\n> Only this").folded).toEqual(["Only this"]);
});

test("a signature is marked, and does not keep a quote above it open", () => {
  const { blocks, foldFrom } = read("Yes.\n> Well?\n-- \nBob");
  expect(blocks.map(({ kind }) => kind)).toEqual(["text", "text", "signature"]);
  expect(foldFrom).toBe(1);
});

test("flowed text is joined again, by depth (RFC 3676)", () => {
  const flowed = { isFlowed: true, isSpaceDeleted: false };
  expect(read("one \ntwo\nthree\n> four \n> five\n-- \nBob", flowed).blocks.map(({ text }) => text)).toEqual([
    "one two\nthree",
    "four five",
    "-- \nBob",
  ]);
  expect(read("Donaudampf \nschiff", { isFlowed: true, isSpaceDeleted: true }).blocks[0]!.text).toBe(
    "Donaudampfschiff",
  );
  expect(wrappingOf('text/plain; charset=utf-8; Format="flowed"; delsp=yes')).toEqual({
    isFlowed: true,
    isSpaceDeleted: true,
  });
  expect(wrappingOf(undefined)).toEqual(plain);
});

test("10,000 lines are laid out in blocks of 200, quickly", () => {
  const { user } = process.cpuUsage();
  const { blocks } = read("word https://x.test/a ".repeat(5).concat("\n").repeat(10_000));
  for (const { text } of blocks) withLinks(text);
  expect(blocks).toHaveLength(50);
  expect(process.cpuUsage().user - user).toBeLessThan(2_000_000);
});

test("addresses become links, without what stands around them", () => {
  const links = (text: string) => withLinks(text).flatMap((piece) => (typeof piece === "string" ? [] : [piece.href]));
  expect(links("See https://x.test/a?b=1&c, or (www.y.test/d_(e)).")).toEqual([
    "https://x.test/a?b=1&c",
    "https://www.y.test/d_(e)",
  ]);
  expect(links("Write to ann@x.test. Or bob+tag@y.co.test!")).toEqual([
    "mailto:ann@x.test",
    "mailto:bob+tag@y.co.test",
  ]);
  expect(links("javascript:alert(1) data:text/html,x file:///etc ftp://x.test")).toEqual([]);
  expect(withLinks("a https://x.test b")).toEqual(["a ", { text: "https://x.test", href: "https://x.test/" }, " b"]);
  expect(withLinks(`https://x.test/${")".repeat(100_000)}`).length).toBeGreaterThan(0);
});
