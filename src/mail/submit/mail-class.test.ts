import { expect, test } from "vitest";
import { parseHeader } from "../../mime/headers.ts";
import { classOf } from "./mail-class.ts";

const of = (header: string, recipients = 1) => classOf(parseHeader(Buffer.from(`${header}\r\n\r\n`)), recipients);

test.each([
  ["Subject: lunch", "personal"],
  ["List-Unsubscribe: <https://shop.test/u>", "bulk"],
  ["list-id: <news.shop.test>", "bulk"],
  ["Precedence: Bulk", "bulk"],
  ["Precedence: first-class", "personal"],
])("%s is %s", (header, expected) => {
  expect(of(header)).toBe(expected);
});

test("mail to many is bulk whatever its header says", () => {
  expect([of("Subject: x", 49), of("Subject: x", 50)]).toEqual(["personal", "bulk"]);
});
