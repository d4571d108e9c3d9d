import { beforeAll, expect, test } from "vitest";
import { createTestAccount, createTestStore } from "../../../../test/support/postgres.ts";
import { writeVacation } from "../../../store/mail/vacation.ts";
import { prepareMessage } from "../prepare.ts";
import { vacation } from "./vacation.ts";

const store = await createTestStore();
let account: number;
const from = new Date("2026-07-01T00:00:00Z");
const to = new Date("2026-08-01T00:00:00Z");
const text = { subject: null, textBody: null, htmlBody: null };

beforeAll(async () => {
  account = await createTestAccount(store);
  await store.write(account, "server", (tx) =>
    writeVacation(tx, { isEnabled: true, fromDate: from, toDate: to, ...text }),
  );
});

const asked = (arrivedAt: Date, { accountId = account, field = "" } = {}) =>
  vacation(
    {
      mailFrom: "eve@far.test",
      arrivedAt,
      prepared: prepareMessage(Buffer.from(`From: eve@far.test\r\n${field}\r\nhello\r\n`)),
    },
    { accountId, address: "ann@here.test" },
    { reader: store.reader(accountId, "server"), junkReason: null, spam: { junkScore: undefined, outside: null } },
  );

test("a person is answered while the recipient is away", async () => {
  expect(await asked(from)).toEqual([{ kind: "answer", reason: "the recipient is away" }]);
});

test("nobody is answered before or after the absence, or without one, and a machine never", async () => {
  expect(await asked(new Date(from.getTime() - 1))).toEqual([]);
  expect(await asked(to)).toEqual([]);
  expect(await asked(from, { accountId: await createTestAccount(store) })).toEqual([]);
  expect(await asked(from, { field: "Auto-Submitted: auto-replied\r\n" })).toEqual([]);
});
