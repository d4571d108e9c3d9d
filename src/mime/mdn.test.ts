import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { buildMdn, isExtensionName, type NewMdn, parseMdn } from "./mdn.ts";

const disposition = { actionMode: "manual-action", sendingMode: "mdn-sent-manually", type: "displayed" } as const;
const mdn: NewMdn = {
  from: { name: "Joe Bloggs", email: "joe@example.com" },
  to: [{ name: null, email: "john@example.org" }],
  subject: "Gelesen: Grüße",
  textBody: "Your message was displayed.\nGrüße\n",
  reportingUA: "joes-pc.cs.example.com; Föömail 97.1",
  disposition,
  mdnGateway: null,
  originalRecipient: "rfc822; joe+tag@example.com",
  finalRecipient: "rfc822; joe@example.com",
  originalMessageId: "<199509192301.23456@example.org>",
  error: null,
  extensionFields: { "X-Extension": "of a value\r\nDisposition: forged" },
  original: null,
  references: ["199509192301.23456@example.org"],
  sentAt: new Date("2026-02-03T04:05:06Z"),
};

test("a notification that is built parses to the same", () => {
  const message = buildMdn(mdn, randomBytes);
  const text = message.toString();
  expect(text).toMatch(/^Content-Type: multipart\/report;\s+report-type=disposition-notification;\s+boundary=/m);
  expect(text).toMatch(/^Disposition: manual-action\/MDN-sent-manually; displayed\r$/m);
  expect(text).toMatch(/^In-Reply-To: <199509192301\.23456@example\.org>\r$/m);
  expect(text).not.toMatch(/^Auto-Submitted/m);
  expect(parseMdn(message)).toEqual({
    subject: mdn.subject,
    textBody: mdn.textBody,
    reportingUA: mdn.reportingUA,
    disposition,
    mdnGateway: null,
    originalRecipient: mdn.originalRecipient,
    finalRecipient: mdn.finalRecipient,
    originalMessageId: mdn.originalMessageId,
    error: null,
    extensionFields: { "X-Extension": "of a value Disposition: forged" },
    includeOriginalMessage: false,
  });
});

test("the original comes along as it is", () => {
  const original = Buffer.from("Subject: 8 bit\r\n\r\nGrüße\r\n");
  const sent = { ...mdn, original, disposition: { ...disposition, sendingMode: "mdn-sent-automatically" as const } };
  const message = buildMdn(sent, randomBytes);
  expect(message.includes(original)).toBe(true);
  expect(message.toString()).toMatch(/^Auto-Submitted: auto-replied\r$/m);
  expect(parseMdn(message)).toMatchObject({ includeOriginalMessage: true, disposition: sent.disposition });
});

const report = (fields: string) =>
  Buffer.from(
    `Subject: s\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b\r\n\r\nRead.\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\n${fields}\r\n--b--\r\n`,
  );

test("notifications of other programs are read: comments, case, modifiers, errors, gateways", () => {
  const fields = [
    "reporting-ua: ua (a comment)",
    "MDN-Gateway: dns; gate.example.net",
    "final-recipient: RFC822;Bob@example.net",
    "Original-Message-ID:",
    " <folded@example.org>",
    "Disposition: Automatic-Action/ MDN-Sent-Automatically (sic); Deleted/error,warning",
    "Error: disk full",
    "Error: and more",
    "",
  ].join("\r\n");
  expect(parseMdn(report(fields))).toEqual({
    subject: "s",
    textBody: "Read.",
    reportingUA: "ua (a comment)",
    disposition: { actionMode: "automatic-action", sendingMode: "mdn-sent-automatically", type: "deleted" },
    mdnGateway: "dns; gate.example.net",
    originalRecipient: null,
    finalRecipient: "RFC822;Bob@example.net",
    originalMessageId: "<folded@example.org>",
    error: ["disk full", "and more"],
    extensionFields: null,
    includeOriginalMessage: false,
  });
});

test.each([
  ["no report", Buffer.from("Subject: x\r\n\r\nhello")],
  ["no bytes", Buffer.alloc(0)],
  ["no disposition", report("Final-Recipient: rfc822;a@b\r\n")],
  ["no recipient", report("Disposition: manual-action/MDN-sent-manually; displayed\r\n")],
  ["a type of old", report("Final-Recipient: rfc822;a@b\r\nDisposition: manual-action/MDN-sent-manually; denied\r\n")],
])("not parsable: %s", (_, message) => {
  expect(parseMdn(message)).toBeUndefined();
});

test.each([
  ["X-One", true],
  ["EXTENSION-EXAMPLE", true],
  ["Disposition", false],
  ["final-recipient", false],
  ["a b", false],
  ["a:b", false],
  ["a\r\nb", false],
  ["", false],
])("the extension field name %j", (name, isOne) => {
  expect(isExtensionName(name)).toBe(isOne);
});
