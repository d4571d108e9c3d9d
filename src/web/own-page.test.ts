import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { isOwnPage } from "./own-page.ts";

test.each([
  ["https://mail.test", "https://mail.test", true],
  ["http://mail.test", "https://mail.test", false],
  ["http://mail.test:443", "https://mail.test", false],
  // Behind a proxy that says nothing of TLS.
  ["https://mail.test", "http://mail.test", true],
  ["http://mail.test", "http://mail.test", true],
  // By another name than the public one.
  ["http://127.0.0.1:8080", "https://mail.test", true],
  ["https://evil.test", "https://mail.test", false],
])("a page of %s, in a browser without Sec-Fetch-Site, is one of %s: %s", (origin, baseUrl, isOwn) => {
  const host = origin.includes("127.0.0.1") ? "127.0.0.1:8080" : "mail.test";
  expect(isOwnPage({ method: "POST", headers: { origin, host } } as IncomingMessage, baseUrl)).toBe(isOwn);
});
