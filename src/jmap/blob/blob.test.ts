import { createHash } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { encodeId } from "../../base/ids.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import type { Store } from "../../store/core/store.ts";
import { findMailboxes } from "../../store/mail/mailbox-places.ts";
import { setQuota } from "../../store/mail/quota.ts";
import type { Services } from "../method.ts";
import { methods } from "../methods.ts";
import { OctetPool } from "../octets.ts";

type Json = Record<string, unknown>;

let store: Store;
let services: Services;
let account: number;
let client: TestClient;

beforeAll(async () => {
  store = await createTestStore();
  services = testServices(store, createMailServices(store));
});
beforeEach(async () => {
  account = await createTestAccount(store);
  client = new TestClient(methods, services, testLogin([account]));
});

const fox = "The quick brown fox jumped over the lazy dog.";
const digest = (algorithm: string, text: string | Buffer) => createHash(algorithm).update(text).digest("base64");

async function upload(data: Json[], extra: Json = {}): Promise<Json> {
  const answer = await client.call("Blob/upload", { create: { a: { data, ...extra } } });
  const { created, notCreated } = answer as Record<string, Record<string, Json> | null>;
  return created?.a ?? notCreated?.a ?? answer;
}

async function get(id: unknown, args: Json = {}): Promise<Json> {
  const answer = await client.call("Blob/get", { ids: [id], ...args });
  return (answer.list as Json[] | undefined)?.[0] ?? answer;
}

