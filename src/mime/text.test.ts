import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeBase64 } from "./base64.ts";
import { decodedSize, decodeText, decodeTransfer, truncateText } from "./decode.ts";
import { prependHeader, withoutBcc } from "./envelope-fields.ts";
import { htmlToText } from "./html.ts";
import { preview } from "./preview.ts";
import { baseSubject } from "./subject.ts";
import { summarise } from "./summary.ts";
import { encodeQuotedPrintable } from "./transfer.ts";
import { walk } from "./walk.ts";

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

describe("transfer encodings", () => {
  test.each([
    ["base64", "aGk=", "hi"],
    ["base64", "a\r\nG k\r\n=\r\nlist footer", "hi"],
    ["base64", "aGk", "hi"],
    ["quoted-printable", "a=3Db=\r\nc =\t\n d  \r\ne", "a=bc  d\r\ne"],
    ["quoted-printable", "=zz =3", "=zz =3"],
    ["unknown", "a=3D", "a=3D"],
  ] as const)("%s %j", (encoding, raw, text) => {
    expect(decodeTransfer(latin1(raw), encoding).toString("latin1")).toBe(text);
  });

  test("the size is that of the bytes; what is encoded comes back", () => {
    const likely = fc.stringMatching(/^[=A-F0-9 \t\r\nxyz+/-]*$/).map(latin1);
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), likely), (bytes) => {
        for (const encoding of ["base64", "quoted-printable", "binary"] as const) {
          expect(decodedSize(bytes, encoding)).toBe(decodeTransfer(bytes, encoding).length);
        }
        expect(decodeTransfer(encodeBase64(bytes), "base64").equals(bytes)).toBe(true);
        const quoted = encodeQuotedPrintable(bytes);
        expect(decodeTransfer(quoted, "quoted-printable").equals(bytes)).toBe(true);
        expect(
          /^[\t\x20-\x7e]{0,76}$/.test(
            quoted
              .toString("latin1")
              .split("\r\n")
              .sort((a, b) => b.length - a.length)[0]!,
          ),
        ).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

test.each([
  ["a\r\nb\rc\n", "utf-8", "a\nb\rc\n", false],
  ["\xc3\xbc", "UTF-8", "ü", false],
  ["\xfc", "utf-8", "\ufffd", true],
  ["\xfc", "us-ascii", "ü", true],
  ["\xc3\xbc", "us-ascii", "ü", true],
  ["x", "us-ascii", "x", false],
  ["\x80", "iso-8859-1", "€", false],
  ["\xa4", "iso-8859-15", "€", false],
  ["\x1b$BF|K\\\x1b(B", "iso-2022-jp", "日本", false],
  ["\xc8\xd5", "gb2312", "日", false],
  ["x", "x-klingon", "x", true],
  ["aGk=", "base64", "aGk=", true],
  ["\xfc", null, "ü", true],
])("decodeText %j as %s", (raw, charset, text, isEncodingProblem) => {
  expect(decodeText(latin1(raw), charset)).toEqual({ text, isEncodingProblem });
});

describe("truncateText", () => {
  test.each([
    ["aüb", 0, false, "aüb"],
    ["aüb", 2, false, "a"],
    ["aüb", 3, false, "aü"],
    ["a😀", 4, false, "a"],
    [`aü${"b".repeat(900)}é`, 3, false, "aü"],
    ['a<b title=">">c', 12, true, "a"],
    ['a<b title=">">c', 14, true, 'a<b title=">">'],
    ["1 < 2 and more", 7, true, "1 < 2 a"],
    ["<!-- > -->x", 8, true, ""],
  ])("%j to %d", (text, max, isHtml, value) => {
    expect(truncateText(text, max, isHtml)).toEqual({ value, isTruncated: value !== text });
  });
});

describe("htmlToText", () => {
  test.each([
    ["<p>One<br>two</p><p>three", "One\ntwo\n\nthree"],
    [
      "<head><title>No</title><style>p{}</style></head><body>a\r\n  b&amp;c&nbsp;&#x20ac;&#128;&uuml;&nope;</body>",
      "a b&c\u00a0€€ü&nope;",
    ],
    ["<script>if (a<b) '</p>'</script >x<!-- <p>no --> y", "x y"],
    ["<pre>a\n  b</pre>", "a\nb"],
    ["1 < 2 <a href='>'>link</a>", "1 < 2 link"],
    ["<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a  b\n\nc"],
  ])("%j", (html, text) => expect(htmlToText(html)).toBe(text));
});

test("htmlToText for searching: tags part no words, and only what is seen of attributes counts", () => {
  const html =
    '<head><link title="no"><style title="no"></style></head><!-- <b title="no"> -->' +
    'Vis<b>ible</b> <a title="Tip">words</a> <img alt="Cat" src="no"> here';
  expect(htmlToText(html, { attributes: true }).split(/\s+/)).toEqual(["Visible", "words", "here", "Tip", "Cat"]);
});

describe("preview", () => {
  const of = (...lines: string[]): string => {
    const bytes = Buffer.from(lines.join("\r\n"), "utf8");
    return preview(bytes, walk(bytes));
  };

  test("skips quotes and signatures", () => {
    expect(of("", "On Monday,", "Bob <b@x> wrote:", "> old", "", "I agree   fully.", "-- ", "Ada")).toBe(
      "I agree fully.",
    );
    expect(of("", "> all quoted")).toBe("> all quoted");
  });

  test("is text, at most 256 characters, and never half a character", () => {
    expect(
      of("Content-Type: text/html; charset=utf-8", "", "<style>x</style><p>Gr&uuml;&szlig;e&zwnj;&nbsp;&#0;</p>"),
    ).toBe("Grüße \ufffd");
    const long = of("Content-Type: text/plain; charset=utf-8", "", `a${"😀".repeat(9000)}`);
    expect(long).toBe(`a${"😀".repeat(127)}`);
  });

  test("skips the quote in HTML", () => {
    const html = "<p>Yes.</p><p>On Monday Bob wrote:</p><blockquote>old</blockquote>";
    expect(of("Content-Type: text/html", "", html)).toBe("Yes.");
    expect(of("Content-Type: text/html", "", "<blockquote>old</blockquote>")).toBe("old");
  });

  test("finds the text of HTML behind very much style", () => {
    expect(of("Content-Type: text/html", "", `<style>${"p{}".repeat(20_000)}</style>Hello`)).toBe("Hello");
  });
});

test.each([
  ["Hello", "Hello"],
  ["Re: Hello", "Hello"],
  ["RE:FW: fwd : Re[2]: Hello (fwd) ", "Hello"],
  ["[list] Re: [other] Hello", "Hello"],
  ["[Fwd: Re: Hello]", "Hello"],
  ["[only]", "[only]"],
  ["Re: [only]", "[only]"],
  ["Regarding:  two\t spaces", "Regarding: two spaces"],
  ["Re:", ""],
])("baseSubject %j", (subject, base) => expect(baseSubject(subject)).toBe(base));

test("withoutBcc removes Bcc fields, and prependHeader puts fields in front", () => {
  const bytes = latin1("Bcc: a@b,\r\n c@d\r\nTo: x\r\nBCC : e@f\r\nResent-Bcc: g\r\nX-Bcc: y\r\n\r\nBcc: body");
  expect(withoutBcc(bytes).toString()).toBe("To: x\r\nX-Bcc: y\r\n\r\nBcc: body");
  expect(withoutBcc(latin1("To: x\r\n\r\n")).toString()).toBe("To: x\r\n\r\n");
  expect(withoutBcc(latin1("\xef\xbb\xbfBcc: a\r\nTo: x\r\n\r\n")).toString()).toBe("To: x\r\n\r\n");
  expect(prependHeader(latin1("A: b"), "X: y").toString()).toBe("X: y\r\nA: b");
});

test("summarise", () => {
  const bytes = latin1(
    "From: Ada <a@b>\r\nSubject: Hi\r\nMessage-ID: <1@b>\r\nReferences: <0@b>\r\nDate: 1 Jan 2026 10:00 +0100\r\n\r\nHello\r\n",
  );
  expect(summarise(bytes)).toMatchObject({
    ...{ size: bytes.length, messageId: ["1@b"], inReplyTo: null, references: ["0@b"], subject: "Hi", to: null },
    ...{
      from: [{ name: "Ada", email: "a@b" }],
      sentAt: "2026-01-01T10:00:00+01:00",
      preview: "Hello",
      hasAttachment: false,
    },
  });
});
