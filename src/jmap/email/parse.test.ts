import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createEmailWorld, type EmailWorld, type Json } from "../../../test/support/email-world.ts";
import { type TestClient, testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestStore } from "../../../test/support/postgres.ts";
import { decodeBlobId, encodeBlobId } from "../../store/blobs/blob-id.ts";
import type { Store } from "../../store/core/store.ts";
import type { Services } from "../method.ts";

let store: Store;
let services: Services;
let account: number;
let client: TestClient;
let upload: EmailWorld["upload"];

beforeAll(async () => {
  store = await createTestStore();
  services = testServices(store, createMailServices(store));
});
beforeEach(async () => {
  ({ account, client, upload } = await createEmailWorld(services));
});

async function parseOne(blobId: string, args: Json = {}): Promise<Json> {
  const answer = await client.call("Email/parse", { blobIds: [blobId], ...args });
  return ((answer.parsed ?? {}) as Record<string, Json>)[blobId] ?? answer;
}

const inner = [
  "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>",
  "To: a@example.org",
  "Subject: =?utf-8?b?5p2x5Lqs?=",
  "Date: Tue, 3 Feb 2026 04:05:06 +0100",
  "Message-ID: <m1@example.org>",
  "X-Note: one",
  "Content-Type: multipart/mixed; boundary=b",
  "",
  "--b",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: quoted-printable",
  "",
  "Gr=C3=BC=C3=9Fe",
  "--b",
  "Content-Type: application/pdf; name=x.pdf",
  "Content-Transfer-Encoding: base64",
  "",
  Buffer.from("pdf bytes").toString("base64"),
  "--b--",
  "",
].join("\r\n");

/** A message with another one attached, in base64 or as plain text. */
function wrap(message: string, encoding: "base64" | "7bit"): string {
  const body = encoding === "base64" ? Buffer.from(message).toString("base64") : message;
  return [
    "From: outer@example.org",
    "Subject: outer",
    "Content-Type: multipart/mixed; boundary=o",
    "",
    "--o",
    "Content-Type: text/plain",
    "",
    "see below",
    "--o",
    "Content-Type: message/rfc822",
    `Content-Transfer-Encoding: ${encoding}`,
    "",
    body,
    "--o--",
    "",
  ]
    .join("\r\n")
    .replaceAll(/boundary=o|--o/g, (text) => `${text}${message.length}`);
}