describe("Blob/upload", () => {
  test("assembles text, base64 and pieces of blobs", async () => {
    const whole = await upload([{ "data:asText": fox }], { type: "text/plain" });
    expect(whole).toEqual({ id: expect.stringMatching(/^b/), type: "text/plain", size: fox.length });
    const built = await upload([
      { "data:asText": "How" },
      { blobId: whole.id, offset: 3, length: 7 },
      { "data:asText": "was t" },
      { blobId: whole.id, offset: 1, length: 1 },
      { "data:asBase64": Buffer.from("at?").toString("base64") },
    ]);
    expect(built).toMatchObject({ type: null });
    expect(await get(built.id)).toEqual({ id: built.id, "data:asText": "How quick was that?", size: 19 });
    expect(await upload([{ blobId: whole.id }])).toMatchObject({ id: whole.id });
    expect(await upload([])).toMatchObject({ size: 0 });
  });

  test("creation ids name blobs of earlier calls and of this call in any order, and can be used in later calls", async () => {
    const { responses } = await client.request([
      ["Blob/upload", { accountId: client.account, create: { b4: { data: [{ "data:asText": fox }] } } }, "S4"],
      [
        "Blob/upload",
        {
          accountId: client.account,
          create: {
            twice: { data: [{ blobId: "#cat" }, { blobId: "#cat", offset: 4 }] },
            cat: { data: [{ blobId: "#b4", length: 9 }] },
            self: { data: [{ blobId: "#self" }] },
            lost: { data: [{ blobId: "#nothing" }] },
          },
        },
        "CAT",
      ],
      ["Blob/get", { accountId: client.account, ids: ["#twice", "#gone"], properties: ["data:asText"] }, "G4"],
    ]);
    const [, { created, notCreated }] = responses[1] as unknown as [string, Record<string, Json>];
    expect(Object.keys(created!)).toEqual(["cat", "twice"]);
    expect(notCreated).toMatchObject({
      self: { type: "invalidProperties" },
      lost: { type: "blobNotFound", notFound: ["#nothing"] },
    });
    expect(responses[2]![1]).toMatchObject({ list: [{ "data:asText": "The quickquick" }], notFound: ["#gone"] });
  });

  test("its creation ids name blobs wherever mail is created or read", async () => {
    const places = await findMailboxes(store.reader(account, "server"));
    const mailboxIds = { [encodeId("m", places.find(({ role }) => role === "inbox")!.id)]: true };
    const accountId = client.account;
    const message = `Subject: fox\r\n\r\n${fox}\r\n`;
    const { responses } = await client.request([
      ["Blob/upload", { accountId, create: { m: { data: [{ "data:asText": message }] } } }, "0"],
      ["Email/parse", { accountId, blobIds: ["#m", "#n"], properties: ["subject"] }, "1"],
      [
        "Email/import",
        {
          accountId,
          emails: {
            i: { blobId: "#m", mailboxIds },
            n: { blobId: "#n", mailboxIds: {}, keywords: { "a b": true } },
          },
        },
        "2",
      ],
      [
        "Email/set",
        {
          accountId,
          create: {
            a: { mailboxIds, attachments: [{ blobId: "#m", type: "message/rfc822" }] },
            // An Email's creation id does not name a blob.
            b: { mailboxIds, attachments: [{ blobId: "#i" }, { blobId: "#n" }] },
          },
        },
        "3",
      ],
    ]);
    const [uploaded, parsed, imported, set] = responses.map(([, answer]) => answer as Record<string, Json>);
    const { id: blobId } = uploaded!.created!.m as Json;
    expect(parsed).toMatchObject({ parsed: { "#m": { subject: "fox" } }, notFound: ["#n"] });
    expect(imported!.created!.i).toMatchObject({ blobId });
    expect(JSON.parse(JSON.stringify(imported!.notCreated))).toMatchObject({
      n: { type: "invalidProperties", properties: ["blobId", "keywords", "mailboxIds"] },
    });
    const { id } = set!.created!.a as Json;
    const found = await client.call("Email/get", { ids: [id], properties: ["attachments"] });
    const [attachment] = (found.list as { attachments: Json[] }[])[0]!.attachments;
    expect(await get(attachment!.blobId)).toMatchObject({ "data:asText": message });
    expect(set!.notCreated).toMatchObject({ b: { type: "blobNotFound", notFound: ["#i", "#n"] } });
  });

  test.each<[string, Json[], Json]>([
    [
      "two kinds",
      [{ "data:asText": "a", "data:asBase64": "YQ==" }],
      { type: "invalidProperties", properties: ["data"] },
    ],
    ["no kind", [{}], { type: "invalidProperties" }],
    ["a range of text", [{ "data:asText": "abc", offset: 1 }], { type: "invalidProperties" }],
    ["bad base64", [{ "data:asBase64": "YQ=" }], { type: "invalidProperties" }],
    ["odd letters", [{ "data:asBase64": "Y*==" }], { type: "invalidProperties" }],
    ["line breaks", [{ "data:asBase64": "YWFh\r\nYWFh\r\n" }], { type: "invalidProperties" }],
    ["an unknown blob", [{ blobId: "bnone" }], { type: "blobNotFound", notFound: ["bnone"] }],
    ["an unknown member", [{ "data:asHex": "00" }], { type: "invalidProperties", properties: ["data"] }],
    ["65 pieces", Array.from({ length: 65 }, () => ({ "data:asText": "a" })), { type: "invalidProperties" }],
  ])("refuses %s", async (_, data, error) => {
    expect(await upload(data)).toMatchObject(error);
  });

  test("accepts 64 pieces, refuses ranges beyond the end and too many octets", async () => {
    const { id } = await upload(Array.from({ length: 64 }, () => ({ "data:asText": "ab" })));
    expect(await upload([{ blobId: id, offset: 120, length: 9 }])).toMatchObject({ type: "invalidProperties" });
    expect(await upload([{ blobId: id, offset: 129 }])).toMatchObject({ type: "invalidProperties" });
    expect(await upload([{ blobId: id, offset: 128 }])).toMatchObject({ size: 0 });
    const limits = { ...services.limits, maxSizeUpload: 100 };
    client = new TestClient(methods, { ...services, limits }, testLogin([account]));
    expect(await upload([{ blobId: id }])).toMatchObject({ type: "tooLarge", maxSize: 100 });
    await store.write(account, "server", (tx) => setQuota(tx, 5));
    expect(await upload([{ "data:asText": "123456" }])).toMatchObject({ type: "overQuota" });
  });
});

test("the octets that a request reads of blobs and messages are bounded in total", async () => {
  const foxes = fox.repeat(100);
  const { id } = await upload([{ "data:asText": foxes }]);
  const message = await upload([{ "data:asText": `Subject: Fox\r\n\r\n${foxes}` }]);
  const octets = new OctetPool(100_000, 2.5 * foxes.length);
  client = new TestClient(methods, { ...services, octets }, testLogin([account]));
  const accountId = client.account;
  const { responses } = await client.request([
    ["Blob/get", { accountId, ids: [id] }, "0"],
    ["Email/parse", { accountId, blobIds: [message.id], properties: ["bodyValues"], fetchAllBodyValues: true }, "1"],
    ["Blob/get", { accountId, ids: [id] }, "2"],
    ["Email/parse", { accountId, blobIds: [message.id], properties: ["bodyValues"], fetchAllBodyValues: true }, "3"],
  ]);
  const outcomes = responses.map(([name, args]) => (name === "error" ? args.type : name));
  expect(outcomes).toEqual(["Blob/get", "Email/parse", "requestTooLarge", "requestTooLarge"]);
  expect(await client.call("Blob/get", { ids: [id] })).toMatchObject({ list: [{ "data:asText": foxes }] });
});

