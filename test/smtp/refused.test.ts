import { describe, expect, test } from "vitest";
import { encodeId } from "../../src/base/ids.ts";
import { ada, client, identityId, mail, refusal, useOutbox } from "./outbox.ts";

useOutbox();

describe("is refused", () => {
  const to = (...addresses: string[]) => addresses.map((email) => ({ email }));
  test.each([
    ["a forged From", { from: "bob@here.test" }, {}, { type: "forbiddenFrom" }],
    [
      "a Sender that is another user here",
      { headers: { Sender: "Bob <bob@here.test>" } },
      {},
      { type: "forbiddenFrom" },
    ],
    ["a Sender that nobody has here", { headers: { Sender: "<boss @ HERE . test>" } }, {}, { type: "forbiddenFrom" }],
    ["a Resent-From of another user", { headers: { "Resent-From": "bob@here.test" } }, {}, { type: "forbiddenFrom" }],
    [
      "a Resent-Sender of another user",
      { headers: { "Resent-Sender": "bob@here.test" } },
      {},
      { type: "forbiddenFrom" },
    ],
    [
      "a forged return path",
      {},
      { envelope: { mailFrom: { email: "bob@here.test" }, rcptTo: to("x@far.test") } },
      { type: "forbiddenMailFrom" },
    ],
    [
      "nobody to send to",
      {},
      { envelope: { mailFrom: { email: "ada@here.test" }, rcptTo: [] } },
      { type: "noRecipients" },
    ],
    [
      "recipients that are none",
      {},
      {
        envelope: {
          mailFrom: { email: "ada@here.test" },
          rcptTo: to("x@far.test", "nonsense", "a b@far.test", "x@far.test\r\nDATA"),
        },
      },
      { type: "invalidRecipients", invalidRecipients: ["nonsense", "a b@far.test", "x@far.test\r\nDATA"] },
    ],
    [
      "too many",
      {},
      {
        envelope: {
          mailFrom: { email: "ada@here.test" },
          rcptTo: to(...Array.from({ length: 1001 }, (_, i) => `x${i}@far.test`)),
        },
      },
      { type: "tooManyRecipients", maxRecipients: 1000 },
    ],
    ["no From", { headers: { From: "" } }, {}, { type: "invalidEmail", properties: ["from"] }],
    [
      "held back too long",
      {},
      {
        envelope: {
          mailFrom: { email: "ada@here.test", parameters: { HOLDFOR: "2592001" } },
          rcptTo: to("x@far.test"),
        },
      },
      { type: "invalidProperties", properties: ["envelope"] },
    ],
    ["an unknown identity", {}, { identityId: "i99" }, { type: "invalidProperties", properties: ["identityId"] }],
    [
      "all that is wrong at once",
      {},
      { identityId: "i99", undoStatus: "final", envelope: {} },
      { type: "invalidProperties", properties: ["envelope", "identityId", "undoStatus"] },
    ],
  ])("for %s", async (_, more, create, error) => {
    let raw = await mail("x@far.test", "Refused", more as never);
    if (JSON.stringify(error).includes("invalidEmail")) raw = Buffer.from(raw.toString().replace(/^From:.*\r\n/m, ""));
    expect(await refusal(raw, create)).toMatchObject(error);
  });
});

describe("Identity", () => {
  test("is made for own addresses only", async () => {
    const { created, notCreated } = await client.call("Identity/set", {
      create: {
        own: { email: "ada+shop@here.test", name: "Shop" },
        forged: { email: "bob@here.test" },
        all: { email: "*@here.test" },
      },
    });
    const { id } = (created as Record<string, { id: string }>).own!;
    expect(notCreated).toMatchObject({ forged: { type: "forbiddenFrom" }, all: { type: "forbiddenFrom" } });
    await client.call("Identity/set", {
      update: { [id]: { textSignature: "A.", replyTo: [{ name: null, email: "r@here.test" }] } },
    });
    const { list } = await client.call("Identity/get", { ids: [id] });
    expect(list).toEqual([
      {
        id,
        name: "Shop",
        email: "ada+shop@here.test",
        replyTo: [{ name: null, email: "r@here.test" }],
        bcc: null,
        textSignature: "A.",
        htmlSignature: "",
        mayDelete: true,
      },
    ]);
    const gone = await client.call("Identity/set", { destroy: [id, identityId] });
    expect(gone).toMatchObject({ destroyed: [id], notDestroyed: { [identityId]: { type: "forbidden" } } });
    expect(encodeId("u", ada)).toBe(client.account);
  });
});
