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
  expect(ask(field)).toEqual({ kind: "pass", found: {} });
});

test("without the option nothing is believed", () => {
  expect(ask("front.test; dmarc=fail (p=reject)", "")).toEqual({ kind: "pass", found: {} });
});
