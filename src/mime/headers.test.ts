import { describe, expect, test } from "vitest";
import { cpuMs } from "../../test/support/cpu.ts";
import {
  asAddresses,
  asDate,
  asGroupedAddresses,
  asMessageIds,
  asText,
  asUrls,
  dateReceived,
  headerForm,
  parseHeader,
  parseHeaderProperty,
  readHeaderProperty,
} from "./headers.ts";

const fields = (text: string | Buffer) => parseHeader(Buffer.from(text as string));

describe("parseHeader", () => {
  test("gives Raw values with their folds, in order", () => {
    expect(fields("Subject: one\r\n two\r\nX-A:b\r\nx-a : c\r\n\r\nSubject: body")).toEqual([
      { name: "Subject", value: " one\r\n two" },
      { name: "X-A", value: "b" },
      { name: "x-a", value: " c" },
    ]);
  });

  test("drops NUL, replaces what is not UTF-8", () => {
    expect(fields(Buffer.from("A: x\0y \xff \xc3\xbc\n", "latin1"))).toEqual([{ name: "A", value: " xy \ufffd ü" }]);
  });

  test("skips lines that are no field, but not those after", () => {
    expect(fields("A: 1\r\ngarbage\r\nB: 2").map((field) => field.name)).toEqual(["A", "B"]);
    expect(fields("From x Thu\r\nA: 1\r\n\r\n").map((field) => field.name)).toEqual(["A"]);
    expect(fields("just text\r\nA: 1\r\n")).toEqual([]);
  });
});

