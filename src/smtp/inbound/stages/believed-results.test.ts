import { expect, test } from "vitest";
import { believedResults } from "./believed-results.ts";
import { factsOf, peer } from "./testing.ts";

const ask = (field: string, authserv = "Front.test") =>
  believedResults({ authserv })(
    peer(),
    factsOf.data({ message: Buffer.from(`Authentication-Results: ${field}\r\nSubject: x\r\n\r\nHello.\r\n`) }),
  );

test.each([
  "front.test; dmarc=fail (p=reject dis=none) header.from=there.test",
  'front.test 1;\r\n spf=pass;\r\n dmarc=fail reason="No valid SPF" header.from=there.test (policy=quarantine)',
  "(a comment) front.test; dmarc = fail policy.dmarc=reject",
])("a failed policy files to Junk: %s", (field) => {
  expect(ask(field)).toMatchObject({ kind: "pass", found: { junkReason: expect.stringContaining("DMARC fails") } });
});

test.each([
  "front.test; dmarc=fail (p=none) header.from=there.test",
  "front.test; dmarc=pass (p=reject) header.from=there.test",
  "front.test; spf=fail; x=y (dmarc=fail p=reject)",
  "front.test.evil.test; dmarc=fail (p=reject)",
  "front.test; none",
])("anything else does not: %s", (field) => {
  expect(ask(field)).toMatchObject({ kind: "pass" });
  expect(ask(field)).not.toHaveProperty("found.junkReason");
});

test("all that the server in front says is kept, in our form; what another says is not", () => {
  const said = `front.test 1; auth=pass smtp.auth=eve; spf=pass (a; comment) smtp.mailfrom=eve@There.test;
 dkim=pass header.d=there.test header.s=s1; dkim = fail reason="a; b" header.i=@list.test;
 dmarc=pass (p=REJECT dis=none) header.from=there.test; arc=none; x-own=1; bimi/1=pass header.d=there.test`;
  expect(ask(said.replaceAll("\n", "\r\n"))).toEqual({
    kind: "pass",
    found: {
      authentication: {
        authservId: "front.test",
        spf: { result: "pass", domain: "there.test" },
        dkim: [
          { result: "pass", domain: "there.test", selector: "s1" },
          { result: "fail", domain: "list.test", selector: "" },
        ],
        dmarc: [{ result: "pass", domain: "there.test", policy: "reject", override: null }],
        arc: { result: "none", sealers: [] },
        bimi: { result: "pass", domain: "there.test" },
      },
    },
  });
  expect(ask("front.test.evil.test; spf=pass smtp.mailfrom=x@y.test")).toEqual({ kind: "pass", found: {} });
  expect(ask("front.test; spf=pass (smtp.mailfrom=no.test) smtp.helo=mx.there.test")).toMatchObject({
    found: { authentication: { spf: { domain: "mx.there.test" }, dmarc: [] } },
  });
});

test("without the option nothing is believed", () => {
  expect(ask("front.test; dmarc=fail (p=reject)", "")).toEqual({ kind: "pass", found: {} });
});
