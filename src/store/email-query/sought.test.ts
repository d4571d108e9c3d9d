import { expect, test } from "vitest";
import { anywhere, likely } from "./sought.ts";

test("the words of a phrase, wherever they stand", () => {
  expect(anywhere("'0007wa'")).toBe("'0007wa'");
  expect(anywhere("'0007wa':*D")).toBe("'0007wa':*");
  expect(anywhere("('0007wa':D <-> 'wb':*D)")).toBe("('0007wa' & 'wb':*)");
  expect(anywhere("('0007w<-' <-> '0007w->')")).toBe("('0007w<-' & '0007w->')");
  expect(anywhere("('0007w'':' <-> '0007w:''')")).toBe("('0007w'':' & '0007w:''')");
});

test("what the index tells of words in scripts without spaces: every second pair of characters and the last", () => {
  const phrase = { phrase: "('0007w東京':D <-> '0007w京タ':D <-> '0007wタワ':D <-> '0007wワー':D)" };
  const words = "'0007w東京' & '0007wタワ' & '0007wワー'";
  expect(likely(phrase)).toBe(words);
  const latin = { phrase: "('0007wthe' <-> '0007wmeeting')" };
  expect(likely(latin)).toBeUndefined();
  expect(likely({ all: [phrase, latin, { not: phrase }] })).toBe(`(${words})`);
  expect(likely({ any: [phrase, { phrase: "'0007w会議':D" }] })).toBe(`(${words}) | ('0007w会議')`);
  expect(likely({ any: [phrase, latin] })).toBeUndefined();
  expect(likely({ not: phrase })).toBeUndefined();
});
