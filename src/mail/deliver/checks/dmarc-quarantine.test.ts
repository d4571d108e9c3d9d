import { expect, test } from "vitest";
import { silentLog } from "../../../base/log.ts";
import { type ArrivingMessage, decide, type Facts } from "../disposition.ts";
import { dmarcQuarantine } from "./dmarc-quarantine.ts";

const recipient = { accountId: 1, address: "ann@here.test" };
const decided = (junkReason: string | null) =>
  decide([dmarcQuarantine], {} as ArrivingMessage, recipient, { junkReason } as Facts, silentLog);

test("a message found suspicious on arrival is filed to Junk with the keyword and the reason", async () => {
  expect(await decided("DMARC fails for bank.test, whose policy is quarantine")).toEqual({
    places: [{ role: "junk" }],
    keywords: ["$junk"],
    isAnswered: false,
    reasons: ["DMARC fails for bank.test, whose policy is quarantine"],
  });
});

test("any other message is left alone", async () => {
  expect(await decided(null)).toMatchObject({ places: [{ role: "inbox" }], keywords: [], reasons: [] });
});
