import { expect, test } from "vitest";
import { wholeWords } from "./html.ts";

test("a cut text loses the word that may go on, in scripts that have spaces", () => {
  expect(wholeWords("we meet in Octo")).toBe("we meet in ");
  expect(wholeWords("we meet in Oc\ufeffto")).toBe("we meet in ");
  for (const text of ["東京", "ประชุม", "བོད་ཡིག", "ᦎᦷᦑ", "ᨣᩤᩴ", "ꦗꦮ", "ᬩᬮᬶ"])
    expect(wholeWords(`see ${text}`)).toBe(`see ${text}`);
});
