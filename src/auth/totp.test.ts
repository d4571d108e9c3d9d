import { expect, test } from "vitest";
import { base32, stepAt, stepOf, totpCode, totpUri } from "./totp.ts";

const secret = Buffer.from("12345678901234567890");

test("RFC 6238, appendix B: the codes for SHA-1, of which we take the last six digits", () => {
  const known: [number, string][] = [
    [59, "94287082"],
    [1111111109, "07081804"],
    [1111111111, "14050471"],
    [1234567890, "89005924"],
    [2000000000, "69279037"],
    [20000000000, "65353130"],
  ];
  for (const [seconds, code] of known) expect(totpCode(secret, stepAt(new Date(seconds * 1000)))).toBe(code.slice(2));
});

test("a code counts in its own step, and in the one before and after it", () => {
  const now = new Date(1_234_567_890_000);
  const step = stepAt(now);
  for (const near of [step - 1, step, step + 1]) expect(stepOf(totpCode(secret, near), secret, now)).toBe(near);
  for (const far of [step - 2, step + 2]) expect(stepOf(totpCode(secret, far), secret, now)).toBeUndefined();
  expect(stepOf(totpCode(secret, step).replace(/^.../, "$& "), secret, now)).toBe(step);
  for (const wrong of ["", "12345", "1234567", "abcdef", "٠٠٠٠٠٠"]) expect(stepOf(wrong, secret, now)).toBeUndefined();
});

test("generators read the secret in base 32 (RFC 4648 §10), and whose it is", () => {
  expect(base32(Buffer.from("foobar"))).toBe("MZXW6YTBOI");
  expect(totpUri({ secret, login: "ann+x@here.test", issuer: "mail.here.test" })).toBe(
    "otpauth://totp/mail.here.test:ann%2Bx%40here.test?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=mail.here.test",
  );
});
