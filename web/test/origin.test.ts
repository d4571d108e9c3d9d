import { expect, test } from "vitest";
import { readOrigin } from "../inbox/conversation/origin.ts";

const server = "mx.here.test";
const verdict = (fields: string[], author = "ann@bank.test") => readOrigin(fields, server, author).verdict;

test.each([
  ["mx.here.test; dkim=pass header.d=x.test; dmarc=pass (p=reject dis=none) header.from=bank.test", "proved"],
  ["mx.here.test;\r\n dkim=pass header.i=@bank.test header.s=k", "proved"],
  ["mx.here.test; dkim=pass header.d=bank.test", "proved"],
  ["mx.here.test; spf=pass smtp.mailfrom=bounce@bank.test", "proved"],
  ["mx.here.test; spf=pass smtp.mailfrom=bank.test; dkim=none", "proved"],
  ["mx.here.test; dmarc=fail (p=none dis=none) header.from=bank.test; dkim=pass header.d=bank.test", "forged"],
  ["mx.here.test; dmarc=permerror (an address without a clear domain; dis=quarantine)", "forged"],
  ["mx.here.test; dkim=pass header.d=other.test; spf=pass smtp.mailfrom=a@other.test", "unproved"],
  ["mx.here.test; dkim=pass header.d=evil.bank.test", "unproved"],
  ["mx.here.test; dkim=pass header.d=test", "unproved"],
  ["mx.here.test; dkim=fail header.d=bank.test; spf=softfail smtp.mailfrom=a@bank.test", "unproved"],
  ["mx.here.test; none", "unproved"],
  ["mx.here.test; spf=temperror smtp.mailfrom=a@bank.test; dkim=none", "unsure"],
  ['mx.here.test; dkim=fail reason="; dkim=pass header.d=bank.test"', "unproved"],
  ["mx.here.test; dkim=none (; dkim=pass header.d=bank.test (nested) )", "unproved"],
])("what our server found: %s", (field, expected) => {
  expect(verdict([field])).toBe(expected);
});

test("what others say they found is nothing", () => {
  expect(verdict(["mx.evil.test; dmarc=pass header.from=bank.test"])).toBe("unknown");
  expect(verdict([])).toBe("unknown");
  expect(readOrigin(["mx.here.test; dmarc=pass header.from=bank.test"], undefined, "ann@bank.test").verdict).toBe(
    "unknown",
  );
});

test("of several fields in our name, the topmost counts: others came with the mail", () => {
  expect(
    verdict(["mx.here.test; dmarc=fail header.from=bank.test", "mx.here.test; dmarc=pass header.from=bank.test"]),
  ).toBe("forged");
});

test("a mail with two authors is proved for neither by one of them", () => {
  const field =
    "mx.here.test; dkim=pass header.d=evil.test; dmarc=pass header.from=evil.test; dmarc=none header.from=bank.test";
  expect(verdict([field])).toBe("unproved");
});

test("each result is listed with what it is about", () => {
  const { results } = readOrigin(
    ["mx.here.test; spf=pass smtp.mailfrom=A@Bank.test; dkim=none"],
    server,
    "a@bank.test",
  );
  expect(results).toEqual([
    { method: "spf", result: "pass", about: "a@bank.test" },
    { method: "dkim", result: "none", about: "" },
  ]);
});
