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
  '{"',
  '["a\\\\\\"]',
  '{"\\x":1}',
  '{"a":1}x',
  "[".repeat(501) + "]".repeat(501),
])("refuses %s", (text) => {
  expect(() => parseIJson(text)).toThrow(expect.objectContaining({ type: "urn:ietf:params:jmap:error:notJSON" }));
});

test.each(['{"a":"a","b":"a"}', '[{"a":1},{"a":1}]', '{"a":{"a":{"a":[]}}}', '"\\ud83d\\ude00"', '{"a\\\\":1,"a":2}'])(
  "takes %s",
  (text) => expect(parseIJson(text)).toEqual(JSON.parse(text)),
);

test("refuses any text that JSON.parse refuses", () => {
  const text = fc.string({ unit: fc.constantFrom("{", "}", "[", "]", ",", ":", '"', "\\", "a", "1") });
  const isJson = (value: string) => {
    try {
      return JSON.stringify(JSON.parse(value)) !== undefined;
    } catch {
      return false;
    }
  };
  fc.assert(
    fc.property(text, (value) => {
      if (!isJson(value)) {
        expect(() => parseIJson(value)).toThrow(
          expect.objectContaining({ type: "urn:ietf:params:jmap:error:notJSON" }),
        );
      }
    }),
  );
});

test("refuses ten million bytes of empty values before it reads them", () => {
  const nothing = `[${"[],".repeat(3_300_000)}[]]`;
  expect(() => parseIJson(nothing)).toThrow(expect.objectContaining({ message: expect.stringContaining("values") }));
  const many = JSON.stringify(Array.from({ length: 50_000 }, (_, i) => ({ id: i })));
  expect(parseIJson(many)).toHaveLength(50_000);
});

test("refuses bytes that are not UTF-8", () => {
  expect(() => parseIJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(expect.objectContaining({ status: 400 }));
});
