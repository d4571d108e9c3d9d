import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { type DeliveryReport, deliveryReport, type ReportedRecipient } from "./dsn.ts";

const original = "From: ada@here.test\r\nSubject: Hi\r\nMessage-ID: <1@here.test>\r\n\r\nHello.\r\n";
const now = new Date("2026-01-02T03:04:05Z");
const all = (recipients: ReportedRecipient[], more: Partial<DeliveryReport> = {}) => {
  const rest = { hostname: "mx.here.test", to: "ada@here.test", arrivedAt: now, now, original: Buffer.from(original) };
  return deliveryReport({ ...rest, recipients, ...more }, randomBytes).toString();
};
const report = (failed: Omit<ReportedRecipient, "action">, { message = original, to = "ada@here.test" } = {}) =>
  all([{ ...failed, action: "failed" }], { original: Buffer.from(message), to });
const types = (text: string) => [...text.matchAll(/^Content-Type: ([\w/-]+)/gm)].map(([, type]) => type);

test("a report in ASCII follows RFC 3464", () => {
  const text = report({
    address: "gone@far.test",
    original: "rfc822;gone@far.test",
    smtpReply: "550 5.1.1 no",
    remote: "mx.far.test",
  });
  expect(types(text)).toEqual(["multipart/report", "text/plain", "message/delivery-status", "text/rfc822-headers"]);
  expect(text).toContain(
    "Original-Recipient: rfc822;gone@far.test\r\nFinal-Recipient: rfc822; gone@far.test\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.far.test\r\nDiagnostic-Code: smtp; 550 5.1.1 no\r\n",
  );
  expect(text).not.toContain("8bit");
});

test.each(["gőné@far.test", "gone@bücher.example", "用户@例え.テスト"])("%s is an address of type utf-8", (address) => {
  const text = report({ address, original: `utf-8;${address}`, smtpReply: "550 5.6.7 no" });
  expect(types(text)).toEqual([
    "multipart/report",
    "text/plain",
    "message/global-delivery-status",
    "text/rfc822-headers",
  ]);
  expect(text).toContain(`Original-Recipient: utf-8;${address}\r\nFinal-Recipient: utf-8; ${address}\r\n`);
  expect(text).toContain("Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
});

test("a reply beyond ASCII makes the report a global one, and leaves the address unchanged", () => {
  const text = report({ address: "gone@far.test", smtpReply: "550 5.1.1 неизвестен" });
  expect(types(text)).toContain("message/global-delivery-status");
  expect(text).toContain("Final-Recipient: rfc822; gone@far.test\r\n");
  expect(text).toContain("Diagnostic-Code: smtp; 550 5.1.1 неизвестен\r\n");
});

test("a header that is not ASCII is returned as message/global-headers", () => {
  const message = original.replace("Hi", "Grüße 用户");
  const text = report({ address: "gone@far.test", smtpReply: "550 no" }, { message, to: "ädá用@here.test" });
  expect(types(text)).toEqual(["multipart/report", "text/plain", "message/delivery-status", "message/global-headers"]);
  expect(text).toContain("\r\nSubject: Undelivered: Grüße 用户\r\n");
  expect(text).toContain("\r\nTo: <ädá用@here.test>\r\n");
});

test("a delay tells until when the mail is tried", () => {
  const retriedUntil = new Date("2026-01-07T03:04:05Z");
  const text = all([{ address: "a@far.test", action: "delayed", smtpReply: "451 4.4.1 no", retriedUntil }]);
  expect(text).toContain("Subject: Delayed: Hi\r\n");
  expect(text).toContain(
    "Action: delayed\r\nStatus: 4.4.1\r\nDiagnostic-Code: smtp; 451 4.4.1 no\r\nWill-Retry-Until: ",
  );
  expect(text).toContain("It will be tried until Wed, 07 Jan 2026 03:04:05 +0000. You need not send it again.");
});

test("a report of several kinds is named for the worst", () => {
  const text = all([
    { address: "a@far.test", action: "relayed", smtpReply: "250 ok" },
    { address: "b@far.test", action: "failed", smtpReply: "550 no" },
  ]);
  expect(text).toContain("Subject: Undelivered: Hi\r\n");
  expect(text).toMatch(/a@far\.test\r\nAction: relayed\r\nStatus: 2\.0\.0\r\n/);
  expect(text).toMatch(/b@far\.test\r\nAction: failed\r\nStatus: 5\.0\.0\r\n/);
});

test("the whole message is returned if it was asked for", () => {
  const failed = { address: "a@far.test", action: "failed", smtpReply: "550 no" } as const;
  const text = all([failed], { isFull: true });
  expect(types(text)).toEqual(["multipart/report", "text/plain", "message/delivery-status", "message/rfc822"]);
  expect(text).toContain(`Content-Type: message/rfc822\r\n\r\n${original}`);
  const global = Buffer.from(original.replace("Hi", "Grüße"));
  expect(all([failed], { isFull: true, original: global })).toContain("Content-Type: message/global\r\n");
});
