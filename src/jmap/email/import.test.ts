import { beforeAll, beforeEach, expect, test } from "vitest";
import { createEmailWorld, type EmailWorld, type Json } from "../../../test/support/email-world.ts";
import { type TestClient, testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestStore } from "../../../test/support/postgres.ts";
import { decodeId } from "../../base/ids.ts";
import type { Services } from "../method.ts";

let services: Services;
let client: TestClient;
let inbox: string;
let upload: EmailWorld["upload"];
let get: EmailWorld["get"];
let source: EmailWorld["source"];

beforeAll(async () => {
  const store = await createTestStore();
  services = testServices(store, createMailServices(store));
});
beforeEach(async () => {
  ({ client, inbox, upload, get, source } = await createEmailWorld(services));
});

/** A call's response as clients receive it. */
async function wire(name: string, args: Json): Promise<Json> {
  return JSON.parse(JSON.stringify(await client.call(name, args))) as Json;
}

const message = "Received: by x; Tue, 03 Feb 2026 04:05:06 +0000\r\nFrom: a@example.org\r\nSubject: in\r\n\r\nbody\r\n";

test("each email is atomic, and the default date is that of Received", async () => {
  const good = { blobId: await upload(message), mailboxIds: { [inbox]: true }, keywords: { $Flagged: true } };
  const answer = await wire("Email/import", {
    emails: {
      good,
      again: good,
      noBlob: { ...good, blobId: "bnone" },
      noMailbox: { ...good, mailboxIds: {} },
      noMessage: { ...good, blobId: await upload("just some words") },
      noId: { mailboxIds: { [inbox]: true } },
    },
  });
  const { created, notCreated } = answer as Record<string, Record<string, Json>>;
  expect(Object.keys(created!)).toEqual(["good", "again"]);
  expect(created!.good!.id).not.toBe(created!.again!.id);
  expect(notCreated).toMatchObject({
    noBlob: { type: "invalidProperties", properties: ["blobId"] },
    noMailbox: { type: "invalidProperties", properties: ["mailboxIds"] },
    noMessage: { type: "invalidEmail" },
    noId: { type: "invalidProperties", properties: ["blobId"] },
  });
  expect(await get(created!.good!.id, ["receivedAt", "keywords"])).toMatchObject({
    receivedAt: "2026-02-03T04:05:06Z",
    keywords: { $flagged: true },
  });
  expect(await client.call("Email/get", { ids: [] })).toMatchObject({ state: answer.newState });
});

test("a Received field that cannot be read does not hide the one below it", async () => {
  const blobId = await upload(`Received: by y; on a Tuesday\r\n${message}`);
  const { created } = (await client.call("Email/import", {
    emails: { a: { blobId, mailboxIds: { [inbox]: true } } },
  })) as { created: Record<string, Json> };
  expect(await get(created.a!.id, ["receivedAt"])).toMatchObject({ receivedAt: "2026-02-03T04:05:06Z" });
});

test("ifInState is honoured, and a stored message is byte for byte what was given", async () => {
  const email = { blobId: await upload(message), mailboxIds: { [inbox]: true } };
  const { state } = await client.call("Email/get", { ids: [] });
  const answer = await client.call("Email/import", { ifInState: state, emails: { a: email } });
  expect(answer.oldState).toBe(state);
  expect(await source((answer.created as Record<string, Json>).a!.id)).toBe(message);
  const none = await client.call("Email/import", { ifInState: "", emails: {} });
  expect(none).toMatchObject({ type: "stateMismatch" });
  const again = await client.call("Email/import", { ifInState: state, emails: { a: email } });
  expect(again).toMatchObject({ type: "stateMismatch" });
});

test("eight clients at once lose nothing, and each change gets its own state", async () => {
  const blobId = await upload(message);
  const answers = await Promise.all(
    Array.from({ length: 24 }, () =>
      client.call("Email/import", { emails: { a: { blobId, mailboxIds: { [inbox]: true } } } }),
    ),
  );
  const ids = answers.map((answer) => decodeId("e", (answer.created as Record<string, Json>).a!.id as string));
  expect(new Set(ids).size).toBe(24);
  expect(new Set(answers.map((answer) => answer.newState)).size).toBe(24);
});
