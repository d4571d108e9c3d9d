import { expect, test } from "vitest";
import { namedSender, oneForNullSender } from "./null-sender.ts";
import { factsOf, peer } from "./testing.ts";

test("mail without a sender goes to one recipient in a transaction", () => {
  const ask = (mailFrom: string, recipients: number) =>
    oneForNullSender(peer(), factsOf.rcpt({ mailFrom, recipients }));
  expect(ask("", 0)).toMatchObject({ kind: "pass" });
  expect(ask("", 1)).toMatchObject({ kind: "defer", code: 452, status: "4.5.3" });
  expect(ask("eve@there.test", 1)).toMatchObject({ kind: "pass" });
});

test("our own users name themselves", () => {
  expect(namedSender(peer(), factsOf.mail({ mailFrom: "" }))).toMatchObject({
    kind: "refuse",
    code: 550,
    status: "5.7.1",
  });
  expect(namedSender(peer(), factsOf.mail())).toMatchObject({ kind: "pass" });
});
