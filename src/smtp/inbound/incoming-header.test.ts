import { describe, expect, test } from "vitest";
import { isOverlong, plainly, readIncomingHeader, withoutForged } from "./incoming-header.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const read = (text: string, hostname = "mx.test") => readIncomingHeader(bytes(text), hostname);

test("many Received fields show a loop", () => {
  const hop = (by: string) => `Received: from a\r\n by ${by} with SMTP;\r\n now\r\n`;
  const isLooping = (text: string) => read(text).isLooping;
  expect(isLooping(`${hop("x.test").repeat(50)}\r\n`)).toBe(false);
  expect(isLooping(`${hop("x.test").repeat(51)}\r\n`)).toBe(true);
  expect(isLooping(`${hop("mx.test").repeat(10)}\r\n`)).toBe(false);
  expect(isLooping(`${hop("mx.test").repeat(11)}\r\n`)).toBe(true);
  expect(isLooping(`${hop("mx.testing").repeat(11)}\r\n`)).toBe(false);
  expect(isLooping(`\r\n${hop("mx.test").repeat(60)}`)).toBe(false);
  // A line that is not a field hides no other.
  expect(isLooping(`junk\r\n${hop("x.test").repeat(51)}\r\n`)).toBe(true);
  expect(isLooping(`X-\xe4: y\r\n${hop("mx.test").repeat(11)}\r\n`)).toBe(true);
});

test("a header that would be slow to verify is recognised", () => {
  const body = `\r\n\r\n${"x\r\n".repeat(100_000)}`;
  const overlong = (text: string) => isOverlong(bytes(text), read(text));
  expect(overlong(`A: b${"\r\n c@d.test,".repeat(4_000)}${body}`)).toBe(false);
  expect(overlong(`A: b${"\r\n c".repeat(4_001)}${body}`)).toBe(true);
  expect(overlong(`A: b${" ".repeat(999)}c${body}`)).toBe(false);
  expect(overlong(`A: b${" ".repeat(1_000)}c${body}`)).toBe(true);
  expect(overlong(`no field\nA: b\r\n${"X: y\r\n".repeat(50_000)}\r\n`)).toBe(true);
  expect(overlong(`A: b\n\n${"x ".repeat(200_000)}`)).toBe(false);
  expect(overlong("")).toBe(false);
});

describe("From", () => {
  test("is read wherever a client would see it", () => {
    const text =
      "junk\r\nFrom: a@b.test\r\n\xef\xbb\xbfFR\0OM :\r\n c@d.test\r\nX: y\rFrom: e@f.test\r\n\r\nFrom: g@h.test\r\n";
    expect(read(text)).toMatchObject({ from: [" a@b.test", "\r\n c@d.test"], isFromExcessive: false });
  });

  test("is more than can be judged where there are many or long ones", () => {
    expect(read("From: a@b.test\r\n".repeat(10)).isFromExcessive).toBe(false);
    expect(read("From: a@b.test\r\n".repeat(11)).isFromExcessive).toBe(true);
    expect(read(`From: ${"a@b.test,".repeat(200_000)}\r\n`).isFromExcessive).toBe(false);
    expect(read(`From: ${"a@b.test,".repeat(300_000)}\r\n`).isFromExcessive).toBe(true);
  });
});

test.each([
  ["List-Id: <l.test>", true],
  ["LIST-POST: x", true],
  ["ARC-Seal: i=1", true],
  ["Resent-From: a@b.test", true],
  ["X-Forwarded-To: a@b.test", true],
  ["Precedence: list", true],
  ["Precedence: bulk", false],
  ["Listing: x", false],
  ["Subject: List-Id: x", false],
])("%s: passed on is %j", (line, isPassedOn) => {
  expect(read(`${line}\r\nFrom: a@b.test\r\n\r\n`)).toMatchObject({ isPassedOn });
});

test("a verifier of signatures sees the fields that a client sees, and those of others stay as they came", () => {
  const plain = "A: b\r\n c\r\nD : e\n\r\nbody";
  const forged = "Authentication-Results: mx.test; none\r\n";
  const check = (text: string, seen: string, kept = text) => {
    const seenOf = (all: string) => plainly(bytes(all), read(all)).toString("latin1");
    for (const field of ["DKIM-Signature: x\r\n", "ARC-Message-Signature: x\r\n"]) {
      expect(seenOf(field + text)).toBe(field + seen);
    }
    // Without signatures the body says nothing.
    expect(seenOf(text)).toBe(seen.replace(/(^|(?<=\n))\r\n[\s\S]*/, ""));
    expect(withoutForged(bytes(text), read(text)).toString("latin1")).toBe(kept);
  };
  check(plain, plain);
  check(`${forged}${plain}`, plain.replace(" :", ":"), plain);
  check(`From x\r\n: y\r\n\xef\xbb\xbfA\0: b\0\r\njunk\r\n more\r\nC: d\r\n\r\nbo\0dy`, "A: b\r\nC: d\r\n\r\nbo\0dy");
  check("junk", "");
  check("\r\nFrom: a@b.test\r\n", "\r\nFrom: a@b.test\r\n");
});
