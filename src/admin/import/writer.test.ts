import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createTestBlobs } from "../../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { AccountMissing } from "../../store/core/errors.ts";
import { beginImport } from "../../store/mail/imports.ts";
import { Places } from "./places.ts";
import type { SourceMail } from "./source.ts";
import { Writer } from "./writer.ts";

const store = await createTestStore();
const blobs = createTestBlobs();
let writer: Writer;

beforeEach(async () => {
  const accountId = await createTestAccount(store);
  const { id: sourceId } = await store.write(accountId, "server", (tx) => beginImport(tx, "test"));
  const places = new Places(store, accountId, [], {});
  // Found now, so that only mails are written in the tests.
  await places.idsOf([{ path: [] }]);
  writer = new Writer({ store, blobs, accountId, sourceId, places });
});
afterEach(() => vi.restoreAllMocks());

const mails = ["one", "two"].map(
  (subject): SourceMail => ({
    ...{ kind: "mail", key: subject, where: subject, mailboxes: [{ path: [] }], keywords: [] },
    raw: Buffer.from(`From: a@x.test\r\nSubject: ${subject}\r\n\r\nHello.\r\n`),
    receivedAt: undefined,
  }),
);
const errorOf = (code: string) => Object.assign(new Error(`SQLSTATE ${code}`), { code });

test("a mail that the database refuses is kept in another form, and the others as they are", async () => {
  const write = await writer.ready(mails);
  // The batch, then its first half.
  vi.spyOn(store, "write").mockRejectedValueOnce(errorOf("22021")).mockRejectedValueOnce(errorOf("22021"));
  expect(await write()).toMatchObject({
    ...{ seen: 2, made: 2 },
    unreadable: [{ where: "one", why: "the database refuses it: SQLSTATE 22021" }],
  });
});

test("a mail that is refused in the other form as well is not tried on and on", async () => {
  const write = await writer.ready(mails);
  const writes = vi.spyOn(store, "write").mockRejectedValue(errorOf("54000"));
  await expect(write()).rejects.toThrow("SQLSTATE 54000");
  // The batch, its first half, and that in the other form.
  expect(writes).toHaveBeenCalledTimes(3);
});

test.each([
  ["a full disk", errorOf("53100")],
  ["too little memory", errorOf("53200")],
  ["a database that only reads", errorOf("25006")],
  ["a statement that was ended", errorOf("57014")],
  ["an account that was removed", new AccountMissing(1)],
])("%s is no fault of a mail", async (_, error) => {
  const write = await writer.ready(mails);
  const writes = vi.spyOn(store, "write").mockRejectedValue(error);
  await expect(write()).rejects.toBe(error);
  expect(writes).toHaveBeenCalledTimes(1);
});
