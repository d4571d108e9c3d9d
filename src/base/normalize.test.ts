import { expect, test } from "vitest";
import { normalized } from "./normalize.ts";

test("text is normalized as Unicode defines it", () => {
  for (const text of ["", "e\u0301", "é", "a\u0301\u0323", "한", "ﬁ ½", `${"e\u0301".repeat(500)}x`]) {
    for (const form of ["NFC", "NFD", "NFKC", "NFKD"] as const)
      expect(normalized(text, form)).toBe(text.normalize(form));
  }
});

test("a character with a hundred thousand marks takes no longer than a text of as many characters", () => {
  for (const marks of ["\u0301\u0323", "\uff9e\u0301", "\u0e38\u0e48"]) {
    const started = process.cpuUsage();
    for (const form of ["NFC", "NFD", "NFKC", "NFKD"] as const) normalized(`a${marks.repeat(50_000)}`, form);
    const { user } = process.cpuUsage(started);
    expect(user / 1e6, JSON.stringify(marks)).toBeLessThan(2);
  }
});