describe("Email/parse", () => {
  test("shows a blob as an email, with the default properties", async () => {
    const email = await parseOne(await upload(inner), { fetchAllBodyValues: true });
    const expected =
      "messageId inReplyTo references sender from to cc bcc replyTo subject sentAt hasAttachment preview bodyValues " +
      "textBody htmlBody attachments";
    expect(Object.keys(email).sort()).toEqual(expected.split(" ").sort());
    expect(email).toMatchObject({
      from: [{ name: "Jürgen", email: "j@example.org" }],
      cc: null,
      subject: "東京",
      sentAt: "2026-02-03T04:05:06+01:00",
      messageId: ["m1@example.org"],
      hasAttachment: true,
      preview: "Grüße",
      bodyValues: { 1: { value: "Grüße", isEncodingProblem: false, isTruncated: false } },
      attachments: [{ name: "x.pdf", type: "application/pdf", size: 9 }],
    });
  });

  test("properties that only an account gives are null; header properties keep their spelling", async () => {
    const blobId = await upload(inner);
    const properties = [
      ...["id", "blobId", "threadId", "mailboxIds", "keywords", "receivedAt", "size", "headers"],
      ...["header:x-NOTE:asText", "header:From:asAddresses", "bodyStructure"],
    ];
    const email = await parseOne(blobId, { properties, bodyProperties: ["type", "header:Content-Type", "subParts"] });
    expect(Object.keys(email).sort()).toEqual([...properties].sort());
    expect(email).toMatchObject({
      id: null,
      threadId: null,
      mailboxIds: null,
      keywords: null,
      receivedAt: null,
      blobId,
      size: inner.length,
      "header:x-NOTE:asText": "one",
      bodyStructure: {
        type: "multipart/mixed",
        subParts: [
          { type: "text/plain", "header:Content-Type": " text/plain; charset=utf-8", subParts: null },
          { subParts: null },
        ],
      },
    });
    expect(email.headers).toHaveLength(7);
  });

  test("a part's blob id can be read, and parsed when it is a message", async () => {
    for (const encoding of ["7bit", "base64"] as const) {
      const outer = await parseOne(await upload(wrap(inner, encoding)));
      const [attached] = outer.attachments as { type: string; blobId: string }[];
      expect(attached!.type).toBe("message/rfc822");
      const email = await parseOne(attached!.blobId);
      expect(email).toMatchObject({ subject: "東京", attachments: [{ name: "x.pdf" }] });
      const [pdf] = email.attachments as { blobId: string }[];
      expect((await services.blobs.read(store.reader(account, "server"), pdf!.blobId))?.toString()).toBe("pdf bytes");
    }
  });

  test("a message nested deeper than blob ids can express becomes a blob of its own", async () => {
    let message = inner;
    for (let depth = 0; depth < 6; depth++) message = wrap(message, depth % 2 ? "base64" : "7bit");
    let blobId = await upload(message);
    for (let depth = 0; depth < 6; depth++) {
      const email = await parseOne(blobId, { fetchTextBodyValues: true });
      expect(email).toMatchObject({ subject: "outer", bodyValues: { 1: { value: "see below" } } });
      blobId = (email.attachments as { blobId: string }[])[0]!.blobId;
    }
    expect(decodeBlobId(blobId)!.steps.length).toBeLessThanOrEqual(4);
    const email = await parseOne(blobId);
    expect(email.subject).toBe("東京");
    const [pdf] = email.attachments as { blobId: string }[];
    expect((await services.blobs.read(store.reader(account, "server"), pdf!.blobId))?.toString()).toBe("pdf bytes");
  });

  test("bytes that are not a message are notParsable, unknown ids notFound", async () => {
    const [png, text, none] = [await upload(Buffer.from("89504e470d0a1a0a", "hex")), await upload("just words"), "b0"];
    const good = await upload(inner);
    const answer = await client.call("Email/parse", { blobIds: [png, good, text, none, good] });
    expect(answer.notParsable).toEqual([png, text]);
    expect(answer.notFound).toEqual([none]);
    expect(Object.keys(answer.parsed as Json)).toEqual([good]);
    expect(await client.call("Email/parse", { blobIds: [] })).toEqual({
      accountId: client.account,
      parsed: null,
      notParsable: null,
      notFound: null,
    });
  });

  test("body values are cut at maxBodyValueBytes", async () => {
    const blobId = await upload(inner);
    const email = await parseOne(blobId, { fetchTextBodyValues: true, maxBodyValueBytes: 3 });
    expect(email.bodyValues).toEqual({ 1: { value: "Gr", isEncodingProblem: false, isTruncated: true } });
  });

  test("internationalised headers (RFC 6532) are read", async () => {
    const email = await parseOne(await upload("From: Дмитрий <д@пример.рф>\r\nSubject: Привет\r\n\r\nтекст\r\n"));
    expect(email).toMatchObject({ subject: "Привет", from: [{ name: "Дмитрий", email: "д@пример.рф" }] });
  });

  test.each([
    [{ properties: ["header:From:asDate"] }],
    [{ properties: ["nothing"] }],
    [{ bodyProperties: ["header:Content-Type:asNothing"] }],
  ])("%j is invalidArguments", async (args) => {
    expect(await parseOne(await upload(inner), args)).toMatchObject({ type: "invalidArguments" });
  });
});

test("what is too large for a message, as an archive of an account may be, is never read", async () => {
  const limits = { ...services.limits, maxSizeUpload: 100 };
  const world = await createEmailWorld({ ...services, limits });
  const large = await world.upload(`Subject: large\r\n\r\n${"x".repeat(200)}`);
  const part = encodeBlobId(decodeBlobId(large)!.sha256, [{ start: 5, end: 190, encoding: "identity" }]);
  const read = vi.spyOn(services.blobs, "readObject");
  const mailboxIds = { [world.inbox]: true };
  for (const blobId of [large, part]) {
    for (const method of ["Email/parse", "MDN/parse"]) {
      const answer = await world.client.call(method, { blobIds: [blobId] });
      expect(answer).toMatchObject({ parsed: null, notParsable: [blobId], notFound: null });
    }
    const imported = await world.client.call("Email/import", { emails: { a: { blobId, mailboxIds } } });
    expect(imported).toMatchObject({ created: null, notCreated: { a: { type: "tooLarge" } } });
    const attachments = [{ blobId, type: "text/plain" }];
    expect(await world.create({ attachments })).toMatchObject({ type: "tooLarge" });
  }
  expect(read).not.toHaveBeenCalled();
  read.mockRestore();
});
