import { beforeAll, expect, test } from "vitest";
import { createTestBlobs } from "../../../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../../../test/support/postgres.ts";
import { Ingest } from "../ingest.ts";
import { prepareMessage } from "../prepare.ts";
import { mute } from "./muted.ts";

const store = await createTestStore();
const blobs = createTestBlobs();
const ingest = new Ingest(store);
let account: number;
const receivedAt = new Date("2026-07-01T00:00:00Z");

const mail = (id: string, { subject = "Plans", refs = "" } = {}) =>
  Buffer.from(
    `From: eve@far.test\r\nSubject: ${subject}\r\nMessage-ID: <${id}@far.test>\r\n` +
      `${refs && `References: ${refs}\r\n`}\r\nhello\r\n`,
  );

const put = async (accountId: number, message: Buffer, keywords: string[]) => {
  const blob = await blobs.put(message);
  await ingest.add(accountId, {
    ...{ blob, prepared: prepareMessage(message), target: { role: "inbox" }, keywords, receivedAt },
  });
};

beforeAll(async () => {
  account = await createTestAccount(store);
  await put(account, mail("muted"), ["$muted"]);
  await put(account, mail("heard"), []);
});

const asked = async (message: Buffer, accountId = account) =>
  mute(
    { mailFrom: "eve@far.test", arrivedAt: receivedAt, prepared: prepareMessage(message) },
    { accountId, address: "ann@here.test" },
    { reader: store.reader(accountId, "server"), junkReason: null, spam: { junkScore: undefined, outside: null } },
  );

const reason = "the conversation is muted";
const archived = [
  { kind: "file", into: { role: "archive" }, reason },
  { kind: "keywords", keywords: ["$muted", "$seen"], reason },
];

test("what continues a muted conversation goes to the archive, read and muted itself", async () => {
  expect(await asked(mail("next", { subject: "Re: Plans", refs: "<muted@far.test>" }))).toEqual(archived);
});

test("no other conversation is muted, nor the same one of another account, nor one with another subject", async () => {
  expect(await asked(mail("next", { subject: "Re: Plans", refs: "<heard@far.test>" }))).toEqual([]);
  expect(await asked(mail("new"))).toEqual([]);
  expect(await asked(mail("next", { subject: "Dinner", refs: "<muted@far.test>" }))).toEqual([]);
  const other = await createTestAccount(store);
  expect(await asked(mail("next", { subject: "Re: Plans", refs: "<muted@far.test>" }), other)).toEqual([]);
});