describe("asText", () => {
  test.each([
    [" Hello  world ", "Hello  world "],
    [" a\r\n b\r\n\tc", "a b\tc"],
    [" =?utf-8?q?J=C3=B6rg?=", "Jörg"],
    [" =?UTF-8?B?w7w=?= =?utf-8?q?_x?=\r\n =?us-ascii*en?Q?y?= z", "ü xy z"],
    ["=?utf-8?q?=C3?=\r\n =?utf-8?b?vA==?=", "ü"],
    ["=?x-windows-949?b?x9Gx2w==?= =?eucJP-ms?b?xvw=?=", "한글日"],
    ["=?iso-2022-kr?b?GyQpQw5HUTFbDw==?= =?hz-gb-2312?q?~{VPND~}?=", "한글中文"],
    ["=?iso-8859-1?q?=FC?= and =?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "ü and 日本"],
    ["a=?utf-8?q?b?=", "a=?utf-8?q?b?="],
    ["=?utf-8?q?a?==?utf-8?q?b?=", "=?utf-8?q?a?==?utf-8?q?b?="],
    ["=?utf-8?q?a b?=", "=?utf-8?q?a b?="],
    ["=?x-unknown?q?a?= =?utf-8?x?a?=", "=?x-unknown?q?a?= =?utf-8?x?a?="],
    ["=?utf-8?q?a=00b=0D=0Ac?=", "abc"],
    ["=?utf-8?q?=FF?=", "\ufffd"],
    ["e\u0301", "é"],
    ["", ""],
  ])("%j", (raw, text) => expect(asText(raw)).toBe(text));
});

describe("asAddresses", () => {
  test("words and colons without end are read in time", () => {
    const began = cpuMs();
    expect(asAddresses(`${"x ".repeat(100_000)}@ ${": ".repeat(100_000)}`).length).toBeGreaterThan(0);
    expect(cpuMs() - began).toBeLessThan(2_000);
  });

  const example =
    ' "  James Smythe" <james@example.com>, Friends:\r\n  jane@example.com, =?UTF-8?Q?John_Sm=C3=AEth?=\r\n  <john@example.com>;';

  test("reads the example of RFC 8621", () => {
    expect(asAddresses(example)).toEqual([
      { name: "James Smythe", email: "james@example.com" },
      { name: null, email: "jane@example.com" },
      { name: "John Smîth", email: "john@example.com" },
    ]);
    expect(asGroupedAddresses(example)).toEqual([
      { name: null, addresses: [{ name: "James Smythe", email: "james@example.com" }] },
      {
        name: "Friends",
        addresses: [
          { name: null, email: "jane@example.com" },
          { name: "John Smîth", email: "john@example.com" },
        ],
      },
    ]);
  });

  test.each<[string, [string | null, string][]]>([
    ["", []],
    [",,;", []],
    ["a@b.c", [[null, "a@b.c"]]],
    ["a@b.c (Ann (x) \\) B)", [["Ann (x) ) B", "a@b.c"]]],
    ["a@b.c (=?utf-8?q?=C3=BC?=)", [["ü", "a@b.c"]]],
    ["(before) Ann (no) B <a@b.c> (after)", [["Ann B", "a@b.c"]]],
    ["J. R. Doe <a@b.c>", [["J. R. Doe", "a@b.c"]]],
    ['"a \\"q\\"\r\n b" <a@b.c>', [['a "q" b', "a@b.c"]]],
    ['"=?utf-8?q?x?=" <a@b.c>', [["=?utf-8?q?x?=", "a@b.c"]]],
    ["=?utf-8?q?Doe,_J?= =?utf-8?q?_x?= <a@b.c>", [["Doe, J x", "a@b.c"]]],
    ['"john doe"@example.com', [[null, '"john doe"@example.com']]],
    ["<@r1,@r2:a@b.c>", [[null, "a@b.c"]]],
    ["a . b @ c . d", [[null, "a.b@c.d"]]],
    [
      "a@[1.2.3.4], <b@[IPv6:::1]>",
      [
        [null, "a@[1.2.3.4]"],
        [null, "b@[IPv6:::1]"],
      ],
    ],
    ["half", [[null, "half"]]],
    ["Ann Bee a@b.c", [["Ann Bee", "a@b.c"]]],
    ["Ann <>, <>", [["Ann", ""]]],
    ["a@b.c <a@b.c>", [["a@b.c", "a@b.c"]]],
    [
      "A <a@x> B <b@x>",
      [
        ["A", "a@x"],
        ["B", "b@x"],
      ],
    ],
    [
      "A <a@x, B <b@x>",
      [
        ["A", "a@x"],
        ["B", "b@x"],
      ],
    ],
    ['"Ann <a@x>', [['"Ann', "a@x"]]],
    ["jörg@exämple.com", [[null, "jörg@exämple.com"]]],
    ["undisclosed-recipients:;", []],
  ])("%j", (raw, list) => expect(asAddresses(raw)).toEqual(list.map(([name, email]) => ({ name, email }))));

  test("groups keep their order and may be empty", () => {
    expect(asGroupedAddresses("a@b, None:;, c@d, e@f")).toEqual([
      { name: null, addresses: [{ name: null, email: "a@b" }] },
      { name: "None", addresses: [] },
      {
        name: null,
        addresses: [
          { name: null, email: "c@d" },
          { name: null, email: "e@f" },
        ],
      },
    ]);
  });
});

test.each<[string, string[] | null]>([
  [" <a@b>", ["a@b"]],
  [" <a@b>\r\n\t<c@d> (x <y>)", ["a@b", "c@d"]],
  [" Your mail of Monday <a@b>", ["a@b"]],
  [" < a@b >,<c>", ["a@b", "c"]],
  [" a@b", null],
  ["", null],
])("asMessageIds %j", (raw, ids) => expect(asMessageIds(raw)).toEqual(ids));

test.each<[string, string | null]>([
  [" Thu, 30 Oct 2014 14:12:00 +0800", "2014-10-30T14:12:00+08:00"],
  ["Thu, 30 Oct 2014 14:12 +0000 (UTC)", "2014-10-30T14:12:00Z"],
  ["1 jan 70 1:02:03 EST", "1970-01-01T01:02:03-05:00"],
  ["Fri ,\r\n (x) 21 Nov 97 09(comment):  55 : 06 -0600", "1997-11-21T09:55:06-06:00"],
  ["31 Dec 2016 23:59:60 Z", "2016-12-31T23:59:59Z"],
  ["30 Feb 2014 10:00:00 +0000", null],
  ["29 Feb 2016 10:00:00 GMT", "2016-02-29T10:00:00Z"],
  ["1 Jan 2014 10:00:00 +9900", null],
  ["1 Jan 2014 24:00:00 +0000", null],
  ["yesterday", null],
])("asDate %j", (raw, date) => expect(asDate(raw)).toBe(date));

test.each<[string, string[] | null]>([
  [" <mailto:a@b?subject=x,y>, (web)\r\n <https://x.example/(1)>", ["mailto:a@b?subject=x,y", "https://x.example/(1)"]],
  ["<a:b> junk, <c:d>", ["a:b"]],
  ["<a:b>, junk, <c:d>", ["a:b"]],
  ["NO", null],
  ["NO (<a:b>)", null],
])("asUrls %j", (raw, urls) => expect(asUrls(raw)).toEqual(urls));

test.each<[string[], string | null]>([
  [["by a; Tue, 03 Feb 2026 04:05:06 +0000", "by b; Mon, 02 Feb 2026 04:05:06 +0000"], "2026-02-03T04:05:06Z"],
  [["by a; yesterday", "by b; Mon, 02 Feb 2026 04:05:06 +0000"], "2026-02-02T04:05:06Z"],
  [["by a", "", "by b;", "by c; 32 Feb 2026 04:05:06", "by d; 2 Feb 2026 04:05"], "2026-02-02T04:05:00Z"],
  [["by a; Tue, 03 Feb 2026 04:05:06 +0000 (x; y)"], "2026-02-03T04:05:06Z"],
  [["by a (b; c);\r\n Tue, 03 Feb 2026\r\n 04:05:06 +0000"], "2026-02-03T04:05:06Z"],
  [["by a; yesterday"], null],
  [[], null],
])("dateReceived of %j", (values, date) => {
  expect(dateReceived(values.map((value) => ({ name: "Received", value: ` ${value}` })))).toBe(date);
});

describe("header properties", () => {
  test.each([
    ["header:Subject", { name: "Subject", form: "Raw", all: false }],
    ["header:X-Foo:all", { name: "X-Foo", form: "Raw", all: true }],
    ["header:to:asAddresses:all", { name: "to", form: "Addresses", all: true }],
    ["header:List-Id:asText", { name: "List-Id", form: "Text", all: false }],
    ["header:X-Foo:asURLs", { name: "X-Foo", form: "URLs", all: false }],
    ["header:From:asDate", "forbidden"],
    ["header:Received:asText", "forbidden"],
    ["header:List-Post:asText", "forbidden"],
    ["header:From:asFoo", undefined],
    ["header:From:asRaw", { name: "From", form: "Raw", all: false }],
    ["header:From:all:asText", undefined],
    ["header:", undefined],
    ["header:a b", undefined],
    ["subject", undefined],
  ])("%s", (text, expected) => expect(parseHeaderProperty(text)).toEqual(expected));

  test("reads the last or all", () => {
    const list = fields("To: a@b\r\nSubject: x\r\nTO: c@d\r\n\r\n");
    const read = (text: string) => readHeaderProperty(list, headerForm(text)!);
    expect(read("header:to")).toBe(" c@d");
    expect(read("header:to:all")).toEqual([" a@b", " c@d"]);
    expect(read("header:To:asAddresses:all")).toEqual([[{ name: null, email: "a@b" }], [{ name: null, email: "c@d" }]]);
    expect(read("header:cc")).toBeNull();
    expect(read("header:cc:asAddresses:all")).toEqual([]);
  });
});