describe("Blob/get", () => {
  test("returns digests and sizes", async () => {
    const { id } = await upload([{ "data:asText": fox }]);
    const properties = ["data:asText", "data:asBase64", "digest:sha", "digest:sha-256", "digest:sha-512", "size"];
    expect(await get(id, { properties })).toEqual({
      id,
      "data:asText": fox,
      "data:asBase64": Buffer.from(fox).toString("base64"),
      "digest:sha": digest("sha1", fox),
      "digest:sha-256": digest("sha256", fox),
      "digest:sha-512": digest("sha512", fox),
      size: fox.length,
    });
    expect(await get(id, { properties: ["size"] })).toEqual({ id, size: fox.length });
  });

  test("digests cover the range, and the size is the whole blob's", async () => {
    const { id } = await upload([{ "data:asText": fox }]);
    const properties = ["data:asText", "digest:sha", "size"];
    expect(await get(id, { properties, offset: 4, length: 9 })).toEqual({
      id,
      "data:asText": "quick bro",
      "digest:sha": digest("sha1", "quick bro"),
      size: fox.length,
    });
    expect(await get(id, { properties, offset: 40, length: 20 })).toMatchObject({
      isTruncated: true,
      "data:asText": " dog.",
    });
    expect(await get(id, { offset: 1000 })).toMatchObject({ isTruncated: true, "data:asText": "" });
  });

  test("text that is not UTF-8 is null, with isEncodingProblem", async () => {
    const bytes = Buffer.from([0xe2, 0x82, 0xac, 0xff]);
    const { id } = await upload([{ "data:asBase64": bytes.toString("base64") }]);
    expect(await get(id)).toEqual({ id, "data:asBase64": bytes.toString("base64"), isEncodingProblem: true, size: 4 });
    expect(await get(id, { properties: ["data:asText"] })).toEqual({
      id,
      "data:asText": null,
      isEncodingProblem: true,
    });
    expect(await get(id, { properties: ["data:asText"], length: 3 })).toEqual({ id, "data:asText": "€" });
    expect(await get(id, { properties: ["data:asBase64"] })).not.toHaveProperty("isEncodingProblem");
  });

  test("refuses unknown properties and too many ids, and lists unknown blobs in notFound", async () => {
    expect(await client.call("Blob/get", { ids: ["bnone"] })).toMatchObject({ list: [], notFound: ["bnone"] });
    const { id } = await upload([{ "data:asText": fox }]);
    expect(await get(id, { properties: ["digest:md4"] })).toMatchObject({ type: "invalidArguments" });
    client = new TestClient(methods, { ...services, octets: new OctetPool(1_000, 20) }, testLogin([account]));
    expect(await get(id)).toMatchObject({ type: "requestTooLarge" });
    expect(await get(id, { properties: ["size"] })).toEqual({ id, size: fox.length });
  });
});

describe("Blob/lookup", () => {
  test("finds what holds a message, or a part of one", async () => {
    const places = await findMailboxes(store.reader(account, "server"));
    const mailboxIds = Object.fromEntries(places.slice(0, 2).map(({ id }) => [encodeId("m", id), true]));
    const { id: blobId } = await upload([{ "data:asText": "Subject: x\r\n\r\nbody" }]);
    const imported = await client.call("Email/import", { emails: { e: { blobId, mailboxIds } } });
    const { id, threadId } = (imported.created as Record<string, Json>).e!;
    const email = await client.call("Email/get", { ids: [id], properties: ["textBody"] });
    const [part] = (email.list as { textBody: Json[] }[])[0]!.textBody;
    const typeNames = ["Mailbox", "Thread", "Email"];
    const matchedIds = { Mailbox: Object.keys(mailboxIds), Thread: [threadId], Email: [id] };
    const nothing = { Mailbox: [], Thread: [], Email: [] };
    const other = (await upload([{ "data:asText": "alone" }])).id;
    const answer = await client.call("Blob/lookup", { typeNames, ids: [blobId, part!.blobId, other, "not-a-blob"] });
    expect(answer).toEqual({
      accountId: client.account,
      list: [
        { id: blobId, matchedIds },
        { id: part!.blobId, matchedIds },
        { id: other, matchedIds: nothing },
        { id: "not-a-blob", matchedIds: nothing },
      ],
    });
    expect(await client.call("Blob/lookup", { typeNames: ["Email"], ids: [blobId] })).toMatchObject({
      list: [{ matchedIds: { Email: [id] } }],
    });
  });

  test("refuses an unknown type", async () => {
    const ids = [encodeBlobId(Buffer.alloc(32))];
    expect(await client.call("Blob/lookup", { typeNames: ["Email", "Todo"], ids })).toMatchObject({
      type: "unknownDataType",
    });
  });
});
