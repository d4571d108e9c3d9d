import { expect, test } from "vitest";
import { type Authentication, readOrigin } from "../inbox/conversation/origin.ts";

type Domains = [result: string, domain: string, override?: string][];
const found = ({
  spf = ["none", null],
  dkim = [],
  dmarc = [],
}: {
  spf?: [string, string | null];
  dkim?: Domains;
  dmarc?: Domains;
}) =>
  ({
    spf: { result: spf[0], domain: spf[1] },
    dkim: dkim.map(([result, domain]) => ({ result, domain, selector: "s" })),
    dmarc: dmarc.map(([result, domain, override = null]) => ({ result, domain, policy: "reject", override })),
  }) satisfies Authentication;
const verdict = (authentication: Authentication | null, author = "ann@bank.test") =>
  readOrigin(authentication, author).verdict;

test.each([
  [{ dkim: [["pass", "x.test"]], dmarc: [["pass", "bank.test"]] }, "proved"],
  [{ dkim: [["pass", "bank.test"]] }, "proved"],
  [{ spf: ["pass", "bank.test"] }, "proved"],
  [{ dkim: [["pass", "bank.test"]], dmarc: [["fail", "bank.test"]] }, "forged"],
  [{ dmarc: [["permerror", "bank.test"]] }, "forged"],
  [{ dmarc: [["fail", "bank.test", "junk"]] }, "forged"],
  [{ dmarc: [["fail", "bank.test", "accept"]] }, "unproved"],
  [{ dmarc: [["fail", "bank.test", "lists.test"]] }, "unproved"],
  [{ spf: ["pass", "other.test"], dkim: [["pass", "other.test"]] }, "unproved"],
  [{ dkim: [["pass", "evil.bank.test"]] }, "unproved"],
  [{ dkim: [["pass", "test"]] }, "unproved"],
  [{ spf: ["softfail", "bank.test"], dkim: [["fail", "bank.test"]] }, "unproved"],
  [{}, "unproved"],
  [{ spf: ["temperror", "bank.test"] }, "unsure"],
] as [Parameters<typeof found>[0], string][])("what our server found: %j", (results, expected) => {
  expect(verdict(found(results))).toBe(expected);
});

test("of mail that it did not check nothing is said", () => {
  expect(verdict(null)).toBe("unknown");
});

test("a mail without an author is proved for nobody", () => {
  expect(verdict(found({ dkim: [["pass", "bank.test"]] }), "")).toBe("unproved");
});

test("a mail with two authors is proved for neither by one of them", () => {
  const dmarc: Domains = [
    ["pass", "evil.test"],
    ["none", "bank.test"],
  ];
  expect(verdict(found({ dkim: [["pass", "evil.test"]], dmarc }))).toBe("unproved");
});

test("each result is listed with what it is about", () => {
  const { results } = readOrigin(found({ spf: ["pass", "bank.test"], dkim: [["none", ""]] }), "a@bank.test");
  expect(results).toEqual([
    { method: "spf", result: "pass", about: "bank.test" },
    { method: "dkim", result: "none", about: "" },
  ]);
});
