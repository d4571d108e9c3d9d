import { expect, test } from "vitest";
import { type Log, silentLog } from "../../base/log.ts";
import { type Check, type Disposition, decide, type Facts } from "./disposition.ts";
import { prepareMessage } from "./prepare.ts";

const prepared = prepareMessage(Buffer.from("From: eve@far.test\r\n\r\nhello\r\n"));
const message = { mailFrom: "eve@far.test", arrivedAt: new Date("2026-01-01T00:00:00Z"), prepared };
const facts = {} as Facts;
const decided = (checks: Check[], log: Log = silentLog) =>
  decide(checks, message, { accountId: 1, address: "ann@here.test" }, facts, log);
const says =
  (...dispositions: Disposition[]): Check =>
  () =>
    dispositions;

const junk: Disposition = { kind: "file", into: { role: "junk" }, reason: "forged" };
const lists: Disposition = { kind: "file", into: { mailboxId: 7 }, reason: "a list" };
const sent: Disposition = { kind: "file", into: { role: "sent" }, reason: "from me" };
const away: Disposition = { kind: "answer", reason: "away" };
const inbox = { places: [{ role: "inbox" }], keywords: [], isAnswered: false, reasons: [] };

test("a message without dispositions goes to the inbox, without a reason", async () => {
  expect(await decided([])).toEqual(inbox);
  expect(await decided([says(), says()])).toEqual(inbox);
});

test("a message that is answered goes to the inbox", async () => {
  expect(await decided([says(away)])).toEqual({ ...inbox, isAnswered: true, reasons: ["away"] });
});

test("a message that two checks file is in both places, with the reasons in the order of the checks", async () => {
  const later: Check = async () => [sent];
  expect(await decided([says(lists, away), later])).toEqual({
    places: [{ mailboxId: 7 }, { role: "sent" }],
    keywords: [],
    isAnswered: true,
    reasons: ["a list", "away", "from me"],
  });
});

test.each([[[lists, away, junk]], [[junk, lists, away]]])(
  "Junk wins whoever speaks first, and answers nobody",
  async (said) => {
    const { places, isAnswered, reasons } = await decided(said.map((one) => says(one)));
    expect({ places, isAnswered }).toEqual({ places: [{ role: "junk" }], isAnswered: false });
    expect(new Set(reasons)).toEqual(new Set(["a list", "forged"]));
  },
);

test("keywords are combined, and each reason is listed once", async () => {
  const one: Disposition = { kind: "keywords", keywords: ["$junk", "a"], reason: "forged" };
  const other: Disposition = { kind: "keywords", keywords: ["a", "b"], reason: "a rule" };
  expect(await decided([says(junk, one), says(other)])).toMatchObject({
    keywords: ["$junk", "a", "b"],
    reasons: ["forged", "a rule"],
  });
});

test("a check that fails is logged and skipped; a database failure is thrown for a later retry", async () => {
  const errors: unknown[] = [];
  const log = { ...silentLog, error: (fields: unknown) => void errors.push(fields) } as Log;
  const broken: Check = () => {
    throw new Error("not like this");
  };
  expect(await decided([broken, says(lists)], log)).toMatchObject({ places: [{ mailboxId: 7 }] });
  expect(errors).toEqual([{ account: 1, err: new Error("not like this") }]);
  const lost: Check = () => Promise.reject(new Error("Connection terminated unexpectedly"));
  await expect(decided([lost, says(lists)], log)).rejects.toThrow("Connection terminated");
  expect(errors).toHaveLength(1);
});
