import { expect, test } from "vitest";
import { factsOf, peer } from "./testing.ts";
import { utf8Address } from "./utf8-address.ts";

const say = (address: string, isUtf8: boolean) =>
  utf8Address(peer(), factsOf.rcpt({ path: { address, parameters: {} }, isUtf8 }));

test("an address that is not ASCII needs SMTPUTF8", () => {
  expect(say("adá@here.test", false)).toMatchObject({ kind: "refuse", code: 553, status: "5.6.7" });
  expect(say("adá@here.test", true)).toMatchObject({ kind: "pass" });
  expect(say("ada@xn--hr-bja.test", false)).toMatchObject({ kind: "pass" });
});

test("an address with octets that are not UTF-8 is refused", () => {
  expect(say("ad\ufffd@here.test", true)).toMatchObject({ kind: "refuse", text: "the address is not UTF-8" });
});
