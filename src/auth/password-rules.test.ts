import { expect, test } from "vitest";
import { passwordFault } from "./password-rules.ts";

const of = (password: string) => passwordFault(password, "ann.lee@here.test");

test("length and words decide, not kinds of characters", () => {
  for (const good of ["correct horse", "äöüßéàçñ", "xkqvbzrm", "staple battery 12"]) expect(of(good)).toBeUndefined();
  expect(of("seven77")).toBe("short");
  expect(of("x".repeat(5) + "y1".repeat(500))).toBe("long");
});

test("what is tried first is refused, however it is dressed", () => {
  const common = ["password", "PassWord1!", "12345678", "87654321", "1234567890", "aaaaaaaa", "abcabcabc", "12121212"];
  for (const one of [...common, "qwertz123", "Sommer2026", "iloveyou", "abcdefgh"]) expect(of(one)).toBe("common");
  for (const one of ["ann.lee@here.test", "ann.lee2026", "Ann.Lee!!"]) expect(of(one)).toBe("address");
});
