import { expect, test } from "vitest";
import { cpuMs } from "../../../test/support/cpu.ts";
import { readAuthors } from "./authors.ts";

test.each<[string, string[], boolean?]>([
  ["ceo@bank.test", ["bank.test"]],
  ["Ceo <ceo@BANK.test.>", ["bank.test"]],
  ["<ceo @ bank . test>", ["bank.test"]],
  ["ceo@bücher.test", ["xn--bcher-kva.test"]],
  ["ceo@ｂank。test", ["bank.test"]],
  ["ceo＠bank.test", ["bank.test"]],
  ["ceo@ba\u00ad\u200bnk.test", ["bank.test"]],
  ['"ceo@bank.test"@evil.test', ["evil.test"]],
  ['"a\\"@bank.test"@evil.test', ["evil.test"]],
  ["＂ceo@bank.test＂@evil.test", ["bank.test", "evil.test"], false],
  ["<ceo@bank.test@evil.test>", ["bank.test", "evil.test"], false],
  ["<ceo@bank.test evil.test>", ["bank.test", "evil.test"], false],
  ["<ceo@bank.test/evil.test>", ["bank.test", "evil.test"], false],
  ["<ceo@b%61nk.test>", ["61nk.test"], false],
  ["<ceo@.bank.test>", ["bank.test"], false],
  ["<ceo@>", [], false],
  ["bank.test", ["bank.test"], false],
  ["ceo@[192.0.2.1]", []],
  ["root@localhost", ["localhost"]],
  ["MAILER-DAEMON", []],
  ["Ceo <>", []],
  ["", []],
  ["a@b.test, c@d.test; Group: e@b.test;", ["b.test", "d.test"]],
])("%s", (from, domains, isClear = true) => {
  const authors = readAuthors([from]);
  expect(authors.domains).toEqual(domains);
  expect(authors.isClear).toBe(isClear);
});

test.each<[string, string[], boolean]>([
  ["ceo@[bank.test]", ["bank.test"], false],
  ["ceo@[IPv6:bank.test]", ["bank.test"], false],
  ["<ceo@[ bank . test ]>", ["bank.test"], false],
  ["a@[192.0.2.1], b@[IPv6:2001:db8::1]", [], true],
  ['"ceo@bank.test" <>', ["bank.test"], true],
  ["ceo@bank.test <>", ["bank.test"], true],
  ["<> (ceo@bank.test)", ["bank.test"], true],
  ["Bob <>", [], true],
])("%s names whom a reader sees", (from, domains, isClear) => {
  const seen = readAuthors([from]);
  expect([seen.domains, seen.isClear]).toEqual([domains, isClear]);
});

test("the authors of several fields are those of each", () => {
  expect(readAuthors(["a@b.test", "", "<c@d.test> <e@b.test>"])).toEqual({
    addresses: ["a@b.test", "c@d.test", "e@b.test"],
    domains: ["b.test", "d.test"],
    isClear: true,
  });
});

test("an address of very many dots is read in time", () => {
  const began = cpuMs();
  expect(readAuthors([`<x@a${".".repeat(1_000_000)}b>`]).isClear).toBe(false);
  expect(cpuMs() - began).toBeLessThan(2_000);
});

test("an address of very many marks is read in time", () => {
  const began = cpuMs();
  expect(readAuthors([`a@${"\u0301\u0323".repeat(100_000)}.b.test`]).isClear).toBe(false);
  expect(cpuMs() - began).toBeLessThan(2_000);
});
