import { expect, test } from "vitest";
import { encrypted } from "./encrypted.ts";
import { factsOf, peer } from "./testing.ts";

test("mail of our own users comes over TLS", () => {
  expect(encrypted(peer(), factsOf.mail())).toMatchObject({ kind: "refuse", code: 530, status: "5.7.0" });
  expect(encrypted(peer("192.0.2.1", { tls: "TLSv1.3 X" }), factsOf.mail())).toMatchObject({ kind: "pass" });
});
