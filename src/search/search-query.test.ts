import { describe, expect, test } from "vitest";
import { tsquery } from "../store/email-query/sought.ts";
import { searchQuery, TooManyWords } from "./search-query.ts";
import { accountPrefix } from "./terms.ts";

const prefix = accountPrefix(7);
/** The tsquery with the account's prefix cut out. */
function query(text: string, scope: Parameters<typeof searchQuery>[1] = "text"): unknown {
  const found = searchQuery(text, scope, 7);
  return typeof found === "string" ? found : tsquery(found.sought).replaceAll(prefix, "");
}

describe("searchQuery", () => {
  test.each([
    ["lunch", "'wlunch'"],
    ["  Lunch\tMÉTRO ", "'wlunch' & 'wmetro'"],
    ["joe@example.com", "('wjoe' <-> 'wexample' <-> 'wcom')"],
    ['"the meeting" now', "('wthe' <-> 'wmeeting') & 'wnow'"],
    ["'the meeting'", "('wthe' <-> 'wmeeting')"],
    ["don't", "('wdon' <-> 'wt')"],
    ['"say \\"yes\\" now"', "('wsay' <-> 'wyes' <-> 'wnow')"],
    ["inv*", "'winv':*"],
    ["joe@exam*", "('wjoe' <-> 'wexam':*)"],
    ['"inv*"', "'winv'"],
    ["lunch -meeting", "'wlunch' & !'wmeeting'"],
    ["lunch - !", "'wlunch'"],
    ['"open ended', "'wopen' & 'wended'"],
    ["Okto\ufeffber \ufeff-rain", "'woktober' & !'wrain'"],
    ['\ufeff"the\ufeff meeting"\ufeff now', "('wthe' <-> 'wmeeting') & 'wnow'"],
  ])("%s", (text, expected) => {
    expect(query(text)).toBe(expected);
  });

  test("a field has a letter of its own, the body what no header word has", () => {
    expect(query("joe", "from")).toBe("'fjoe'");
    expect(query("lunch*", "subject")).toBe("'slunch':*");
    expect(query("lunch meet*", "body")).toBe("'wlunch':D & 'wmeet':*D");
  });

  test.each([
    ["-", "'w-':*"],
    ["->", "'w->'"],
    ["...", "('w..' <-> 'w..')"],
    ["& -", "'w&':* & 'w-':*"],
    ["'", "'w''':*"],
    ["\\ |", "'w\\\\':* & 'w|':*"],
    ['-"!"', "'w!':*"],
    ["- lunch", "'wlunch'"],
  ])("a text without words searches for its signs: %s", (text, expected) => {
    expect(query(text)).toBe(expected);
  });

  test("blank text asks for nothing, text of what nobody sees for what is never there", () => {
    expect(query("")).toBe("all");
    expect(query(' "" ')).toBe("all");
    expect(query("\u200b")).toBe("none");
  });

  test("a text that only excludes is the negation of what it excludes", () => {
    expect(query('-"the meeting" -lunch')).toBe("('wthe' <-> 'wmeeting') | 'wlunch'");
    expect(searchQuery("-lunch", "text", 7)).toMatchObject({ negated: true });
    expect(searchQuery("-lunch meeting", "text", 7)).toMatchObject({ negated: false });
  });

  test("refuses a text of too many words", () => {
    expect(() => searchQuery("word ".repeat(201), "text", 7)).toThrow(TooManyWords);
  });
});
