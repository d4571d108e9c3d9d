import { describe, expect, test } from "vitest";
import { nastyMessages } from "../../test/mime/corpus.ts";
import { bodyParts, hasAttachment } from "./body.ts";
import { partBytes } from "./decode.ts";
import { leaves, type Part } from "./structure.ts";
import { headerEnd, walk } from "./walk.ts";

const message = (...lines: string[]): Buffer => Buffer.from(lines.join("\r\n"), "utf8");
const nasty = (name: string): Buffer => nastyMessages().find((one) => one.name === name)!.bytes;

type Shape = string | [string, Shape[]];
const shape = (part: Part): Shape => (part.parts === null ? part.type : [part.type, part.parts.map(shape)]);
const texts = (bytes: Buffer): string[] => leaves(walk(bytes)).map((part) => partBytes(bytes, part).toString("latin1"));

test("headerEnd is before the empty line", () => {
  expect(headerEnd(message("A: b", "C: d", "", "x"))).toBe(12);
  expect(headerEnd(message("A: b"))).toBe(4);
  expect(headerEnd(message("", "A: b"))).toBe(0);
});

test("a part has all properties", () => {
  const bytes = message(
    'Content-Type: Text/HTML (really) ; charset="ISO-8859-1"; name=x.html',
    "Content-Disposition: ATTACHMENT; filename*0*=UTF-8''na%C3%AFve; filename*1=\" file\"; filename*2*=%2Ehtml",
    "Content-Id: <a@b> (id)",
    "Content-Language: en, (german) de-DE",
    "Content-Location: https://example.com/\r\n a",
    "Content-Transfer-Encoding: Quoted-Printable",
    "",
    "=C3=BC=",
    "x",
  );
  const end = bytes.indexOf("\r\n\r\n");
  expect(walk(bytes)).toEqual({
    partId: "1",
    type: "text/html",
    charset: "ISO-8859-1",
    name: "naïve file.html",
    disposition: "attachment",
    cid: "a@b",
    language: ["en", "de-DE"],
    location: "https://example.com/a",
    encoding: "quoted-printable",
    header: { start: 0, end: end + 2 },
    body: { start: end + 4, end: bytes.length },
    size: 3,
    parts: null,
  });
});

test.each([
  [[], "text/plain", "us-ascii"],
  [["Content-Type: text/html"], "text/html", "us-ascii"],
  [["Content-Type: image/png"], "image/png", null],
  [["Content-Type: application/json; charset=utf-8"], "application/json", "utf-8"],
  [["Content-Type: text"], "text/plain", "us-ascii"],
  [["Content-Type: multipart/mixed"], "text/plain", "us-ascii"],
])("type and charset of %j", (lines, type, charset) => {
  expect(walk(message(...lines, "", "x"))).toMatchObject({ type, charset });
});

test.each([
  ["name=foo (1).pdf; x=y", "foo (1).pdf"],
  ['name="a\\"b.txt"', 'a"b.txt'],
  ['name="=?utf-8?q?=C3=BC?="', "ü"],
  ["name*=iso-8859-1'de'%FC.txt", "ü.txt"],
  ['charset="x" name="y"', "y"],
  ["name=%41", "%41"],
])("file name from %s", (params, name) => {
  expect(walk(message(`Content-Type: application/octet-stream; ${params}`, "", "")).name).toBe(name);
});

describe("multiparts", () => {
  test("nest, with preambles and epilogues left out", () => {
    const bytes = message(
      ...["Content-Type: multipart/mixed; boundary=out", "", "preamble", "--out", "", "one", "", "--out  "],
      ...[
        "Content-Type: multipart/digest; boundary=in",
        "",
        "--in",
        "",
        "Subject: a",
        "",
        "b",
        "--in--",
        "epilogue",
        "--out--",
        "end",
        "",
      ],
    );
    expect(shape(walk(bytes))).toEqual(["multipart/mixed", ["text/plain", ["multipart/digest", ["message/rfc822"]]]]);
    expect(texts(bytes)).toEqual(["one\r\n", "Subject: a\r\n\r\nb"]);
    expect(walk(bytes).parts!.map((part) => part.partId)).toEqual(["1", null]);
    expect(walk(bytes).parts![1]!.parts).toMatchObject([{ charset: "us-ascii" }]);
  });

  test.each<[string, string[]]>([
    ["bare LF", ["one", "two"]],
    ["boundary never seen", ["no part at all"]],
    ["boundary never closed", ["one", "two"]],
    ["header cut by a boundary", ["", "two"]],
    ["text after the end", ["one"]],
    ["boundary that begins with another", ["x", "y"]],
    ["one boundary for two levels", ["x", "y"]],
    ["inner multipart not closed", ["x", "y"]],
    ["multipart in base64", ["--b\r\n\r\nx\r\n--b--"]],
    ["closed at once", []],
    ["message in base64", ["Subject: x\r\n\r\ny"]],
  ])("%s", (name, expected) => expect(texts(nasty(name))).toEqual(expected));

  test("10,000 parts are all there; 1,000 levels end in an opaque leaf", () => {
    expect(walk(nasty("10,000 parts")).parts).toHaveLength(10_000);
    const deep = leaves(walk(nasty("1,000 levels")));
    expect(deep.map((part) => part.type)).toEqual(["application/octet-stream"]);
  });
});

