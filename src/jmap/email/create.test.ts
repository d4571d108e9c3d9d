import { beforeAll, describe, expect, test } from "vitest";
import { createEmailWorld, type EmailWorld, type Json } from "../../../test/support/email-world.ts";
import { testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestStore } from "../../../test/support/postgres.ts";

let world: EmailWorld;
beforeAll(async () => {
  const store = await createTestStore();
  world = await createEmailWorld(testServices(store, createMailServices(store)));
});

const bodyValues = { 1: { value: "Hello" } };
const text = { textBody: [{ partId: "1", type: "text/plain" }], bodyValues };

describe("a line end or a NUL in a header value is refused", () => {
  const inject = ["a\r\nX-Injected: yes", "a\rb", "a\nb", "a\0b", "a\r\n", "\r\n a"];
  const ofEmail: Record<string, (bad: string) => unknown> = {
    subject: (bad) => bad,
    from: (bad) => [{ name: bad, email: "a@example.org" }],
    to: (bad) => [{ name: "A", email: "a@example.org" }, { email: `a@${bad}` }],
    sender: (bad) => [{ name: null, email: bad }],
    messageId: (bad) => [`${bad}@example.org`],
    inReplyTo: (bad) => ["a@example.org", bad],
    references: (bad) => [bad],
    "header:Subject:asText": (bad) => bad,
    "header:X-Own": (bad) => ` ${bad}`,
    "header:X-Own:all": (bad) => [" a", bad],
    "header:X-Own:asText:all": (bad) => ["a", bad],
    "header:X-Own:asAddresses": (bad) => [{ name: bad, email: "a@example.org" }],
    "header:X-Own:asMessageIds": (bad) => [bad],
    "header:X-Own:asGroupedAddresses": (bad) => [{ name: bad, addresses: [] }],
    "header:Cc:asGroupedAddresses": (bad) => [{ name: "g", addresses: [{ name: bad, email: "a@example.org" }] }],
    "header:List-Post:asURLs": (bad) => [`https://example.org/${bad}`],
  };

  test.each(Object.keys(ofEmail))("in %s", async (property) => {
    // A Raw value may be folded: a line end followed by white space is accepted.
    const wrong =
      property.includes(":as") || !property.startsWith("header:") ? [...inject, "a\r\n b"] : inject.slice(0, 5);
    for (const bad of wrong) {
      const refused = await world.create({ [property]: ofEmail[property]!(bad), ...text });
      expect(refused, JSON.stringify(bad)).toMatchObject({ type: "invalidProperties", properties: [property] });
    }
    expect(await world.create({ [property]: ofEmail[property]!("plain.example"), ...text })).toHaveProperty("id");
  });

  test.each(["name", "disposition", "cid", "location", "type", "language", "header:X-Own", "header:X-Own:asText"])(
    "in %s of a part",
    async (property) => {
      const blobId = await world.upload("data");
      for (const bad of inject.slice(0, 5)) {
        const value = property === "language" ? ["en", bad] : bad;
        const part = { blobId, type: "image/png", [property]: value };
        const refused = await world.create({ ...text, attachments: [part] });
        expect(refused, JSON.stringify(bad)).toMatchObject({
          type: "invalidProperties",
          properties: [`attachments/0/${property}`],
        });
        const bodyStructure = { type: "multipart/mixed", subParts: [part] };
        expect(await world.create({ bodyStructure })).toMatchObject({
          properties: [`bodyStructure/subParts/0/${property}`],
        });
      }
    },
  );

  test("but a Raw value may be folded", async () => {
    const made = await world.create({ "header:X-Own": " one\r\n two\r\n\tthree", ...text });
    expect(await world.get(made.id, ["header:X-Own"])).toMatchObject({ "header:X-Own": " one\r\n two\r\n\tthree" });
    for (const bad of [" a\r\n \r\n b", " a\r\n ", " a\r\n\r\n b", " a\n b", " a\r b"]) {
      expect(await world.create({ "header:X-Own": bad, ...text })).toMatchObject({ properties: ["header:X-Own"] });
    }
  });

  test("in an Identity, a vacation response or a receipt", async () => {
    const { client } = world;
    for (const bad of ["a\r\nb", "a\nb", "a\rb", "a\0b"]) {
      const update = { singleton: { subject: bad } };
      expect(await client.call("VacationResponse/set", { update })).toMatchObject({
        notUpdated: { singleton: { type: "invalidProperties", properties: ["subject"] } },
      });
      const create = { a: { name: bad, email: "a@example.org", replyTo: [{ name: bad, email: "a@example.org" }] } };
      expect(await client.call("Identity/set", { create })).toMatchObject({
        notCreated: { a: { type: "invalidProperties", properties: ["name", "replyTo"] } },
      });
    }
  });
});

describe("RFC 8621 §4.1.4: a part without a type", () => {
  const message = "From: a@example.org\r\nSubject: inner\r\n\r\nWithin.\r\n";
  const shape = async (email: Json) => {
    const made = await world.create(email);
    expect(made).toHaveProperty("id");
    const bodyProperties = ["type", "subParts", "size", "name"];
    return (await world.get(made.id, ["bodyStructure"], { bodyProperties })).bodyStructure as Json;
  };

  test("is text/plain", async () => {
    const blobId = await world.upload("data");
    const attachments = [{ blobId }, { blobId, type: null, name: "a.bin" }];
    expect(await shape({ ...text, attachments })).toMatchObject({
      subParts: [{ type: "text/plain" }, { type: "text/plain", size: 4 }, { type: "text/plain", name: "a.bin" }],
    });
    expect(await shape({ bodyStructure: { blobId } })).toMatchObject({ type: "text/plain", size: 4 });
    expect(await shape({ textBody: [{ blobId }] })).toMatchObject({ type: "text/plain", size: 4 });
    const subParts = [{ partId: "1" }, { subParts: [{ blobId }] }];
    expect(await shape({ bodyStructure: { subParts }, bodyValues })).toMatchObject({
      type: "multipart/mixed",
      subParts: [{ type: "text/plain" }, { type: "multipart/mixed", subParts: [{ type: "text/plain" }] }],
    });
  });

  test("is a message in a digest", async () => {
    const blobId = await world.upload(message);
    const digest = (type: string) => ({
      type,
      subParts: [{ blobId }, { partId: "m" }, { blobId, type: "text/plain" }, { subParts: [{ blobId }] }],
    });
    const values = { m: { value: "Subject: größer\n\nIn Köln.\n" } };
    for (const type of ["multipart/digest", "Multipart/Digest"]) {
      expect(await shape({ bodyStructure: digest(type), bodyValues: values })).toMatchObject({
        type: "multipart/digest",
        subParts: [
          { type: "message/rfc822", size: Buffer.byteLength(message) },
          { type: "message/rfc822" },
          { type: "text/plain" },
          { type: "multipart/mixed", subParts: [{ type: "text/plain" }] },
        ],
      });
    }
    const byHeader = { ...digest(""), type: undefined, "header:Content-Type": " multipart/digest" };
    expect(await shape({ bodyStructure: byHeader, bodyValues: values })).toMatchObject({
      subParts: [{ type: "message/rfc822" }, {}, {}, {}],
    });
  });
});
