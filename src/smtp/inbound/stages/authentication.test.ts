import { expect, test } from "vitest";
import { systemClock } from "../../../base/clock.ts";
import { silentLog } from "../../../base/log.ts";
import { authentication } from "./authentication.ts";
import { factsOf, peer } from "./testing.ts";

const zone: Record<string, string> = {
  "_dmarc.bank.test": "v=DMARC1; p=reject",
  "_dmarc.shop.test": "v=DMARC1; p=quarantine",
  "_dmarc.there.test": "v=DMARC1; p=reject",
  "there.test": "v=spf1 +all",
};
const resolver = {
  async resolve(name: string, type: string) {
    const text = type === "TXT" ? zone[name] : undefined;
    if (text === undefined) throw Object.assign(new Error(name), { code: "ENOTFOUND" });
    return [[text]];
  },
} as never;
// Only domains without a policy would be looked up in the database.
const database = undefined as never;
const check = authentication({ database, clock: systemClock, resolver, hostname: "mx.test", log: silentLog });
const judge = (from: string) =>
  check(peer(), factsOf.data({ message: Buffer.from(`From: ${from}\r\nSubject: x\r\n\r\nHello.\r\n`) }));

test("a policy of reject refuses", async () => {
  expect(await judge("a@bank.test")).toMatchObject({
    ...{ kind: "refuse", code: 550, status: "5.7.1" },
    text: expect.stringMatching(/^refused by the DMARC policy of bank.test: it must come from /),
  });
});

test("a policy of quarantine gives the reason for filing to Junk", async () => {
  expect(await judge("a@shop.test")).toMatchObject({
    kind: "pass",
    found: { results: expect.stringMatching(/^Authentication-Results: mx\.test;/), junkReason: expect.any(String) },
  });
});

test("an authenticated message passes, with the results", async () => {
  const verdict = await judge("a@there.test");
  expect(verdict).toMatchObject({ kind: "pass", found: { results: expect.stringContaining("dmarc=pass") } });
  expect(verdict).not.toHaveProperty("found.junkReason");
});
