import { expect, test } from "vitest";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { prepareMessage } from "../../mail/deliver/prepare.ts";
import { blobOf, type FetchedEmail, fetchEmails } from "./email-fetch.ts";

const store = await createTestStore();
const { blobs, ingest } = createMailServices(store);

test("an email has the columns that were asked for, and no others can be read", async () => {
  const account = await createTestAccount(store);
  const bytes = Buffer.from("From: joe@example.org\r\nReferences: <a@example.org>\r\nSubject: Hello\r\n\r\nText\r\n");
  const blob = await blobs.put(bytes);
  const mail = { blob, prepared: prepareMessage(bytes), keywords: ["$seen"], receivedAt: new Date(0) };
  const added = await ingest.add(account, { ...mail, target: { role: "inbox" } });
  const { id } = (added as { email: { id: number } }).email;
  const reader = store.reader(account, "server");

  const [own] = await fetchEmails(reader, [id, id + 1], "own");
  expect(own).toMatchObject({ id, keywords: ["$seen"], size: bytes.length });
  // @ts-expect-error: it was not asked for
  expect(own!.subject).toBeUndefined();
  // @ts-expect-error: nor was where its bytes are
  expect(blobOf(own!).sha256).toBeUndefined();

  const [listed] = await fetchEmails(reader, [id], "list");
  expect(listed).toMatchObject({ subject: "Hello", references: ["a@example.org"], sha256: blob.sha256 });
  // @ts-expect-error: it was not asked for
  expect(listed!.structure).toBeUndefined();

  expect(blobOf((await fetchEmails(reader, [id], "blob"))[0]!)).toEqual(blob);
  const [whole] = await fetchEmails(reader, [id], "everything");
  expect(whole).toMatchObject({ ...listed, day: blob.day, header: bytes.subarray(0, -8) });

  const columns = "list" as "list" | "own";
  const [either]: FetchedEmail<"list" | "own">[] = await fetchEmails(reader, [id], columns);
  // @ts-expect-error: it may not be there
  expect(either!.subject).toBe("Hello");
  expect("subject" in either! && either.subject).toBe("Hello");
});
