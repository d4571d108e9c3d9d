import { expect, test } from "vitest";
import { parseHeader } from "../../mime/headers.ts";
import { hasOneClick } from "./one-click.ts";

const post = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";

test.each([
  [`List-Unsubscribe: <mailto:u@shop.test>, <https://shop.test/u?1>\r\n${post}`, true],
  [`list-unsubscribe:\r\n <https://shop.test/\r\n u?1>\r\n${post}`, true],
  ["List-Unsubscribe: <https://shop.test/u?1>\r\n", false],
  [`List-Unsubscribe: <http://shop.test/u?1>\r\n${post}`, false],
  [`List-Unsubscribe: <mailto:u@shop.test>\r\n${post}`, false],
  [post, false],
])("%j: %s", (header, expected) => {
  expect(hasOneClick(parseHeader(Buffer.from(`${header}\r\n`)))).toBe(expected);
});
