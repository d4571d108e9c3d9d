import { expect, test } from "vitest";
import { silentLog } from "../../../base/log.ts";
import { type ArrivingMessage, decide, type Facts } from "../disposition.ts";
import { dmarcQuarantine } from "./dmarc-quarantine.ts";

const recipient = { accountId: 1, address: "ann@here.test" };
const decided = (junkReason: string | null) =>
  decide([dmarcQuarantine], {} as ArrivingMessage, recipient, { junkReason } as Facts, silentLog);

test("what the front door objects to is filed to Junk with the keyword, for its reason", async () => {
  expect(await decided("DMARC fails for bank.test, whose policy is quarantine")).toEqual({
    places: [{ role: "junk" }],
    keywords: ["$junk"],
    isAnswered: false,
    reasons: ["DMARC fails for bank.test, whose policy is quarantine"],
  });
});

test("all else is kept", async () => {
  expect(await decided(null)).toMatchObject({ places: [{ role: "inbox" }], keywords: [], reasons: [] });
});
