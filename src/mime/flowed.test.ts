import { expect, test } from "vitest";
import { joinFlowed } from "./flowed.ts";
import { preview } from "./preview.ts";
import { searchText } from "./search-text.ts";
import { walk } from "./walk.ts";

test.each([
  ["a word that was cut is whole", "die Donaudampf \nschiff-Liste", "die Donaudampfschiff-Liste"],
  ["a blank between words is doubled, and one stays", "two  \nwords", "two words"],
  ["a line without a blank ends the paragraph", "one\ntwo", "one\ntwo"],
  ["over several lines", "ab \ncd \nef\ngh", "abcdef\ngh"],
  ["a quoted paragraph goes on in lines that are quoted as deep", "> ab \n> cd\n>> ef \n> gh", "> abcd\n>> ef\n> gh"],
  ["a stuffed blank is no part of the line", " >ab \n cd", ">abcd"],
  ["a signature follows nothing and goes on in nothing", "ab \n-- \ncd", "ab\n-- \ncd"],
  ["an empty line ends a paragraph", "ab \n\ncd", "ab\ncd"],
])("%s", (_, text, expected) => {
  expect(joinFlowed(text)).toBe(expected);
});

const message = (type: string) =>
  Buffer.from(`Content-Type: ${type}\r\n\r\nLesen Sie shop.example/2026/ \r\nnovember und Donaudampf \r\nschiff.\r\n`);

test("search and preview read it joined, where the part says so", () => {
  for (const type of ["text/plain; format=flowed; delsp=yes", 'Text/Plain; DelSp="YES"; Format=Flowed']) {
    const bytes = message(type);
    const joined = "Lesen Sie shop.example/2026/november und Donaudampfschiff.";
    expect(searchText(bytes, walk(bytes)).texts).toEqual([`${joined}\n`]);
    expect(preview(bytes, walk(bytes))).toBe(joined);
  }
});

test("without the parameter, or in another type, lines stay as they are", () => {
  for (const type of ["text/plain; format=flowed", "text/plain; delsp=yes", "text/x-log; format=flowed; delsp=yes"]) {
    const bytes = message(type);
    expect(searchText(bytes, walk(bytes)).texts[0]).toContain("Donaudampf \nschiff");
  }
});