const part = (type: string, more: Partial<Part> = {}, parts: Part[] | null = null): Part => ({
  ...walk(message("", "")),
  ...{ type, parts },
  ...more,
});
const multi = (type: string, ...parts: Part[]): Part => part(`multipart/${type}`, {}, parts);

describe("bodyParts", () => {
  const inline = { disposition: "inline" };
  const named = (type: string, partId: string, more: Partial<Part> = {}): Part => part(type, { partId, ...more });
  const names = (parts: Part[]): string => parts.map((one) => one.partId).join("");

  test("reads the example of RFC 8621", () => {
    const root = multi(
      "mixed",
      named("text/plain", "A", inline),
      multi(
        "mixed",
        multi(
          "alternative",
          multi(
            "mixed",
            named("text/plain", "B", inline),
            named("image/jpeg", "C", inline),
            named("text/plain", "D", inline),
          ),
          multi("related", named("text/html", "E"), named("image/jpeg", "F")),
        ),
        named("image/jpeg", "G", { disposition: "attachment" }),
        named("application/x-excel", "H"),
        named("message/rfc822", "J"),
      ),
      named("text/plain", "K", inline),
    );
    const { textBody, htmlBody, attachments } = bodyParts(root);
    expect([textBody, htmlBody, attachments].map(names)).toEqual(["ABCDK", "AEK", "CFGHJ"]);
    expect(hasAttachment(root)).toBe(true);
  });

  test("one alternative stands in for both; one part is body and nothing else", () => {
    const root = multi("alternative", named("text/html", "A"));
    expect(Object.values(bodyParts(root)).map(names)).toEqual(["A", "A", ""]);
    expect(Object.values(bodyParts(named("application/pdf", "A"))).map(names)).toEqual(["", "", "A"]);
  });

  test("no part is lost when one side of an alternative was already left out", () => {
    const root = multi(
      "alternative",
      multi("mixed", named("text/html", "A"), multi("alternative", named("text/plain", "B"), named("text/html", "C"))),
    );
    const all = bodyParts(root);
    expect(new Set([...all.textBody, ...all.htmlBody, ...all.attachments].map((one) => one.partId))).toEqual(
      new Set("ABC"),
    );
  });

  test("embedded images are not attachments", () => {
    const image = named("image/png", "B", { cid: "b@x" });
    expect(hasAttachment(multi("related", named("text/html", "A"), image))).toBe(false);
    expect(hasAttachment(multi("related", named("text/html", "A"), { ...image, disposition: "attachment" }))).toBe(
      true,
    );
    expect(hasAttachment(multi("mixed", named("text/html", "A"), named("application/pdf", "B")))).toBe(true);
  });
});

describe("a Content-Type that is none", () => {
  test.each([
    ["image/not/valid", "application/octet-stream"],
    ["IMAGE/", "application/octet-stream"],
    ["application", "application/octet-stream"],
    ["video/mp4,video/ogg", "application/octet-stream"],
    ["message/x/y", "application/octet-stream"],
    ["image/png/; name=a.png", "application/octet-stream"],
    ["text/not/valid", "text/plain"],
    ["text", "text/plain"],
    ["plain", "text/plain"],
    ["imagery/x/y", "text/plain"],
    ["", "text/plain"],
    ["/", "text/plain"],
  ])("%j is read as %s", (value, type) => {
    const root = walk(Buffer.from(`Content-Type: ${value}\r\n\r\nbytes`));
    expect(root.type).toBe(type);
    const { textBody, attachments } = bodyParts(root);
    const isText = type === "text/plain";
    expect([textBody.length, attachments.length]).toEqual(isText ? [1, 0] : [0, 1]);
  });
});
