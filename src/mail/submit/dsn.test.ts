import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { type FailedRecipient, failureReport } from "./dsn.ts";

const original = "From: ada@here.test\r\nSubject: Hi\r\nMessage-ID: <1@here.test>\r\n\r\nHello.\r\n";
const report = (failed: FailedRecipient, { message = original, to = "ada@here.test" } = {}) => {
  const now = new Date("2026-01-02T03:04:05Z");
  const rest = { hostname: "mx.here.test", to, arrivedAt: now, now, original: Buffer.from(message) };
  return failureReport({ ...rest, failed: [failed] }, randomBytes).toString();
};
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
