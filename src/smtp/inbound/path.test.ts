import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cpuMs } from "../../../test/support/cpu.ts";
import { tries } from "../../../test/support/fuzz.ts";
import { parsePath } from "./path.ts";

const mail = (path: string) => parsePath("mail from", `MAIL FROM:${path}`)?.address;
const rcpt = (path: string) => parsePath("rcpt to", `RCPT TO:${path}`)?.address;

describe("the addresses of RFC 5321 §4.1.2, and what senders write", () => {
  test.each([
    ["<>", ""],
    [" <> ", ""],
    ["<eve@there.test>", "eve@there.test"],
    [" <eve@there.test>", "eve@there.test"],
    ["< eve@there.test >", "eve@there.test"],
    ['<"bob smith"@there.test>', '"bob smith"@there.test'],
    ['<"a@b"@there.test>', '"a@b"@there.test'],
    ['<"a>b<c"@there.test>', '"a>b<c"@there.test'],
    ['<"a\\"b\\\\c\\ d"@there.test>', '"a\\"b\\\\c\\ d"@there.test'],
    ['<""@there.test>', '""@there.test'],
    ['<" "@there.test>', '" "@there.test'],
    ['<"a, b; c:d"@there.test>', '"a, b; c:d"@there.test'],
    ['<"bob".smith@there.test>', '"bob".smith@there.test'],
    ["<fred\\ bloggs@there.test>", "fred\\ bloggs@there.test"],
    ["<eve@there.test.>", "eve@there.test"],
    ["<ève@thère.test.>", "ève@thère.test"],
    ["<eve@localhost.>", "eve@localhost"],
    ["<ilo.@there.test>", "ilo.@there.test"],
    ["<a..b@there.test>", "a..b@there.test"],
    ["<.a@there.test>", ".a@there.test"],
    ["<...@there.test>", "...@there.test"],
    ["<bounce+x=here.test:7/8@there.test>", "bounce+x=here.test:7/8@there.test"],
    ["<eve@my_host.there.test>", "eve@my_host.there.test"],
    ["<eve@[192.0.2.1]>", "eve@[192.0.2.1]"],
    ["<eve@[IPv6:2001:db8::1]>", "eve@[IPv6:2001:db8::1]"],
    ["<@relay.test:eve@there.test>", "eve@there.test"],
    ['<@a.test,@[192.0.2.1],@[IPv6:2001:db8::1]:"e ve"@there.test>', '"e ve"@there.test'],
    ["<ève@thère.test>", "ève@thère.test"],
    ['<"è v e"@thère.test>', '"è v e"@thère.test'],
    ["<用户@例え.テスト>", "用户@例え.テスト"],
    [`<${"e".repeat(100)}@there.test>`, `${"e".repeat(100)}@there.test`],
  ])("%s", (path, address) => {
    expect(mail(path)).toBe(address);
    expect(parsePath("mail from", `mail  from : ${path} SIZE=10 BODY=7BIT`)?.parameters.trim()).toBe(
      "SIZE=10 BODY=7BIT",
    );
  });

  test.each([
    "",
    "eve@there.test",
    "<eve@there.test",
    "<eve@there.test>SIZE=10",
    "<eve>",
    "<postmaster>",
    "<@there.test>",
    "<eve@>",
    "<eve ve@there.test>",
    "<eve@there test>",
    "<eve@@there.test>",
    "<a@b@there.test>",
    '<"eve@there.test>',
    '<eve"@there.test>',
    '<"eve"there.test>',
    "<eve@there..test>",
    "<eve@.there.test>",
    "<eve@there.test..>",
    "<eve@.>",
    "<eve@[192.0.2.1].>",
    "<eve@-there.test>",
    "<eve@there-.test>",
    "<eve@[192.0.2.256]>",
    "<eve@[2001:db8::1]>",
    "<eve@[IPv6:192.0.2.1]>",
    "<eve@[x:y]>",
    "<<eve@there.test>>",
    "<eve@there.test>, <ann@there.test>",
    "<e\u200bve@there.test>",
    '<"e\tve"@there.test>',
    "<@relay.test,eve@there.test>",
    `<${"e".repeat(250)}@there.test>`,
  ])("%s is not a path", (path) => {
    expect(mail(path)).toBeUndefined();
  });

  test("the postmaster needs no domain, as a recipient", () => {
    expect(rcpt("<Postmaster>")).toBe("Postmaster");
    expect(rcpt("<@relay.test:postmaster>")).toBe("postmaster");
    expect(rcpt("<abuse>")).toBeUndefined();
  });
});

test("a command is only taken for itself", () => {
  expect(parsePath("rcpt to", "MAIL FROM:<eve@there.test>")).toBeUndefined();
  expect(parsePath("mail from", "MAIL <eve@there.test>")).toBeUndefined();
  expect(parsePath("mail from", "MAIL FROM <eve@there.test>")).toBeUndefined();
});

test("any local part can be quoted", () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab "\\@<>,.;:()[]é用'), maxLength: 60 });
  fc.assert(
    fc.property(text, (local) => {
      const address = `"${local.replace(/["\\]/g, "\\$&")}"@there.test`;
      expect(mail(`<${address}>`)).toBe(address);
    }),
    tries(300),
  );
});

test.each([
  "<@[1],".padEnd(4_090, "@[1],"),
  `<${'"\\"'.repeat(1_000)}`,
  `<a${".a".repeat(2_000)}@`,
  "<a@b".padEnd(4_090, ".b"),
])("a line built to be slow is read in time: %s", (path) => {
  const began = cpuMs();
  expect(mail(`${path} x`)).toBeUndefined();
  expect(cpuMs() - began).toBeLessThan(100);
});
