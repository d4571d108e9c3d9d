import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createEmailWorld, type EmailWorld, type Json } from "../../../test/support/email-world.ts";
import { TestClient, testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestStore } from "../../../test/support/postgres.ts";
import type { Store } from "../../store/core/store.ts";
import type { Services } from "../method.ts";
import { methods } from "../methods.ts";
import { OctetPool } from "../octets.ts";

let store: Store;
let services: Services;
let account: number;
let client: TestClient;
let inbox: string;
let upload: EmailWorld["upload"];
let create: EmailWorld["create"];
let get: EmailWorld["get"];

beforeAll(async () => {
  store = await createTestStore();
  services = testServices(store, createMailServices(store));
});
beforeEach(async () => {
  ({ account, client, inbox, upload, create, get } = await createEmailWorld(services));
});

const text = { textBody: [{ partId: "1", type: "text/plain" }], bodyValues: { 1: { value: "Hello\nworld – €\n" } } };

describe("Email/set create", () => {
  test("Email/get returns what was set", async () => {
    const made = await create({
      ...text,
      from: [{ name: "Jürgen, the 2nd", email: "j@example.org" }],
      to: [{ email: "a@example.org" }, { name: null, email: "b@example.org" }],
      cc: [],
      subject: "Grüße aus 東京",
      sentAt: "2026-02-03T04:05:06+01:00",
      messageId: ["m1@example.org"],
      references: ["r1@example.org", "r2@example.org"],
      keywords: { $seen: true, $Draft: true },
      receivedAt: "2026-02-03T03:05:07Z",
      "header:X-One:asText": "été",
      "header:X-Many:all": [" a", " b"],
      "header:X-Group:asGroupedAddresses": [{ addresses: [{ email: "c@example.org" }] }],
    });
    expect(Object.keys(made).sort()).toEqual(["blobId", "id", "size", "threadId"]);
    const email = await get(made.id, undefined, { fetchTextBodyValues: true });
    expect(email).toMatchObject({
      from: [{ name: "Jürgen, the 2nd", email: "j@example.org" }],
      to: [
        { name: null, email: "a@example.org" },
        { name: null, email: "b@example.org" },
      ],
      cc: null,
      subject: "Grüße aus 東京",
      sentAt: "2026-02-03T04:05:06+01:00",
      messageId: ["m1@example.org"],
      references: ["r1@example.org", "r2@example.org"],
      keywords: { $seen: true, $draft: true },
      receivedAt: "2026-02-03T03:05:07Z",
      mailboxIds: { [inbox]: true },
      hasAttachment: false,
      preview: "Hello world – €",
    });
    const [part] = email.textBody as Json[];
    expect((email.bodyValues as Json)[part!.partId as string]).toEqual({
      value: "Hello\nworld – €\n",
      isEncodingProblem: false,
      isTruncated: false,
    });
    const headers = await get(made.id, [
      "header:X-One:asText",
      "header:x-many:all",
      "header:X-Group:asGroupedAddresses",
      "header:absent",
      "header:absent:all",
    ]);
    expect(headers).toMatchObject({
      "header:X-One:asText": "été",
      "header:x-many:all": [" a", " b"],
      "header:X-Group:asGroupedAddresses": [{ name: null, addresses: [{ name: null, email: "c@example.org" }] }],
      "header:absent": null,
      "header:absent:all": [],
    });
  });

  test("a part's type may be given as a header field", async () => {
    const blobId = await upload("BEGIN");
    const given = (type: string, more: Json) => ({ "header:Content-Type": ` ${type}`, ...more });
    const made = await create({
      bodyStructure: given("multipart/mixed; boundary=x; x-y=z", {
        subParts: [
          given("text/plain; format=flowed; charset=iso-8859-1", { partId: "1" }),
          given("text/calendar; method=REQUEST; charset=utf-8; name=a.ics", { blobId }),
        ],
      }),
      bodyValues: { 1: { value: "é" } },
    });
    const args = { fetchAllBodyValues: true, bodyProperties: ["type", "charset", "name", "header:Content-Type"] };
    expect(await get(made.id, ["bodyStructure", "bodyValues"], args)).toMatchObject({
      bodyStructure: {
        "header:Content-Type": expect.stringMatching(/^ multipart\/mixed; x-y=z;\s+boundary="=_[^=]+$/),
        subParts: [
          { "header:Content-Type": " text/plain; charset=utf-8; format=flowed", name: null },
          { type: "text/calendar", charset: "utf-8", name: "a.ics" },
        ],
      },
      bodyValues: { 1: { value: "é", isEncodingProblem: false } },
    });
    const wrong = [given("text/html", { partId: "1" })];
    expect(await create({ ...text, textBody: wrong })).toMatchObject({ properties: ["textBody/0/type"] });
  });

  test("dates at the edges are returned as given, and a leap second as the next second", async () => {
    for (const sentAt of ["0000-01-01T00:00:00Z", "2000-01-01T00:00:00+23:59", "9999-12-31T23:59:59-01:00"]) {
      expect(await get((await create({ sentAt })).id, ["sentAt"])).toMatchObject({ sentAt });
    }
    const leap = await create({ receivedAt: "2016-12-31T23:59:60Z" });
    expect(await get(leap.id, ["receivedAt"])).toMatchObject({ receivedAt: "2017-01-01T00:00:00Z" });
    expect(await create({ sentAt: "2000-01-01T00:00:00+24:00" })).toMatchObject({ properties: ["sentAt"] });
  });

  test("Message-ID and Date are added when they are missing", async () => {
    const made = await create({ from: [{ email: "a@example.org" }], ...text });
    const email = await get(made.id, ["messageId", "sentAt"]);
    const root = { partId: "1", "header:Message-ID": " <own@x>", "header:MIME-Version": " 1.0" };
    const own = await create({ bodyStructure: root, bodyValues: text.bodyValues });
    expect(await get(own.id, ["header:Message-ID:all", "header:MIME-Version:all"])).toMatchObject({
      "header:Message-ID:all": [" <own@x>"],
      "header:MIME-Version:all": [" 1.0"],
    });
    expect(email.messageId).toMatchObject([expect.stringMatching(/@example\.org$/)]);
    expect(Date.parse(email.sentAt as string)).toBeGreaterThan(Date.now() - 60_000);
  });

  test("text, html, an inline image and a file become mixed, alternative and related", async () => {
    const blobId = await upload("picture");
    const made = await create({
      ...text,
      htmlBody: [{ partId: "2", type: "text/html" }],
      bodyValues: { ...text.bodyValues, 2: { value: "<p>Hello <img src='cid:p'></p>" } },
      attachments: [
        { blobId, type: "image/png", cid: "p", disposition: "inline", name: "p.png" },
        { blobId, type: "application/pdf", name: "résumé.pdf" },
      ],
    });
    const { bodyStructure, hasAttachment, attachments } = await get(
      made.id,
      ["bodyStructure", "hasAttachment", "attachments"],
      {
        bodyProperties: ["type", "name", "cid", "blobId", "disposition"],
      },
    );
    expect(bodyStructure).toMatchObject({
      type: "multipart/mixed",
      subParts: [
        {
          type: "multipart/alternative",
          subParts: [
            { type: "text/plain" },
            { type: "multipart/related", subParts: [{ type: "text/html" }, { type: "image/png", cid: "p" }] },
          ],
        },
        { type: "application/pdf", name: "résumé.pdf", disposition: "attachment" },
      ],
    });
    expect(hasAttachment).toBe(true);
    for (const part of attachments as Json[]) {
      const bytes = await services.blobs.read(store.reader(account, "server"), part.blobId as string);
      expect(bytes?.toString()).toBe("picture");
    }
  });

  test.each<[string, Json, string[]]>([
    ["headers", { headers: [{ name: "X", value: "y" }] }, ["headers"]],
    ["one field twice", { subject: "a", "header:Subject": "b" }, ["subject", "header:Subject"]],
    ["a forbidden form", { "header:From:asDate": "2026-01-01T00:00:00Z" }, ["header:From:asDate"]],
    ["Content- on the Email", { "header:Content-Type": "text/plain" }, ["header:Content-Type"]],
    [
      "bodyStructure and textBody",
      { ...text, bodyStructure: { partId: "1", type: "text/plain" } },
      ["bodyStructure", "textBody"],
    ],
    ["two textBody parts", { ...text, textBody: [...text.textBody, ...text.textBody] }, ["textBody"]],
    ["a textBody of html", { ...text, textBody: [{ partId: "1", type: "text/html" }] }, ["textBody/0/type"]],
    [
      "a partId without value",
      { textBody: [{ partId: "9", type: "text/plain" }] },
      ["textBody/0/partId", "bodyValues"],
    ],
    ["charset with a partId", { ...text, textBody: [{ partId: "1", charset: "utf-8" }] }, ["textBody/0/charset"]],
    [
      "a field of the only part that the Email sets",
      { ...text, subject: "a", textBody: [{ partId: "1", "header:Subject": " b" }] },
      ["textBody"],
    ],
    ["an unknown property of a part", { ...text, textBody: [{ partId: "1", params: [] }] }, ["textBody/0/params"]],
    ["a truncated value", { ...text, bodyValues: { 1: { value: "x", isTruncated: true } } }, ["bodyValues"]],
    [
      "Content-Transfer-Encoding",
      { ...text, textBody: [{ partId: "1", "header:Content-Transfer-Encoding": " 8bit" }] },
      ["textBody/0/header:Content-Transfer-Encoding"],
    ],
    ["an address without email", { from: [{ name: "x" }] }, ["from"]],
    ["a size", { size: 5 }, ["size"]],
    ["no mailbox", { mailboxIds: {} }, ["mailboxIds"]],
    ["a mailbox that is not there", { mailboxIds: { mzzz: true } }, ["mailboxIds"]],
    ["a bad keyword", { keywords: { "a b": true } }, ["keywords"]],
    [
      "all that is wrong",
      {
        mailboxIds: { mzzz: true },
        size: 5,
        from: [{ name: "x" }],
        "header:From:asDate": "2026-01-01T00:00:00Z",
        "header:To": " a@b.c",
        to: [],
        htmlBody: [{ partId: "9", charset: "utf-8", type: "text/plain" }],
        attachments: [{ blobId: "b1", type: "text" }, { type: "a/b" }, 5],
      },
      [
        ...["size", "from", "header:From:asDate", "attachments", "mailboxIds", "header:To", "to"],
        ...["htmlBody/0/partId", "bodyValues", "htmlBody/0/charset", "htmlBody/0/type"],
        ...["attachments/0/type", "attachments/1/partId", "attachments/1/blobId", "attachments/2"],
      ],
    ],
  ])("%s is refused", async (_, email, properties) => {
    expect(await create(email)).toMatchObject({ type: "invalidProperties", properties });
  });

  test("all missing blobs are reported", async () => {
    const attachments = ["bnone", "balso"].map((blobId) => ({ blobId, type: "text/plain" }));
    expect(await create({ attachments })).toMatchObject({ type: "blobNotFound", notFound: ["bnone", "balso"] });
  });
});

describe("Email/set update and destroy", () => {
  test.each(["constructor", "toString", "__proto__"])("a property %s is not found in the prototype", async (name) => {
    const answer = await create(JSON.parse(`{"${name}": "x"}`) as Json);
    expect(answer).toMatchObject({ type: "invalidProperties", properties: [name] });
  });

  test("keywords and mailboxes are patched, and counted", async () => {
    const { id } = await create(text);
    const other = await client.call("Mailbox/set", { create: { x: { name: "Other" } } });
    const otherId = (other.created as Record<string, Json>).x!.id as string;
    const answer = await client.call("Email/set", {
      update: {
        [id as string]: { "keywords/$seen": true, [`mailboxIds/${otherId}`]: true, [`mailboxIds/${inbox}`]: null },
      },
    });
    expect(answer.updated).toEqual({ [id as string]: null });
    expect(await get(id, ["keywords", "mailboxIds"])).toMatchObject({
      keywords: { $seen: true },
      mailboxIds: { [otherId]: true },
    });
    const { list } = await client.call("Mailbox/get", {
      ids: [inbox, otherId],
      properties: ["totalEmails", "unreadEmails"],
    });
    expect(list).toMatchObject([
      { id: inbox, totalEmails: 0 },
      { id: otherId, totalEmails: 1, unreadEmails: 0 },
    ]);
  });

  test("false in a keyword patch removes it", async () => {
    const { id } = await create({ ...text, keywords: { $seen: true } });
    await client.call("Email/set", { update: { [id as string]: { "keywords/$seen": false } } });
    expect((await get(id, ["keywords"])).keywords).toEqual({});
  });

  test("the last mailbox cannot be removed, and immutable properties cannot change", async () => {
    const { id } = await create(text);
    const answer = await client.call("Email/set", {
      update: { [id as string]: { [`mailboxIds/${inbox}`]: null }, e9999: { "keywords/a": true } },
    });
    expect(answer.notUpdated).toMatchObject({
      [id as string]: { type: "invalidProperties", properties: ["mailboxIds"] },
      e9999: { type: "notFound" },
    });
    const again = await client.call("Email/set", { update: { [id as string]: { subject: "new" } } });
    expect(again.notUpdated).toMatchObject({ [id as string]: { type: "invalidProperties", properties: ["subject"] } });
  });

  test("a destroyed email is gone with its blob", async () => {
    const { id, blobId } = await create(text);
    const answer = await client.call("Email/set", { destroy: [id, "e9999"] });
    expect(answer).toMatchObject({ destroyed: [id], notDestroyed: { e9999: { type: "notFound" } } });
    expect(await client.call("Email/get", { ids: [id] })).toMatchObject({ list: [], notFound: [id] });
    expect(await services.blobs.read(store.reader(account, "server"), blobId as string)).toBeUndefined();
  });

  test("ifInState with another state changes nothing", async () => {
    const { id } = await create(text);
    expect(await client.call("Email/set", { ifInState: "1-0", destroy: [id] })).toMatchObject({
      type: "stateMismatch",
    });
    expect(await get(id)).toBeDefined();
  });
});

describe("Email/get", () => {
  test.each([
    ["parts", `Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n\r\nx\r\n".repeat(100)}`, "bodyStructure"],
    ["addresses", `To: ${"a@example.org,".repeat(1_000)}\r\n\r\n`, "to"],
    ["references", `References: ${"<a@example.org> ".repeat(1_000)}\r\n\r\n`, "references"],
    ["fields", `${"X: y\r\n".repeat(1_000)}\r\n`, "headers"],
    ["a field", `${"X: y\r\n".repeat(2_000)}\r\n`, "header:x:asText:all"],
  ])("many %s are only shown so often in a request", async (_, message, property) => {
    const emails = {
      a: { blobId: await upload(`From: ann@example.org\r\n${message}`), mailboxIds: { [inbox]: true } },
    };
    const { created } = (await client.call("Email/import", { emails })) as Record<string, Record<string, Json>>;
    const small = new TestClient(methods, { ...services, octets: new OctetPool(0, 200_000) }, client.login);
    const args = { accountId: client.account, ids: [created!.a!.id], properties: [property] };
    const { responses } = await small.request(Array.from({ length: 50 }, (_, n) => ["Email/get", args, `${n}`]));
    const errors = responses.filter(([name]) => name === "error").map(([, { type }]) => type);
    expect(new Set(errors)).toEqual(new Set(["requestTooLarge"]));
    expect(errors.length).toBeGreaterThan(10);
    expect(errors.length).toBeLessThan(50);
  });

  test("unknown properties and forms are invalidArguments", async () => {
    for (const properties of [["nonsense"], ["header:From:asDate"], ["header:"]]) {
      expect(await client.call("Email/get", { ids: [], properties })).toMatchObject({ type: "invalidArguments" });
    }
    expect(await client.call("Email/get", { ids: [], bodyProperties: ["nonsense"] })).toMatchObject({
      type: "invalidArguments",
    });
  });

  test("values are never cut inside a character", async () => {
    const { id } = await create({ ...text, bodyValues: { 1: { value: "aé€" } } });
    for (const [maxBodyValueBytes, value] of [
      [1, "a"],
      [2, "a"],
      [3, "aé"],
      [5, "aé"],
      [6, "aé€"],
    ]) {
      const { bodyValues } = await get(id, ["bodyValues"], { fetchAllBodyValues: true, maxBodyValueBytes });
      expect(Object.values(bodyValues as Json)).toMatchObject([{ value, isTruncated: value !== "aé€" }]);
    }
  });

  test("a header over 64 KB is read from the blob", async () => {
    const long = Array.from({ length: 3000 }, (_, n) => `X-Long-${n}: ${"y".repeat(30)}\r\n`).join("");
    const blobId = await upload(`${long}Subject: after it\r\nX-Last: here\r\n\r\nbody\r\n`);
    const made = await client.call("Email/import", { emails: { a: { blobId, mailboxIds: { [inbox]: true } } } });
    const { id } = (made.created as Record<string, Json>).a!;
    expect(await get(id, ["subject", "header:X-Last:asText"])).toMatchObject({ "header:X-Last:asText": "here" });
  });
});
