import { expect, test } from "vitest";
import { judgeDomain } from "./dmarc.ts";
import type { Identifiers } from "./verify.ts";

const zone: Record<string, string> = {
  "_dmarc.bank.test": "v=DMARC1; p=reject; sp=quarantine; np=reject",
  "_dmarc.strict.test": "v=DMARC1; p=reject; adkim=s; aspf=s",
  "_dmarc.tried.test": "v=DMARC1; p=reject; t=y",
  "_dmarc.part.test": "v=DMARC1; p=reject; pct=0",
  "_dmarc.gov.test": "v=DMARC1; p=quarantine; psd=y",
  "_dmarc.own.bank.test": "v=DMARC1; p=none; psd=n",
};
const exists = new Set(["mail.bank.test"]);
let asked: string[] = [];

async function lookUp(name: string, type: string): Promise<unknown> {
  asked.push(name);
  if (name.includes("silent")) throw Object.assign(new Error(name), { code: "ESERVFAIL" });
  if (type === "TXT" && zone[name]) return [[zone[name]]];
  throw Object.assign(new Error(name), { code: exists.has(name) ? "ENODATA" : "ENOTFOUND" });
}

const nobody: Identifiers = { passed: [], unknown: [] };
const passed = (...domains: string[]) => ({ passed: domains, unknown: [] });
const judge = (domain: string, { spf = nobody, dkim = nobody } = {}) => judgeDomain(domain, { spf, dkim }, lookUp);

// RFC 9989 §4.10
test.each([
  ["bank.test", "fail", "reject"],
  ["mail.bank.test", "fail", "quarantine"],
  ["no.bank.test", "fail", "reject"],
  ["own.bank.test", "fail", "none"],
  ["a.own.bank.test", "fail", "none"],
  ["a.b.c.d.e.f.g.h.i.bank.test", "fail", "reject"],
  ["tried.test", "fail", "quarantine"],
  ["part.test", "fail", "reject"],
  ["town.gov.test", "fail", "quarantine"],
  ["other.test", "none", undefined],
  [`${"x".repeat(70)}.bank.test`, "fail", "reject"],
  ["silent.test", "temperror", undefined],
])("the policy of %s", async (domain, result, policy) => {
  asked = [];
  expect(await judge(domain)).toMatchObject({ domain, result, policy });
  expect(asked.filter((name) => name.startsWith("_dmarc.")).length).toBeLessThanOrEqual(8);
});

test.each([
  ["bank.test", { dkim: passed("bank.test") }, "pass"],
  ["bank.test", { spf: passed("mail.bank.test") }, "pass"],
  ["mail.bank.test", { dkim: passed("bank.test") }, "pass"],
  ["bank.test", { dkim: passed("evil.test"), spf: passed("evil.test", "test") }, "fail"],
  ["bank.test", { dkim: passed("own.bank.test") }, "fail"],
  ["strict.test", { dkim: passed("mail.strict.test") }, "fail"],
  ["strict.test", { dkim: passed("strict.test") }, "pass"],
  ["town.gov.test", { dkim: passed("city.gov.test") }, "fail"],
  // An unanswered DNS query counts only if its domain could be aligned.
  ["bank.test", { dkim: { passed: [], unknown: ["bank.test"] } }, "temperror"],
  ["bank.test", { spf: { passed: [], unknown: ["mail.bank.test"] } }, "temperror"],
  ["bank.test", { spf: { passed: [], unknown: ["evil.test"] }, dkim: { passed: [], unknown: ["evil.test"] } }, "fail"],
])("%s, with what was authenticated", async (domain, found, result) => {
  expect(await judge(domain, found)).toMatchObject({ result });
});
