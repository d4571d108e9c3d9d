import fc from "fast-check";
import { expect, test } from "vitest";
import { parseIJson } from "./json.ts";

test("reads whatever JSON.stringify writes", () => {
  fc.assert(
    fc.property(fc.jsonValue({ depthSize: "medium" }), (value) => {
      const text = JSON.stringify(value);
      expect(parseIJson(text)).toEqual(JSON.parse(text));
      expect(parseIJson(Buffer.from(text))).toEqual(JSON.parse(text));
    }),
  );
});

test.each([
  '{"a":1,"a":2}',
  '[{"b":{"a":"\\"","\\u0061":2}}]',
  '{"a":{"x":[1,{"y":0}]},"b":"a","a":"b"}',
  '"\\ud800"',
  '{"\\uDC00":1}',
  "{",
  "",
  '{"a":1}x',
  "[".repeat(501) + "]".repeat(501),
])("refuses %s", (text) => {
  expect(() => parseIJson(text)).toThrow(expect.objectContaining({ type: "urn:ietf:params:jmap:error:notJSON" }));
});

test.each(['{"a":"a","b":"a"}', '[{"a":1},{"a":1}]', '{"a":{"a":{"a":[]}}}', '"\\ud83d\\ude00"', '{"a\\\\":1,"a":2}'])(
  "takes %s",
  (text) => expect(parseIJson(text)).toEqual(JSON.parse(text)),
);

test("refuses what is no UTF-8", () => {
  expect(() => parseIJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(expect.objectContaining({ status: 400 }));
});
